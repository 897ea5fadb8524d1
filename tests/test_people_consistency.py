"""Every sentence and bold face about raters' scores is read back, of studies with missing items.

Expected: worked out by `Scores` from the rows of the export with loops and numpy alone.
"""

import re
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fabricated_export import drawn, made_up
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reports.people.comparisons import comparisons_part
from reports.people.mos import mos_part
from reports.people.outcome import People, people_of
from reports.people.panel import panel_part
from reports.summary import IntervalSettings

QUESTIONS = ("alignment", "fidelity", "quality")
NEAR = 4e-9  # of the scale from 1 to 5
THRESHOLD = 2.5
NUMBER = r"\N{MINUS SIGN}?[\d.]+"
UNIT = "(?: percentage)?(?: points)?"
SETTINGS: dict[str, Any] = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "database": None,
    "phases": (Phase.generate,)
}  # fmt: skip


class Scores:
    """What one topic says of each method on each edit, from the long table."""

    def __init__(self, long: pd.DataFrame, topic: str) -> None:
        own = long[(long["kind"] == "rating") & ~long["excluded"]]
        items = own.groupby(["method", "edit", "question"])["value"].mean().unstack("question")
        self.success, self.source = (
            topic == "success",
            dict(zip(own["edit"], own["video"], strict=True)),
        )
        if self.success:
            whole = items.dropna()
            found = (whole[list(QUESTIONS)] > THRESHOLD).all(axis=1).astype(float)
        else:
            found = items[topic].dropna()
        self.values = {(str(m), str(e)): float(v) for (m, e), v in found.items()}
        self.methods = sorted({m for m, _ in self.values})
        self.edits = sorted({e for _, e in self.values})

    def on(self, *methods: str) -> list[str]:
        return [e for e in self.edits if all((m, e) in self.values for m in methods)]

    def mean(self, numbers: dict[str, float]) -> float:
        """Return the mean of source means; of success, of edits."""
        if self.success:
            return float(np.mean([*numbers.values()]))
        by: dict[str, list[float]] = {}
        for edit, number in numbers.items():
            by.setdefault(self.source[edit], []).append(number)
        return float(np.mean([np.mean(several) for several in by.values()]))

    def gap(self, a: str, b: str, edits: list[str]) -> float:
        return self.mean({e: self.values[a, e] - self.values[b, e] for e in edits})

    def stays(self, a: str) -> bool:
        """Return whether a is behind nobody with 1, or no success, where raters did not see it."""
        worst = 0.0 if self.success else 1.0
        for b in self.methods:
            on = self.on(b)
            gaps = {e: self.values.get((a, e), worst) - self.values[b, e] for e in on}
            if b != a and on and self.mean(gaps) < -NEAR:
                return False
        return True


@st.composite
def studies(draw: st.DrawFn) -> dict[str, Any]:
    methods = draw(st.integers(2, 5))
    return {
        "methods": methods,
        "effects": [draw(st.sampled_from((-1.0, 0.0, 0.0, 0.8))) for _ in range(methods)],
        "noise": draw(st.sampled_from((0.0, 0.4, 1.0))),
        "raters": draw(st.integers(2, 6)),
        "sources": draw(st.integers(1, 6)),
        "missing": draw(st.sampled_from((0.0, 0.15, 0.5))),
        "unanswered": draw(st.sampled_from((0.0, 0.0, 0.2))),
        "excluded": draw(st.sampled_from(([], [], [0]))),
        "seed": draw(st.integers(0, 2**16)),
    }


def study_of(drawn_: dict[str, Any], folder: Any) -> People | None:
    names = ("mc", "ma", "mb", "me", "md")[: drawn_["methods"]]
    vote = drawn(drawn_["effects"], noise=drawn_["noise"], bias=0.3, seed=drawn_["seed"])
    export = made_up(
        folder, vote, methods=names, raters=drawn_["raters"], sources=drawn_["sources"],
        excluded=drawn_.get("excluded", []),
    )  # fmt: skip
    rng, long = np.random.default_rng(drawn_["seed"]), export.long
    items = long[["method", "edit"]].apply(tuple, axis=1)
    every = sorted(set(items[long["kind"] == "rating"]))
    lost = {item for item in every if rng.random() < drawn_["missing"]}
    silent = rng.random(len(long)) < drawn_.get("unanswered", 0.0)
    left = long[~items.isin(lost) & ~silent]
    own = left[(left["kind"] == "rating") & ~left["excluded"]]
    if set(own["question"]) != set(QUESTIONS):
        return None
    return people_of(replace(export, long=left), IntervalSettings(resamples=100))


def check(people: People) -> None:
    part, panel = mos_part(people), panel_part(people)
    frame = dict(part.frames)["mos"]
    frame = frame[frame["who"] == "without excluded"]
    for topic in (*people.questions, "success"):
        truth = Scores(people.export.long, topic)
        rows = frame[(frame["score"] == topic) & frame["rank"].notna()]
        ranks = dict(zip(rows["method"], rows["rank"], strict=True))
        on = truth.on(*ranks) if ranks else []
        for a, b in combinations(ranks, 2):
            gap = truth.gap(a, b, on)
            assert (ranks[a] == ranks[b]) == (abs(gap) <= NEAR)
            assert (ranks[a] < ranks[b]) == (gap > NEAR)
        check_bold(part.tables[0], topic, truth, ranks, on)
        text = next(said for said in part.found if said.startswith(f"{topic.capitalize()}:"))
        check_sentence(text, truth, ranks, on)
        for said in panel.found if panel else ():
            if said.startswith(f"{topic.capitalize()}, for "):
                check_sentence(said.split("; for raters like these")[0], truth, ranks, on)
        check_pairs(people, topic, truth, ranks, on)


