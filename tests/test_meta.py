"""Gold data: ratings with scores of metrics beside them, and a new metric's place among them."""

import csv
import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dreamix.core.errors import UserError
from reports.meta.cli import meta
from reports.meta.gold import read_gold

METHODS = ("a", "b", "c")
EDITS = [f"s{source}_{turn}" for source in range(6) for turn in range(2)]
FAST = ("--resamples", "100")


def merit(edit: int, method: int) -> int:
    """The vote that everybody gives: the order of the methods turns with the edit, 1 to 3."""
    return 1 + (method + edit) % 3


def write(path: Path, head: str, rows: list[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head.split(","), *rows])
    return path


def cells() -> list[tuple[str, str, int]]:
    return [(e, m, merit(i, k)) for i, e in enumerate(EDITS) for k, m in enumerate(METHODS)]


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """Two raters of one mind; a metric that follows them, one that does the opposite."""
    votes = [(e, m, who, "q", v, e[:2]) for e, m, v in cells() for who in ("ann", "ben")]
    ratings = write(tmp_path / "votes.csv", "edit,method,rater,question,value,source", votes)
    rows = [(e, m, "follows", v / 10) for e, m, v in cells()]
    rows += [(e, m, "against", v) for e, m, v in cells()]
    scores = write(tmp_path / "scores.csv", "edit,method,metric,value", rows)
    out = tmp_path / "gold"
    options = ("--scale", "1:5", "--scores", scores, "--lower", "against", "--out", out)
    done = call("import", "csv", ratings, *options)
    assert done.exit_code == 0, done.output
    assert "2 metrics; less is better of against" in done.output
    return out


def call(*arguments: object) -> Result:
    return CliRunner().invoke(meta, [str(one) for one in arguments])


