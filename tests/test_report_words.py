"""What a researcher reads is English: counts and nouns agree, and numbers are short.

Every text of small reports is read, where counts of one occur: one rater, video, edit, method,
metric, repeat.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_run import drawn_run
from fabricated_export import drawn, made_up, people
from fabricated_joint import METRICS, Meant, fabricate_joint

from evaluation.stats.intervals import Interval
from reports.figures.style import marks
from reports.metrics.alone import metric_parts
from reports.metrics.glance import glance_part, metric_columns
from reports.metrics.results import all_tables, bounds_tables
from reports.metrics.sentences import summary_sentences
from reports.page.run_page import caution, idle, notes, remarks_html
from reports.parts import ReportPart
from reports.people.build import joint_parts, people_parts, study_lead
from reports.people.export import rule_words
from reports.summary import IntervalSettings, summarize
from reports.tables import Table, said_interval

HOW = IntervalSettings(resamples=100)
# A count of one before a word in the plural: "1 videos"; verbs of one are none.
VERBS = "is|was|has|counts|less|puts|differs|shows|lacks|as|of the"
ADJECTIVES = "source|rated|other|more|whole|common|source video"
ONE = re.compile(
    rf"(?<!\u2212 )(?<![\d.,/\u2212-])\b1 (?!(?:{VERBS})\b)((?:{ADJECTIVES}) )?[a-z-]+s\b"
)
NUMBER = re.compile(r"(?<![\w.])\N{MINUS SIGN}?\d+\.\d+")


def tables_of(table: Table) -> Iterator[str]:
    yield table.title
    yield table.caption
    yield from (text for head in table.head for text in (head.text, head.hint))
    for row in table.rows:
        yield row.label
        yield from (text for cell in row.cells for text in (cell.main, cell.small, cell.hint))


def texts_of(parts: list[ReportPart]) -> Iterator[str]:
    for part in parts:
        yield from (part.title, *part.found, *part.notes, *part.done)
        yield from (text for drawing in part.drawings for text in (drawing.alt, drawing.caption))
        for table in (*part.tables, *part.folded):
            yield from tables_of(table)


def significant(number: str) -> int:
    """Return how many significant digits a number is written with."""
    return len(number.lstrip("\N{MINUS SIGN}0.").replace(".", ""))


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        {"raters": 1},
        {"raters": 2, "excluded": (0,)},
        {"raters": 3, "sources": 1, "edits_each": 1},
        {"methods": ("only",), "raters": 2, "sources": 2, "edits_each": 1},
        {"raters": 9, "sources": 3, "edits_each": 1, "questions": ("quality",), "excluded": (1,)},
        {"raters": 5, "sources": 10, "edits_each": 1, "shared": False},
    ],
    ids=["rater", "one counts", "edit", "method", "question", "seen once"],
)
def test_counts_of_one_are_singular_in_a_study(tmp_path: Path, said: dict[str, object]) -> None:
    found = people(tmp_path, drawn((0.0, 0.8)), **said)
    texts = [*texts_of(people_parts(found)), *study_lead(found.export)]
    assert [text for text in texts if ONE.search(text)] == []
    for text in (text for part in people_parts(found) for text in part.found):
        assert not re.search(r"\b0 (differ|of the)|of the 1 |beats none of", text), text
        assert max(map(significant, NUMBER.findall(text)), default=0) <= 3, text
        _, _, rest = text.partition(": ")
        assert rest[0].isupper() or rest.startswith(tuple(found.methods)), text
        assert text.endswith(".") and ".." not in text and "  " not in text


def test_a_study_declared_after_one_vote_and_amended_once(tmp_path: Path) -> None:
    export = made_up(tmp_path, drawn((0.0, 1.0)))
    changes = [{"at": 0, "ratings": 1, "reason": "a new rule."}]
    declared = {"hash": "a" * 40, "at": 0, "ratings": 1, "amendments": changes}
    assert study_lead(replace(export, declared=declared))[-1] == (
        "The plan of the analysis (hash aaaaaaaaaaaa) was kept on 1970-01-01, after 1 rated trial. "
        "It was amended on 1970-01-01 after 1 rated trial, for this reason: a new rule."
    )
    assert rule_words("failed_traps", 1) == "failing a trap clip"
    assert rule_words("failed_traps", 2) == "failing 2 or more trap clips"
    assert rule_words("unplayable", 0.3) == "reporting that 30% of the clips or more did not play"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("joint", "metrics"),
    [
        ({"raters": 1}, METRICS),
        ({"methods": 1}, METRICS),
        ({"sources": 1, "edits": 1}, METRICS),
        ({}, {"good_a": Meant("alignment", "alignment")}),
    ],
    ids=["rater", "method", "edit", "metric"],
)
def test_counts_of_one_are_singular_beside_metrics(
    joint: dict[str, int], metrics: dict[str, Meant]
) -> None:
    parts = joint_parts(fabricate_joint(metrics=metrics, **joint))  # type: ignore[arg-type]
    assert [text for text in texts_of(parts) if ONE.search(text)] == []
    for text in (text for part in parts for text in part.found):
        assert max(map(significant, NUMBER.findall(text)), default=0) <= 3, text
        assert text.endswith(".") and "  " not in text


@pytest.mark.parametrize(
    ("methods", "edits", "videos"), [(2, 1, 1), (1, 1, 1), (2, 4, 4), (3, 6, 1)]
)
def test_counts_of_one_are_singular_in_a_run(methods: int, edits: int, videos: int) -> None:
    """Values near 1 with narrow intervals have five decimals in tables, three digits in words."""
    rng = np.random.default_rng(3)
    values = {name: 0.97 + 1e-4 * rng.random((methods, edits, 1)) for name in ("ssim", "psnr")}
    states = np.zeros((methods, edits, 1), int)
    states[0, 0] = 1
    run = drawn_run(values, states, better=dict.fromkeys(values, "higher"), videos=videos)
    summary = summarize(run, HOW)
    labels = {label: False for label in run.methods}
    glance = glance_part(metric_columns(summary), labels, marks(run), len(run.edits))
    said = summary_sentences(summary)
    parts = [glance, *metric_parts(summary)]
    tables = [*all_tables(summary), *bounds_tables(summary)]
    texts = [*said, *texts_of(parts), *(text for one in tables for text in tables_of(one))]
    assert "All 1" not in said[1]
    texts += [idle(run), notes(run), caution(summary), remarks_html(None)]
    assert [text for text in texts if ONE.search(text)] == []
    for text in [*said, *(text for part in parts for text in part.found)]:
        assert max(map(significant, NUMBER.findall(text)), default=0) <= 3, text


def test_numbers_in_sentences_have_three_digits_at_most() -> None:
    """0.97369 [0.94386, 0.99644] stood in a sentence. A lead that rounds to nothing shows."""
    shown = said_interval(Interval(0.94386, 0.97369, 0.99644), 5)
    assert shown == "0.974 [0.944, 0.996]"
    assert said_interval(Interval(22.04, 26.31, 30.29), 1) == "26.3 [22.0, 30.3]"
    assert (
        said_interval(Interval(-0.0429, 0.0042, 0.0581), 3) == "0.004 [\N{MINUS SIGN}0.043, 0.058]"
    )
    assert said_interval(Interval(12011.0, 12345.6, 13001.0), 0) == "12300 [12000, 13000]"
    assert said_interval(Interval(-1.5, 0.00012, 1.5), 3).startswith("0.0001 [")
    assert said_interval(Interval(np.nan, 0.5, np.nan), 2) == "0.50 [one video]"
