# Preferences of the study $study: which of two edits raters preferred.
#   Rscript analysis.R        needs install.packages(c("ordinal", "lme4"))
library(ordinal)
library(lme4)

answers <- read.csv("$file", stringsAsFactors = FALSE)
answers$$simulated <- as.logical(answers$$simulated)
answers$$excluded <- as.logical(answers$$excluded)
if (any(answers$$simulated)) cat("SIMULATED raters: these figures say nothing about people.\n")
ratings <- answers[answers$$kind == "rating", ]
methods <- sort(unique(c(ratings$$method_left, ratings$$method_right)))

# +1 where a method stands right, -1 where it stands left: strengths relative to the first method,
# as in Bradley and Terry with ties. A taste for one side moves the thresholds.
strengths <- function(rows) {
  signs <- sapply(methods[-1], function(m) (rows$$method_right == m) - (rows$$method_left == m))
  matrix(signs, nrow(rows), dimnames = list(NULL, make.names(methods[-1])))
}

analyse <- function(rows, question) {
  rows <- rows[rows$$question == question, ]
  signs <- strengths(rows)
  data <- data.frame(signs, opinion = ordered(rows$$value), value = rows$$value,
                     rater = rows$$rater, video = rows$$video)
  cat("\n==", question, ":", nrow(rows), "answers of", length(unique(rows$$rater)), "raters on",
      length(unique(rows$$video)), "videos\n")
  print(table(preferred = rows$$preferred))
  terms <- paste(colnames(signs), collapse = " + ")
  ordinal_fit <- clmm(as.formula(paste("opinion ~", terms, "+ (1 | rater) + (1 | video)")), data)
  print(summary(ordinal_fit))
  linear_fit <- lmer(as.formula(paste("value ~", terms, "+ (1 | rater) + (1 | video)")), data)
  print(summary(linear_fit)$$coefficients)
  estimates <- summary(ordinal_fit)$$coefficients[colnames(signs), , drop = FALSE]
  data.frame(question = question, contrast = paste(rownames(estimates), "against", methods[1]),
             log_odds = estimates[, 1], error = estimates[, 2], p = estimates[, 4])
}

report <- function(rows, title) {
  cat("\n\n#### ", title, "\n")
  found <- do.call(rbind, lapply(unique(rows$$question), function(q) analyse(rows, q)))
  found$$p_holm <- p.adjust(found$$p, "holm")  # over questions and contrasts
  print(found, row.names = FALSE, digits = 3)
}

report(ratings, "all raters")
if (any(ratings$$excluded)) report(ratings[!ratings$$excluded, ], "without excluded raters")
