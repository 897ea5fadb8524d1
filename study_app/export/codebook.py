"""What every column of an export means: the one place that says so, and that tables are held to."""

from typing import NamedTuple

LONG, WIDE, RATERS, EXCLUSIONS, PLAN, MARKS = (
    "ratings_long",
    "ratings_wide",
    "raters",
    "exclusions",
    "plan",
    "marks",
)
TABLES = {
    LONG: "one row an answer: a rater, a trial, a question",
    WIDE: "one row a trial that was shown: its answers side by side, and how its clips were played",
    RATERS: "one row a rater, with what the exclusion rules look at",
    EXCLUSIONS: "one row for each rule that a rater broke, or that a researcher excluded them by",
    PLAN: "one row an item that can be shown, with the method that made it: this is the unblinding",
    MARKS: "one row a place where a rater marked that an edit is broken",
}
QUESTIONS = "{questions}"  # stands for a column of every question of the study
_TRIAL = (LONG, WIDE)
_CLOCK = "; empty if the server's clock was set back"
_SEEN = (LONG, WIDE, MARKS)


class CodebookColumn(NamedTuple):
    """A column, the tables it is in, what it means and what can stand in it."""

    name: str
    tables: tuple[str, ...]
    meaning: str
    values: str
    design: str = ""  # the only design that has it


