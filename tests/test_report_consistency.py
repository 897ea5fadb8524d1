"""Every sentence, bold face, rank, cluster and front of a report is read back and worked out anew.

Tables are drawn with gaps, partial clips, refusals, ties, constant columns, seeds and anchors. What
is expected is worked out by `Truth` with loops and numpy alone, from the drawn values.
"""

import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from drawn_run import STATES, drawn_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.metrics.alone import metric_parts
from reports.metrics.results import axis_table, category_table, mean_bounds
from reports.metrics.sentences import summary_sentences
from reports.metrics.trade_off import pareto
from reports.summary import IntervalSettings, RunSummary, summarize

AXES = {"fid_a": "fidelity", "fid_b": "fidelity", "ali": "alignment"}
NAMES = ("ma", "mb", "mc", "md", "me")
WHOLE, PARTIAL, UNDEFINED = (STATES.index(name) for name in ("ok", "partial", "undefined"))
HOW = IntervalSettings(resamples=100)
NUMBER = r"\N{MINUS SIGN}?[\d.]+"
METRIC = "(?:fid_a|fid_b|ali)"
LEAD = rf"(\bm[a-e]|\bit) is ({NUMBER}) \[.*?\] ahead of (m[a-e])(?: \((\d+) edit)?"
ENDS = (("-inf", "inf"), ("0", "inf"), ("-5", "5"))