def check_bold(table: Any, topic: str, truth: Scores, ranks: dict[str, int], on: list[str]) -> None:
    column = [head.text for head in table.head].index(topic)
    bold = {row.label for row in table.rows if row.cells[column].best}
    top = [a for a in ranks if all(truth.gap(a, b, on) >= -NEAR for b in ranks)]
    assert bold == {a for a in top if truth.stays(a)}
    letters = {row.label: row.cells[column].mark for row in table.rows if row.label in ranks}
    for a, b in combinations(letters, 2):
        if letters[a] and letters[b] and not set(letters[a]) & set(letters[b]):
            assert (min(letters[a]) < min(letters[b])) == (truth.gap(a, b, on) > 0)


def claims_of_the_highest(text: str) -> list[tuple[str, str, str]]:
    """Return (ahead, behind, by how much) of what is said of one of many beside whom it beats."""
    verbs = "beats|succeeds more often than|is not significantly ahead of|does not succeed signif"
    one = re.search(rf"(m[a-e])(?: has the highest [^;]*)? (?:{verbs})", text)
    named = rf"(m[a-e]) \(({NUMBER}){UNIT} \["
    lead, *lags = (
        [pair for part in re.findall(start + " ([^;]*)", text) for pair in re.findall(named, part)]
        for start in (
            "its (?:leads? over|largest lead(?: of these)? is over)",
            "it trails",
            "it (?:is behind|succeeds less often than)",
        )
    )
    top = one[1] if one else ""
    return [(top, b, x) for b, x in lead] + [(b, top, x) for lag in lags for b, x in lag]


def check_sentence(text: str, truth: Scores, ranks: dict[str, int], on: list[str]) -> None:
    """Check every "a beats b by x", "the difference of a and b (x", "a is highest"."""
    claims = []
    for first, rest in re.findall(r"(m[a-e]) (?:beats|succeeds more often than) ([^;]*)", text):
        claims += [(first, b, x) for b, x in re.findall(rf"(m[a-e])(?:,)? by ({NUMBER})", rest)]
    claims += re.findall(rf"between (m[a-e]) and (m[a-e]) \(({NUMBER}){UNIT} \[", text)
    claims += claims_of_the_highest(text)
    assert bool(claims) == ("points [" in text), "every number in a sentence is checked"
    if "othing differs: every method" in text:
        edits = {a: on if a in ranks else truth.on(a) for a in truth.methods}
        values = [{e: truth.values[a, e] for e in edits[a]} for a in edits]
        assert np.ptp([truth.mean(of) for of in values]) < NEAR
    for a, b, x in claims:
        gap = truth.gap(a, b, on if a in ranks and b in ranks else truth.on(a, b))
        shown = float(x.replace("\N{MINUS SIGN}", "-")) / (100 if truth.success else 1)
        assert shown == pytest.approx(gap, abs=0.0051) and gap > -NEAR
    for named in re.findall(r"((?:m[a-e](?:, | and )?)+) (?:has|share) the highest", text):
        top = {a for a in ranks if all(truth.gap(a, b, on) >= -NEAR for b in ranks)}
        assert set(re.findall(r"m[a-e]", named)) == top


def check_pairs(
    people: People, topic: str, truth: Scores, ranks: dict[str, int], on: list[str]
) -> None:
    """Check the differences of the table of pairs, which no other place may contradict."""
    part = comparisons_part(people)
    frame = dict(part.frames)["comparisons"] if part else pd.DataFrame(columns=["question"])
    for _, row in frame[frame["question"] == topic].iterrows():
        both = on if row["a"] in ranks and row["b"] in ranks else truth.on(row["a"], row["b"])
        assert row["edits"] == len(both)
        if np.isfinite(row["mid"]):
            assert row["mid"] == pytest.approx(truth.gap(row["a"], row["b"], both), abs=1e-9)


@pytest.mark.slow
@given(studies())
@settings(max_examples=5, derandomize=True, **SETTINGS)
def test_sentences_and_bold_faces_about_raters_agree(
    tmp_path_factory: pytest.TempPathFactory, drawn_: dict[str, Any]
) -> None:
    if found := study_of(drawn_, tmp_path_factory.mktemp("export")):
        check(found)


@pytest.mark.slow
def test_a_method_that_is_not_ranked_is_compared_on_all_that_both_have(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """`ma` has four edits in common with `mc`, of which two are among the five of `mb` and `mc`.

    By hand: mc is behind by .25 on one source, ahead by .25 and by (1 + .5) / 2 on two: .25.
    """
    study = {"methods": 3, "effects": [0.8] * 3, "noise": 1.0, "raters": 4, "sources": 4}
    found = study_of(study | {"missing": 0.15, "seed": 1398}, tmp_path_factory.mktemp("export"))
    assert found
    check(found)
    text = mos_part(found).found[0]
    assert "between mc and ma (0.25 points [" in text
    assert text.endswith(
        " (on the 5 edits that all ranked methods have; ma is not ranked, and pairs with it are "
        "compared on the edits that both have)."
    )
    pairs = comparisons_part(found)
    assert pairs and "in a pair with one that is not ranked, both" in pairs.tables[0].caption


@pytest.mark.slow
@given(studies())
@settings(max_examples=80, **SETTINGS)
def test_sentences_and_bold_faces_about_raters_agree_in_many_draws(
    tmp_path_factory: pytest.TempPathFactory, drawn_: dict[str, Any]
) -> None:
    if found := study_of(drawn_, tmp_path_factory.mktemp("export")):
        check(found)