COLUMNS = (
    CodebookColumn(
        "simulated", tuple(TABLES), "made by simulated raters, not by people", "true, false"
    ),
    CodebookColumn(
        "rater",
        (*_SEEN, RATERS, EXCLUSIONS),
        "pseudonym, a keyed hash: without the study's secret nobody can tell who it is",
        "r-... or simulated-...",
    ),
    CodebookColumn("language", (*_SEEN, RATERS), "in which the rater read the study", "such as en"),
    CodebookColumn("excluded", (*_SEEN, RATERS), "by a rule or by a researcher", "true, false"),
    CodebookColumn("trial", _SEEN, "number of the trial in this database", "integer"),
    CodebookColumn(
        "place", _SEEN, "place in the rater's order of trials", "from 0, training first"
    ),
    CodebookColumn(
        "kind",
        (*_SEEN, PLAN),
        "why the trial is there; analyse `rating`",
        "rating, repeat (shown before), trap, gold, training, retired (rating of a clip that was "
        "made anew or taken out since)",
    ),
    CodebookColumn("state", (WIDE,), "what became of the trial", "rated, unplayable"),
    CodebookColumn(
        "item", (*_SEEN, PLAN), "key of what was shown; repeats share it", "16 hex digits"
    ),
    CodebookColumn(
        "declared",
        _SEEN,
        "under which declaration it was rated: `declaration.json` has the wording of each",
        "12 hex digits of its hash",
    ),
    CodebookColumn("video", (*_SEEN, PLAN), "source video", "id of the suite"),
    CodebookColumn("edit", (*_SEEN, PLAN), "edit that was asked for", "id of the suite"),
    CodebookColumn("category", (*_SEEN, PLAN), "kind of edit", "of the suite"),
    CodebookColumn("prompt", (*_SEEN, PLAN), "text that the raters read", "text"),
    CodebookColumn(
        "method",
        (*_TRIAL, PLAN),
        "method that made the edit; empty for checks",
        "of study.yaml",
        "absolute",
    ),
    CodebookColumn(
        "method_left",
        (*_TRIAL, PLAN),
        "method of the edit that stood left (plan: before sides were drawn); empty for checks",
        "of study.yaml",
        "pairwise",
    ),
    CodebookColumn("method_right", (*_TRIAL, PLAN), "the same, right", "of study.yaml", "pairwise"),
    CodebookColumn(
        "check",
        (*_TRIAL, PLAN),
        "what a check shows",
        "the known clip, or both of a pair, or the answer a trap asks for; empty for ratings",
    ),
    CodebookColumn(
        "marked",
        (MARKS,),
        "method that made the clip that is marked; empty for checks",
        "of study.yaml",
    ),
    CodebookColumn(
        "clip",
        (MARKS,),
        "which clip is marked: of a pair the side on which it stood",
        "edit, left, right",
    ),
    CodebookColumn("start_s", (MARKS,), "when the fault begins", "seconds"),
    CodebookColumn("end_s", (MARKS,), "when it ends", "seconds"),
    CodebookColumn("clip_s", (MARKS,), "length of the clip that is marked", "seconds"),
    CodebookColumn(
        "x",
        (MARKS,),
        "left edge of a box around the fault; empty: the whole picture",
        "share of the width",
    ),
    CodebookColumn("y", (MARKS,), "top edge of the box", "share of the height"),
    CodebookColumn("width", (MARKS,), "of the box", "share of the width"),
    CodebookColumn("height", (MARKS,), "of the box", "share of the height"),
    CodebookColumn(
        "defect",
        (MARKS,),
        "what is wrong",
        "flicker, identity, left_over, leaked, distorted, motion, text",
    ),
    CodebookColumn("severity", (MARKS,), "how bad it is", "1 hardly noticeable to 3 disturbing"),
    CodebookColumn(
        "seconds_of_clip", (PLAN,), "length of the longest clip that is shown", "seconds"
    ),
    CodebookColumn("media_left", (PLAN,), "file that stood left, or the source", "name in media/"),
    CodebookColumn("media_right", (PLAN,), "file that stood right, or the edit", "name in media/"),
    CodebookColumn("question", (LONG,), "what was asked", "alignment, fidelity, quality"),
    CodebookColumn("value", (LONG,), "the answer", "1 worst to 5 best", "absolute"),
    CodebookColumn("value", (LONG,), "the answer", "-1 left, 0 no difference, 1 right", "pairwise"),
    CodebookColumn(
        "preferred",
        (LONG,),
        "method that was preferred; empty for checks",
        "a method or tie",
        "pairwise",
    ),
    CodebookColumn("expected", (LONG,), "answer that a check asks for", "as `value`, or empty"),
    CodebookColumn(
        QUESTIONS, (WIDE,), "answer to this question", "as `value`; empty if unplayable"
    ),
    CodebookColumn(
        "seconds", _TRIAL, "from the first look at the trial to the answer", f"seconds{_CLOCK}"
    ),
    CodebookColumn("minutes_in", _TRIAL, "from consent to this answer", f"minutes{_CLOCK}"),
    CodebookColumn(
        "coverage", (WIDE,), "share that was watched of the clip of which least was", "0 to 1"
    ),
    CodebookColumn("plays", (WIDE,), "times the clip was played", "integer"),
    CodebookColumn("seeks", (WIDE,), "jumps within the clip", "integer"),
    CodebookColumn("stalls", (WIDE,), "times the clip had to load", "integer"),
    CodebookColumn("hidden_ms", (WIDE,), "time the page could not be seen", "milliseconds"),
    CodebookColumn("width", (WIDE,), "of the clip on the screen", "pixels of the page"),
    CodebookColumn(
        "screen", (RATERS,), "where the rater is, or how they ended", "finished, left, ..."
    ),
    CodebookColumn("finished", (RATERS,), "rated the whole list", "true, false"),
    CodebookColumn("rejected", (RATERS,), "others rate again what they rated", "true, false"),
    CodebookColumn(
        "minutes", (RATERS,), "from consent to the last answer", f"minutes{_CLOCK} or unfinished"
    ),
    CodebookColumn("consent_version", (RATERS,), "of the text agreed to", "of study.yaml"),
    CodebookColumn("trials_rated", (RATERS,), "ratings and repeats", "integer"),
    CodebookColumn("trials_unplayable", (RATERS,), "of all kinds but training", "integer"),
    CodebookColumn(
        "variance", (RATERS,), "of all answers to ratings and repeats", "number or empty"
    ),
    CodebookColumn("traps_failed", (RATERS,), "of those answered", "integer"),
    CodebookColumn("gold_failed", (RATERS,), "of those answered", "integer"),
    CodebookColumn(
        "window_width", (RATERS,), "of the browser at the device check", "pixels or empty"
    ),
    CodebookColumn("phone", (RATERS,), "watched on a phone", "true, false or empty"),
    CodebookColumn("commented", (RATERS,), "left a comment; `--comments` writes it", "true, false"),
    CodebookColumn(
        "rule",
        (EXCLUSIONS,),
        "that was broken; declared in study.yaml",
        "failed_traps, failed_gold, failed_playback, straight_line, unplayable, least_ratings; "
        "by_hand",
    ),
    CodebookColumn("reason", (EXCLUSIONS,), "in words", "text"),
    CodebookColumn(
        "automatic", (EXCLUSIONS,), "by a declared rule, not by a person", "true, false"
    ),
)


def columns_of(table: str, design: str, questions: tuple[str, ...]) -> list[CodebookColumn]:
    """Return the columns of a table in their order."""
    found: list[CodebookColumn] = []
    for column in COLUMNS:
        if table in column.tables and column.design in ("", design):
            names = questions if column.name == QUESTIONS else (column.name,)
            found += [column._replace(name=name) for name in names]
    return found


def codebook(design: str, questions: tuple[str, ...]) -> list[dict[str, str]]:
    """Return a row for every column of every table."""
    return [
        {
            "table": table,
            "column": column.name,
            "meaning": column.meaning,
            "values": column.values,
        }
        for table in TABLES
        for column in columns_of(table, design, questions)
    ]