class Truth:
    """One metric of a drawn run: who is ahead of whom, worked out from the drawn values."""

    def __init__(self, drawn: dict[str, Any], metric: str) -> None:
        self.values, self.states = drawn["values"][metric], drawn["states"]
        self.sign = 1 if drawn["better"][metric] == "higher" else -1
        self.competing = NAMES[: len(self.values) - drawn["anchors"]]
        seen = self.values[np.isin(self.states, (WHOLE, PARTIAL))]
        low, high = map(float, drawn["bounds"][metric])
        self.low = low if np.isfinite(low) else seen.min(initial=np.inf)
        self.high = high if np.isfinite(high) else seen.max(initial=-np.inf)
        width = high - low if np.isfinite(high - low) else 0.0
        size = [width, *([np.ptp(seen), np.abs(seen).max()] if seen.size else [])]
        self.near = 1e-9 * max(size)

    def value(self, method: str, edit: int) -> float | None:
        """Return the mean over seeds of whole clips."""
        m = NAMES.index(method)
        there = [v for v, s in zip(self.values[m, edit], self.states[m, edit], strict=True)
                 if s == WHOLE]  # fmt: skip
        return float(np.mean(there)) if there else None

    def edits(self, *methods: str) -> list[int]:
        """Return the edits on which all of them have a value."""
        every = range(self.values.shape[1])
        return [e for e in every if all(self.value(m, e) is not None for m in methods)]

    def due(self, edit: int) -> bool:
        """Return whether there should be values: somebody has one, or nobody could be measured."""
        states = self.states[:, edit]
        return bool(np.isin(states, (WHOLE, PARTIAL)).any() or not (states == UNDEFINED).any())

    def filled(self, method: str, edit: int, end: float) -> float:
        m = NAMES.index(method)
        pairs = zip(self.values[m, edit], self.states[m, edit], strict=True)
        return float(np.mean([v if s == WHOLE else end for v, s in pairs]))

    def worst(self, method: str, edit: int) -> float:
        return self.filled(method, edit, self.low if self.sign > 0 else self.high)

    def gap(self, a: str, b: str, edits: list[int]) -> float:
        """Return how far a is ahead of b, more being better."""
        pairs = [(self.value(a, e), self.value(b, e)) for e in edits]
        return self.sign * float(np.mean([one - other for one, other in pairs]))  # type: ignore[operator]

    def ranks(self, methods: list[str]) -> dict[str, int]:
        """Return ranks; whoever is as good as the first of a rank shares it."""
        on, found = self.edits(*methods), {}
        left = list(methods)
        while left:
            first = next(m for m in left if all(self.gap(m, o, on) >= 0 for o in left))
            equal = [m for m in left if self.gap(first, m, on) <= self.near]
            found |= dict.fromkeys(equal, 1 + len(found))
            left = [m for m in left if m not in equal]
        return found

    def stays(self, a: str) -> bool:
        """Return whether a is behind nobody when its gaps are at the worst."""
        for b in self.competing:
            on = self.edits(b)
            if b == a or not on:
                continue
            gaps = [self.worst(a, e) - self.value(b, e) for e in on]  # type: ignore[operator]
            if self.sign * np.mean(gaps) < -self.near:
                return False
        return True


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a run: few levels make ties; a metric may be constant, differ by rounding, be tiny."""
    methods, edits = draw(st.integers(2, 5)), draw(st.integers(1, 7))
    seeds, anchors = draw(st.integers(1, 2)), draw(st.integers(0, 1))
    if methods - anchors < 1:
        anchors = 0
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (methods, edits, seeds)
    holes = draw(st.sampled_from((0.0, 0.1, 0.3, 0.6)))
    codes = rng.choice(len(STATES), p=[1 - holes, *[holes / 5] * 5], size=shape)
    if draw(st.booleans()):
        codes[rng.integers(methods), rng.random(edits) < 0.7] = STATES.index("failed")
    kinds = ("levels", "continuous", "constant", "rounding", "tiny")
    values = {name: _values(rng, shape, draw(st.sampled_from(kinds))) for name in AXES}
    return {
        "values": values,
        "states": codes,
        "better": {name: draw(st.sampled_from(("higher", "lower"))) for name in AXES},
        "bounds": {
            name: draw(st.sampled_from((("-inf", "inf"), ("0", "inf"), ("-5", "5"))))
            for name in AXES
        },
        "anchors": anchors,
        "videos": draw(st.integers(1, edits)),
    }


def _values(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    if kind == "levels":
        return rng.integers(0, 3, shape) / 2
    if kind == "constant":
        return np.full(shape, 0.7)
    if kind == "rounding":
        return 0.7 + 1e-12 * rng.normal(size=shape)
    found = rng.random(shape) + rng.random((shape[0], 1, 1))
    return found * (1e-7 if kind == "tiny" else 1.0)


def summary_of(drawn: dict[str, Any]) -> RunSummary:
    more = {k: drawn[k] for k in ("better", "bounds", "anchors", "videos")}
    return summarize(drawn_run(drawn["values"], drawn["states"], axis=AXES, **more), HOW)


def names_in(text: str) -> list[str]:
    return re.findall(r"\bm[a-e]\b", text)


def number_in(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-"))


def check_sentence(truth: Truth, text: str, metric: str, ranked: list[str]) -> None:
    """Check what a sentence on an axis says of the methods, on the edits of the ranked ones."""
    on = truth.edits(*ranked) if len(ranked) > 1 else []
    if said := re.search(
        rf": ([^.]*?) (has|share) the (highest|lowest) mean {metric}(.*?), ", text
    ):
        named = names_in(said[1])
        assert (said[2] == "has") == (len(named) == 1)
        assert (said[3] == "highest") == (truth.sign > 0)
        best = [m for m in ranked if all(truth.gap(m, o, on) >= -truth.near for o in ranked)]
        assert sorted(named) == sorted(best)
        if count := re.search(r"on the (\d+) edit", said[4]):
            assert int(count[1]) == len(on)
    for one in re.finditer(LEAD, text):
        first = named[0] if one[1] == "it" else one[1]
        edits = truth.edits(first, one[3]) if one[4] else on
        assert one[4] is None or int(one[4]) == len(edits)
        gap = truth.gap(first, one[3], edits)
        assert gap > truth.near
        assert number_in(one[2]) == pytest.approx(gap, rel=0.5, abs=1e-3)
    for a, b in re.findall(r"(m[a-e]) and (m[a-e]) have the same mean", text):
        assert abs(truth.gap(a, b, truth.edits(a, b))) <= truth.near
    for name in re.findall(r"(m[a-e]) is not called best", text):
        assert not truth.stays(name)
    if anchors := re.search(r"Anchors with a better mean: ([^.]*)\.", text):
        for anchor in names_in(anchors[1]):
            shared = [
                e for e in (on or truth.edits(ranked[0])) if truth.value(anchor, e) is not None
            ]
            assert (
                truth.gap(anchor, named[0] if len(ranked) > 1 else ranked[0], shared) > truth.near
            )


def check_table(truth: Truth, summary: RunSummary, metric: str, ranked: list[str]) -> None:
    """Check bold faces, and that the numbers stand in the order of the ranks."""
    table = axis_table(summary, AXES[metric])
    column = [head.text for head in table.head].index(metric)
    cells = {row.label: row.cells[column] for row in table.rows}
    on = truth.edits(*ranked) if len(ranked) > 1 else []
    bold = {label for label, cell in cells.items() if cell.best}
    leading = (
        [m for m in ranked if all(truth.gap(m, o, on) >= -truth.near for o in ranked)] if on else []
    )
    assert bold == {m for m in leading if truth.stays(m)}
    shown = {m: truth.sign * number_in(cells[m].main) for m in ranked if on}
    for a, b in combinations(shown, 2):
        gap = truth.gap(a, b, on)
        assert abs(gap) <= truth.near or (shown[a] - shown[b]) * gap >= 0
    for label in truth.competing:
        due = [e for e in range(truth.values.shape[1]) if truth.due(e)]
        if due and np.isfinite(truth.low) and np.isfinite(truth.high):
            ends = [
                np.mean([truth.filled(label, e, end) for e in due])
                for end in (truth.low, truth.high)
            ]
            found = mean_bounds(summary, label, metric)
            assert found == pytest.approx(
                ends if truth.sign > 0 else ends[::-1], rel=1e-9, abs=1e-12
            )


def check_categories(truth: Truth, summary: RunSummary, metric: str, ranked: list[str]) -> None:
    """Check that means of ranked methods in a category are over the same edits."""
    table = category_table(summary, metric)
    on = truth.edits(*ranked)
    for row in table.rows:
        for place, head in enumerate(table.head[: len(summary.run.categories)]):
            edits = [e for e in on if f"c{e % 2}" == head.text]
            if row.label in ranked and edits:
                mean = np.mean([truth.value(row.label, e) for e in edits])  # type: ignore[type-var]
                shown = row.cells[place].main
                unit = 10.0 ** -len(shown.partition(".")[2])
                assert number_in(shown) == pytest.approx(mean, abs=0.501 * unit)


def check_rankings(truths: dict[str, Truth], summary: RunSummary) -> None:
    """Check ranks, clusters and p of the CSV, and the sentences on metrics alone."""
    for part in metric_parts(summary):
        frame = dict(part.frames)["metric_rankings"]
        for metric, rows in frame.groupby("metric"):
            truth = truths[str(metric)]
            rows = rows[rows["rank"].notna()]
            on = truth.edits(*rows["method"])
            assert dict(zip(rows["method"], rows["rank"], strict=True)) == truth.ranks(
                list(rows["method"])
            )
            for (_, a), (_, b) in combinations(rows.iterrows(), 2):
                gap = truth.gap(a["method"], b["method"], on)
                assert a["cluster"] == b["cluster"] or (a["cluster"] < b["cluster"]) == (gap > 0)
        for text in part.found:
            check_firsts(truths, text, frame)
        for table in part.folded:
            if table.name.startswith("metric_rankings"):
                for row in table.rows:
                    assert all(truths[row.label].stays(c.main) for c in row.cells if c.best)


def check_firsts(truths: dict[str, Truth], text: str, frame: Any) -> None:
    axis = text.split(" by ")[0].lower()
    metrics = [name for name, of in AXES.items() if of == axis and name in set(frame["metric"])]
    first = {
        n: set(frame[(frame["metric"] == n) & (frame["rank"] == 1)]["method"]) for n in metrics
    }
    if said := re.search(r"(?:All \d+|Both) metrics put (.*?) first", text):
        assert all(set(names_in(said[1])) == names for names in first.values())
    if said := re.search(r"By the means, (.*?);", text):
        puts = rf"((?:{METRIC}(?:, | and )?)+) puts? ((?:m[a-e](?:, | and )?)+)"
        assert re.search(puts, said[1])
        for which, who in re.findall(puts, said[1]):
            for name in re.findall(METRIC, which):
                assert set(names_in(who)) == first[name]
    for metric, who in re.findall(rf"by ({METRIC}), ([^;]*?) (?:is|are) not called best", text):
        assert names_in(who)
        assert not any(truths[metric].stays(name) for name in names_in(who))
    said = re.search(r"; ([^;]*?) puts? one method significantly ahead of all others", text)
    assert said
    few = {"neither": 0, "none of them": 0, "one of them": 1, "both": 2}
    alone = few[said[1]] if said[1] in few else int(re.findall(r"\d+", said[1])[0])
    settled = [n for n in metrics if len(first[n]) == 1 and truths[n].stays(next(iter(first[n])))]
    assert alone <= len(settled)


def check_front(truths: dict[str, Truth], summary: RunSummary, x: str, y: str) -> None:
    """Check that no method on the front is beaten by another on the edits of the ranked ones."""
    both = [set(summary.ranking(name)) for name in (x, y)]
    if any(summary.alone(name) for name in (x, y)):
        return
    on = {name: truths[name].edits(*ranked) for name, ranked in zip((x, y), both, strict=True)}
    members = pareto(summary, x, y).members

    def beats(a: str, b: str) -> bool:
        gaps = [truths[n].gap(a, b, on[n]) / (truths[n].near or 1e-300) for n in (x, y)]
        return min(gaps) >= -1 and max(gaps) > 1

    for m in both[0] & both[1]:
        assert (m in members) == (not any(beats(o, m) for o in both[0] & both[1] if o != m))


def check(drawn: dict[str, Any]) -> None:
    summary = summary_of(drawn)
    truths = {name: Truth(drawn, name) for name in AXES}
    sentences = summary_sentences(summary)
    for axis in ("alignment", "fidelity"):
        metric = summary.headline(axis)
        text = next((s for s in sentences if s.lower().startswith(f"{axis}:")), None)
        if metric and text:
            check_sentence(truths[metric], text, metric, summary.ranking(metric))
    for metric, axis in AXES.items():
        if metric in [facts.name for facts in summary.run.on_axis(axis)]:
            check_table(truths[metric], summary, metric, summary.ranking(metric))
            if len(summary.ranking(metric)) > 1:
                check_categories(truths[metric], summary, metric, summary.ranking(metric))
    check_rankings(truths, summary)
    if any(s.startswith("Trade-off") for s in sentences):
        check_front(truths, summary, *(str(summary.headline(a)) for a in ("alignment", "fidelity")))


SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}


@pytest.mark.slow
@given(runs())
@settings(max_examples=12, derandomize=True, **SETTINGS)
def test_no_two_places_of_a_report_contradict_each_other(drawn: dict[str, Any]) -> None:
    check(drawn)


def test_equality_of_three_that_is_none_of_two_follows_the_first() -> None:
    """Means 14, 7 and 0 billionths of a scale of 10 wide: the middle one equals either other."""
    means = np.array([14e-9, 7e-9, 0.0, 1.0])
    values = {name: means[:, None, None] + np.zeros((4, 2, 1)) for name in AXES}
    check(
        {
            "values": values, "states": np.zeros((4, 2, 1), int), "anchors": 0, "videos": 2,
            "better": dict.fromkeys(AXES, "higher"), "bounds": dict.fromkeys(AXES, ("-5", "5")),
        }
    )  # fmt: skip


@pytest.mark.slow
@given(runs())
@settings(max_examples=120, **SETTINGS)
def test_no_two_places_contradict_each_other_in_many_draws(drawn: dict[str, Any]) -> None:
    check(drawn)