def said(*arguments: object) -> str:
    done = call(*arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def refused(*arguments: object) -> str:
    done = call(*arguments)
    assert isinstance(done.exception, UserError), done.output
    return "\n".join(done.exception.lines)


def test_what_follows_comes_first_and_its_opposite_last(gold: Path) -> None:
    """No pair is tied, so a metric of the same order has acc_eq 1, one of the reverse 0: ties with
    everything would have 0 too. Knowing the method says nothing: each is first as often."""
    text = said("rank", gold, *FAST)
    lines = [line.split() for line in text.splitlines()]
    assert ["1", "follows", "1.000", "[1.000,", "1.000]"] in lines
    assert ["2", "against", "0.000", "[0.000,", "0.000]"] in [line[:5] for line in lines]
    assert "single raters (2) against the others: 1.000" in text


def test_a_new_metric_gets_its_place(gold: Path, tmp_path: Path) -> None:
    """Right on two thirds of the pairs: it sees that 3 is best, and not which of 1 and 2 is."""
    rows = [(e, m, int(v == 3)) for e, m, v in cells()]
    table = write(tmp_path / "new.csv", "edit,method,value", rows)
    text = said("add-metric", gold, table, "--name", "mine", "--better", "higher", *FAST)
    assert "mine is 2 of 3, in cluster 2 of 3: 0.667 [0.667, 0.667]" in text
    assert {one.name for one in read_gold(gold).metrics} == {"follows", "against", "mine"}
    assert "has mine already: --replace" in refused(
        "add-metric", gold, table, "--name", "mine", "--better", "higher"
    )
    flipped = write(tmp_path / "new.csv", "edit,method,value", [(e, m, -v) for e, m, v in rows])
    text = said(
        "add-metric", gold, flipped, "--name", "mine", "--better", "higher", "--replace", *FAST
    )
    assert "mine is 2 of 3, in cluster 2 of 2: 0.000" in text  # as bad as the last
    assert len(read_gold(gold).metrics) == 3


def test_sums_hold_after_a_metric_is_added(gold: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "new.csv", "edit,method,value", cells())
    said("add-metric", gold, table, "--name", "mine", "--better", "higher", *FAST)
    for line in (gold / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((gold / name).read_bytes()).hexdigest() == digest


def test_two_metrics_are_compared(gold: Path) -> None:
    """Six sources whose order all swaps change: 2 of 64 swaps are as far apart, p near 1/32."""
    text = said("compare", gold, "follows", "against", *FAST)
    assert text.startswith("q: follows follows people better than against: follows 1.000")
    assert "no metric 'folows' on q, did you mean follows?" in refused(
        "compare", gold, "folows", "against"
    )


def test_all_numbers_are_in_a_table(gold: Path, tmp_path: Path) -> None:
    said("rank", gold, "--csv", tmp_path / "ranks.csv", *FAST)
    with (tmp_path / "ranks.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {row["name"]: float(row["value"]) for row in rows}
    assert found == {"follows": pytest.approx(1), "against": pytest.approx(0)}
    assert {row["statistic"] for row in rows} == {"acc_eq"} and rows[0]["question"] == "q"


def test_a_metric_of_a_few_edits_has_no_place(gold: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "new.csv", "edit,method,value", cells()[:6])
    text = said("add-metric", gold, table, "--name", "few", "--better", "higher", *FAST)
    assert "few has no place: it has values for too few edits" in text


def test_a_name_means_one_metric_of_a_question(gold: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "new.csv", "edit,method,value", cells())
    options = ("--name", "follows", "--better", "higher", "--question", "q")
    assert "two metrics are called follows, of every question and q" in refused(
        "add-metric", gold, table, *options
    )


@pytest.mark.parametrize("statistic", ["pearson", "spearman", "kendall"])
def test_other_statistics_rank_as_well(gold: Path, statistic: str) -> None:
    text = said("rank", gold, "--statistic", statistic, *FAST)
    places = [line.split()[1] for line in text.splitlines() if line.startswith("  ")]
    assert places.index("follows") < places.index("against")


HEAD = "edit,method,metric,value"


@pytest.mark.parametrize(
    ("head", "row", "told"),
    [
        (HEAD, ("s9_0", "a", "m", 1), "new.csv:2: no edit 's9_0' was rated"),
        (HEAD, ("s0_0", "d", "m", 1), "new.csv:2: no method 'd' was rated"),
        (HEAD, ("s0_0", "a", "m", "1_0"), "new.csv:2: '1_0' is no number"),
        (HEAD, ("s0_0", "a", "../m", 1), "cannot name a file: it holds /"),
        (HEAD, ("s0_0", "a", "m"), "new.csv:2: 3 cells here, 4 in the first line"),
        ("edit,method,value", ("s0_0", "a", 1), "lacks the column metric"),
        (f"{HEAD},direction", ("s0_0", "a", "m", 1, "up"), "'up' of m should be higher or lower"),
        (f"{HEAD},question", ("s0_0", "a", "m", 1, "x"), "new.csv:2: no question 'x' was rated"),
        (f"{HEAD},colour", ("s0_0", "a", "m", 1, "red"), "unknown column 'colour'"),
    ],
)
def test_damaged_scores_are_refused(
    gold: Path, tmp_path: Path, head: str, row: tuple[object, ...], told: str
) -> None:
    before = (gold / "scores.csv").read_bytes()
    table = write(tmp_path / "new.csv", head, [row])
    more = () if "direction" in head else ("--better", "higher")
    assert told in refused("add-metric", gold, table, *more)
    assert (gold / "scores.csv").read_bytes() == before


def test_all_mistakes_of_scores_are_told_at_once(gold: Path, tmp_path: Path) -> None:
    rows = [("s0_0", "a", "m", 1), ("s0_0", "a", "m", 2), ("s9", "a", "m", "x")]
    told = refused("add-metric", gold, write(tmp_path / "new.csv", HEAD, rows), "--better", "lower")
    assert "new.csv:3: m of 's0_0' by a stands twice" in told
    assert told.count("new.csv:4:") == 2


def test_names_and_origins_survive_any_number_of_rewritings(gold: Path, tmp_path: Path) -> None:
    """An apostrophe keeps them from being formulas in the file (OWASP); it is no part of them."""
    rows = [(e, m, v) for e, m, v in cells()]
    table = write(tmp_path / "new.csv", "edit,method,value", rows)
    given = ("--better", "higher", "--source", "=1+1, -2", *FAST)
    for extra in ((), ("--replace",), ("--replace",)):
        said("add-metric", gold, table, "--name", "mine -fast", *given, *extra)
    assert '"mine \'-fast"' in (gold / "scores.csv").read_text()
    found = read_gold(gold).metrics
    assert [(one.name, one.origin) for one in found if one.name.startswith("mine")] == [
        ("mine -fast", "=1+1, -2")
    ]


@pytest.mark.parametrize("value", ["-nan", "nan", ""])
def test_a_metric_without_a_value_is_refused_and_not_lost(
    gold: Path, tmp_path: Path, value: str
) -> None:
    table = write(tmp_path / "new.csv", "edit,method,value", [(e, m, value) for e, m, _ in cells()])
    told = refused("add-metric", gold, table, "--name", "mine", "--better", "higher")
    assert "has no value of mine: leave it out" in told


def test_one_mistake_in_every_row_is_one_line(gold: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "new.csv", "edit,method,value", [(e, m, 1) for e, m, _ in cells()])
    told = refused("add-metric", gold, table, "--name", "mine")
    assert told.endswith(
        "new.csv:2: no direction of mine: --better higher, or lower, says which way is good "
        "(36 rows)"
    )


def test_a_number_whose_square_is_none_is_refused(gold: Path, tmp_path: Path) -> None:
    rows = [(e, m, "1e300" if m == "a" else "9" * 5000) for e, m, _ in cells()]
    table = write(tmp_path / "new.csv", "edit,method,value", rows)
    told = refused("add-metric", gold, table, "--name", "mine", "--better", "higher")
    assert "new.csv:2: '1e300' is beyond 1e+100 (12 rows)" in told and "is beyond" in told


def test_of_several_parts_the_smallest_counts_and_none_without_one(tmp_path: Path) -> None:
    ratings = [(e, m, "r", "q", 1) for e in ("s_1_1.jpg", "s_1_2.jpg") for m in "ab"]
    path = write(tmp_path / "t-ratings.csv", "edit,method,rater,question,value", ratings)
    rows = [("s_1_1.jpg", "a", "judge", "q", 0, 7), ("s_1_1.jpg", "a", "judge", "q", 1, 4),
            ("s_1_2.jpg", "a", "judge", "q", 0, 5), ("s_1_2.jpg", "a", "judge", "q", 1, ""),
            ("s_1_1.jpg", "a", "LPIPS", "", 0, 0.3)]  # fmt: skip
    write(tmp_path / "t-scores.csv", "edit,method,metric,question,part,value", rows)
    said("import", "viescore", path, "--scale", "0:1", "--out", tmp_path / "gold")
    found = {one.name: one for one in read_gold(tmp_path / "gold").metrics}
    assert found["judge"].values == {("s_1_1.jpg", "a"): 4}
    assert (found["LPIPS"].better, found["LPIPS"].question) == ("lower", "")
    assert set(read_gold(tmp_path / "gold").export.own["video"]) == {"s_1"}


def test_without_a_metric_there_is_nothing_to_rank(tmp_path: Path) -> None:
    votes = [(e, m, "r", "q", v) for e, m, v in cells()]
    path = write(tmp_path / "v.csv", "edit,method,rater,question,value", votes)
    said("import", "csv", path, "--scale", "1:5", "--out", tmp_path / "gold")
    for command in (("rank", tmp_path / "gold"), ("compare", tmp_path / "gold", "a", "b")):
        assert "has no metric: `dreamix meta add-metric` adds one" in refused(*command)


def test_means_alone_have_no_ceiling(tmp_path: Path) -> None:
    votes = [(e, m, "q", v) for e, m, v in cells()]
    path = write(tmp_path / "v.csv", "edit,method,question,mos", votes)
    scores = write(tmp_path / "s.csv", HEAD, [(e, m, "x", v) for e, m, v in cells()])
    said("import", "csv", path, "--scale", "1:5", "--scores", scores, "--out", tmp_path / "gold")
    text = said("rank", tmp_path / "gold", *FAST)
    assert "only mean scores are known" in text and "single raters (" not in text


@pytest.mark.slow
def test_the_page_has_a_league_and_every_number(gold: Path) -> None:
    text = said("report", gold, *FAST)
    assert "Metrics and q: follows has the highest acc_eq with raters, 1.00" in text
    page = (gold / "report" / "index.html").read_text()
    for words in ("Ratings collected elsewhere", "method by method: q", "half of the raters"):
        assert words in page
    assert {"metric_league_q.csv", "metrics_by_method_q.csv"} <= {
        path.name for path in (gold / "report" / "tables").iterdir()
    }
