# Ratings of the study $study: what raters answered, by method.
#   Rscript analysis.R        needs install.packages(c("ordinal", "lme4"))
library(ordinal)
library(lme4)

answers <- read.csv("$file", stringsAsFactors = FALSE)
answers$$simulated <- as.logical(answers$$simulated)
answers$$excluded <- as.logical(answers$$excluded)
if (any(answers$$simulated)) cat("SIMULATED raters: these figures say nothing about people.\n")

analyse <- function(rows, question) {
  rows <- rows[rows$$question == question, ]
  rows$$method <- factor(rows$$method)
  rows$$opinion <- ordered(rows$$value)
  cat("\n==", question, ":", nrow(rows), "answers of", length(unique(rows$$rater)), "raters on",
      length(unique(rows$$video)), "videos\n")
  print(aggregate(value ~ method, rows, mean))
  # Ordinal: no distance between the points of the scale is assumed.
  ordinal_fit <- clmm(opinion ~ method + (1 | rater) + (1 | video), data = rows)
  print(summary(ordinal_fit))
  # Linear: differences in points of the scale.
  linear_fit <- lmer(value ~ method + (1 | rater) + (1 | video), data = rows)
  print(summary(linear_fit)$$coefficients)
  estimates <- summary(ordinal_fit)$$coefficients
  estimates <- estimates[grepl("^method", rownames(estimates)), , drop = FALSE]
  data.frame(question = question, contrast = rownames(estimates),
             log_odds = estimates[, 1], error = estimates[, 2], p = estimates[, 4])
}

report <- function(rows, title) {
  cat("\n\n#### ", title, "\n")
  found <- do.call(rbind, lapply(unique(rows$$question), function(q) analyse(rows, q)))
  found$$p_holm <- p.adjust(found$$p, "holm")  # over questions and contrasts with the first method
  print(found, row.names = FALSE, digits = 3)
}

ratings <- answers[answers$$kind == "rating", ]
report(ratings, "all raters")
if (any(ratings$$excluded)) report(ratings[!ratings$$excluded, ], "without excluded raters")
