"""The leaderboard: ranks by hand, what is refused, what pages show; nothing depends on order."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fabricated_export import drawn, write_export
from submitted_runs import REASON, steps, submitted

from dreamix.core.errors import UserError
from dreamix.core.records import to_json
from evaluation.stats.rank_intervals import rank_intervals
from reports.leaderboard.board_view import BoardView
from reports.leaderboard.cli import leaderboard
from reports.leaderboard.reading import too_few
from reports.summary import IntervalSettings

QUICK = ("--resamples", "100")


def enter(site: Path, *asked: str | Path) -> Result:
    """Run the command; what the user can mend is an exception here."""
    words = [*map(str, asked), "--out", str(site), *QUICK]
    found = CliRunner().invoke(leaderboard, words)
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def table(site: Path, name: str = "all") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((site / "tables" / f"{name}.json").read_text())
    return found


def ranks(site: Path, name: str = "all", column: str = "score") -> dict[str, tuple[int, int]]:
    return {row["name"]: (row["rank_best"], row["rank_worst"])
            for row in table(site, name) if row["column"] == column}  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_ranks_follow_from_who_is_shown_to_be_ahead() -> None:
    """By hand: of four, 0 is ahead of 2 and 3, and 1 is ahead of 3. So 0 and 1 have nobody ahead;
    0 can be third from below at worst, 2 has one ahead and nobody behind."""
    ahead = np.zeros((4, 4), bool)
    ahead[0, [2, 3]] = ahead[1, 3] = True
    found = rank_intervals(ahead)
    assert found.best.tolist() == [1, 1, 2, 3]
    assert found.worst.tolist() == [2, 3, 4, 4]
    some = rank_intervals(ahead, np.array([True, False, True, True]))
    assert some.best.tolist() == [1, 0, 2, 2] and some.worst.tolist() == [1, 0, 3, 3]
    ahead[3, 0] = True
    with pytest.raises(ValueError, match="one at most"):
        rank_intervals(ahead)


def test_too_few_videos_leave_all_ranks_open() -> None:
    """By hand: two entries on five videos have p = 2/32 at least, on six 2/64; five entries have
    ten pairs, so that 2 x 10 / 256 is too large and 2 x 10 / 512 is not."""
    how = IntervalSettings()

    def told(entries: int, videos: int) -> str:
        return too_few(BoardView(None, [], [None] * entries, [], how), videos)  # type: ignore[arg-type,list-item]

    assert "no metric can show that one of 2 entries" in told(2, 5) and not told(2, 6)
    assert told(5, 8) and not told(5, 9)
    assert not told(1, 1)


def test_ranks_are_intervals_over_runs(tmp_path: Path) -> None:
    """Eight sources, so that a difference of one sign on all has p = 2/256, times 3 by Holm 0.023.
    `near` and `low` differ by +0.1 and -0.1 in turn: p is 1."""
    one = submitted(tmp_path / "one", {"high": steps(0.8), "low": steps(0.3)})
    other = submitted(
        tmp_path / "other", {"near": lambda s, _: 0.3 + 0.002 * s + (0.1 if s % 2 else -0.1)}
    )
    found = enter(tmp_path / "site", one, other)
    assert found.exit_code == 0, found.output
    assert ranks(tmp_path / "site") == {"high": (1, 1), "near": (2, 3), "low": (2, 3)}
    page = (tmp_path / "site" / "index.html").read_text()
    assert "score: high is first of 3." not in page  # the topic is a heading of its own
    assert "high is first of 3." in page


def test_a_gap_that_could_turn_a_lead_widens_ranks(tmp_path: Path) -> None:
    """Sixteen edits; with its one failure at 0, `ahead` has 15 x 0.55 / 16 = 0.516 < 0.52. Without
    the failure it is first."""
    rest = submitted(tmp_path / "rest", {"behind": lambda s, e: 0.52}, each=2)
    site = tmp_path / "site"
    whole = submitted(tmp_path / "whole", {"ahead": lambda s, e: 0.55}, each=2)
    assert enter(site, rest, whole).exit_code == 0
    assert ranks(site) == {"ahead": (1, 1), "behind": (2, 2)}
    some = {"ahead": lambda s, e: None if (s, e) == (0, 0) else 0.55}
    failed = submitted(tmp_path / "failed", some, each=2)
    other = tmp_path / "other"
    assert enter(other, rest, failed).exit_code == 0
    assert ranks(other) == {"ahead": (1, 2), "behind": (1, 2)}
    page = next((other / "entries").glob("ahead*")).read_text()
    assert REASON in page and "15/16" in page


def test_ranks_of_a_category_are_of_its_edits(tmp_path: Path) -> None:
    """`tilted` is at 0.5 - 0.2 on motion and 0.5 + 0.2 on style, `plain` at 0.5 on both."""
    values = {"tilted": steps(0.5, 0.2), "plain": steps(0.5)}
    run = submitted(tmp_path / "run", values, tags=("count",), each=2)
    site = tmp_path / "site"
    assert enter(site, run).exit_code == 0
    assert ranks(site) == {"tilted": (1, 2), "plain": (1, 2)}
    assert ranks(site, "category-motion") == {"tilted": (2, 2), "plain": (1, 1)}
    assert ranks(site, "category-style") == {"tilted": (1, 1), "plain": (2, 2)}
    assert ranks(site, "tag-count") == ranks(site, "category-motion")  # the same edits
    assert 'href="views/category-style.html"' in (site / "index.html").read_text()


def runs_of(folder: Path) -> list[Path]:
    beside, anchors = {"unedited": steps(0.1)}, ("unedited",)
    old = {"licence": "proprietary", "date": "2025-01-01"}
    return [
        submitted(folder / "a", {"first": steps(0.7), **beside}, anchors=anchors),
        submitted(folder / "b", {"second": steps(0.5), **beside}, anchors=anchors),
        submitted(folder / "c", {"first": steps(0.4)}, shade="old", said=old),
    ]


@pytest.mark.slow
def test_order_and_number_of_calls_decide_nothing(tmp_path: Path) -> None:
    a, b, c = runs_of(tmp_path)
    assert enter(tmp_path / "at-once", a, b, c).exit_code == 0
    assert enter(tmp_path / "turned", c, b, a).exit_code == 0
    for run in (b, c, a):
        assert enter(tmp_path / "one-by-one", run).exit_code == 0
    expected = contents(tmp_path / "at-once")
    assert contents(tmp_path / "turned") == expected
    assert contents(tmp_path / "one-by-one") == expected
    assert enter(tmp_path / "at-once").exit_code == 0  # pages anew, without any run
    assert contents(tmp_path / "at-once") == expected


@pytest.mark.slow
def test_the_latest_version_competes_and_older_ones_are_history(tmp_path: Path) -> None:
    site = tmp_path / "site"
    a, b, c = runs_of(tmp_path)
    assert enter(site, b, c).exit_code == 0
    assert ranks(site) == {"second": (1, 1), "first": (2, 2)}
    undated = enter(site, submitted(tmp_path / "d", {"first": steps(0.3)}, shade="other",
                                    said={"licence": "MIT", "date": "2025-01-01"}))  # fmt: skip
    assert undated.exit_code == 1 and "first was entered 2 times" in undated.output
    (a / "submission.yaml").write_text("licence: MIT\ndate: 2026-03-01\n")
    assert enter(site, a).exit_code == 0
    assert ranks(site) == {"first": (1, 1), "second": (2, 2)}
    history = {(row["name"], row["date"]): row for row in table(site, "history")}
    assert history["first", "2026-03-01"]["latest"] and not history["first", "2025-01-01"]["latest"]
    assert history["first", "2025-01-01"]["rank_best"] == 3
    assert (site / "figures" / "history.svg").is_file()
    old = next(path for path in (site / "entries").iterdir() if "older version" in path.read_text())
    (site / "data" / "entries" / f"{old.stem}.json").unlink()  # taken off
    assert enter(site).exit_code == 0
    assert not old.exists() and len(table(site, "history")) == 2


def test_all_reasons_against_all_runs_are_told_at_once(tmp_path: Path) -> None:
    good = submitted(tmp_path / "good", {"good": steps(0.5)})
    bad = submitted(tmp_path / "bad", {"bad": steps(0.5)}, seeds=2)
    (bad / "submission.yaml").unlink()
    (bad / "clips" / "bad" / "v0_0" / "0.mp4").write_bytes(b"something else")
    (bad / "clips" / "bad" / "v1_0" / "1.json").unlink()
    lines = (bad / "scores.jsonl").read_text().splitlines()
    (bad / "scores.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    (bad / "sources" / "v3.mp4").write_bytes(b"another source")
    wrong = {"team": 3, "paper": "javascript:alert(1)", "methods": {"nobody": None}}
    worse = submitted(tmp_path / "worse", {"worse": steps(0.5)}, said=wrong)
    before = {path: contents(path) for path in (good, bad, worse)}
    found = enter(tmp_path / "site", good, bad, worse, tmp_path / "nothing")
    assert found.exit_code == 1
    for told in (
        "hashes: bad has 1 clip gone or of another SHA-256 than the row beside it says: v0_0",
        "coverage: bad has neither a clip nor a reason for 1 of 16 places (edits x seeds): v1_0",
        "scores: bad lacks 1 score on score",
        "licence: none is stated for bad",
        "seeds: not all methods have the same: 0 of good; 0, 1 of bad",
        "edited other source clips under the same names: v3",
        "submission.yaml:4: team must be text, got a number",
        "submission.yaml:3: paper must be an address that begins with https:// or http://",
        "nothing is not a run folder",
        "nothing was written",
    ):
        assert told in found.output, told
    assert not (tmp_path / "site").exists()
    assert {path: contents(path) for path in before} == before


@pytest.mark.slow
def test_a_build_that_was_cut_off_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submitted(tmp_path / "run", {"mine": steps(0.5), "other": steps(0.4)})
    assert enter(tmp_path / "whole", run).exit_code == 0
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="power"):
        patch.setattr("reports.leaderboard.build.write_entries", cut_off)
        enter(tmp_path / "cut", run)
    assert not (tmp_path / "cut" / "index.html").exists()
    assert enter(tmp_path / "cut").exit_code == 0
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def cut_off(_: Any) -> None:
    raise RuntimeError("power")


@pytest.mark.parametrize("spoilt", [b"\xff", b"team: *x\n"])
def test_a_file_that_is_no_yaml_is_one_reason(tmp_path: Path, spoilt: bytes) -> None:
    run = submitted(tmp_path / "run", {"mine": steps(0.5)})
    (run / "submission.yaml").write_bytes(spoilt)
    found = enter(tmp_path / "site", run, "--check")
    assert found.exit_code == 1 and "refused for 1 reason\n" in found.output
    assert "is empty" not in found.output


def test_check_writes_nothing(tmp_path: Path) -> None:
    run = submitted(tmp_path / "run", {"mine": steps(0.5)})
    found = enter(tmp_path / "site", run, "--check")
    assert found.exit_code == 0 and "nothing was written" in found.output
    assert not (tmp_path / "site").exists()


def test_runs_of_two_suite_versions_never_share_a_page(tmp_path: Path) -> None:
    one = submitted(tmp_path / "one", {"one": steps(0.5)})
    other = submitted(tmp_path / "two", {"two": steps(0.5)}, suite="changed")
    found = enter(tmp_path / "site", one, other)
    assert found.exit_code == 1
    assert f"{one} is of made-up version 1 (" in found.output
    assert f"{other} is of changed version 1 (" in found.output
    assert enter(tmp_path / "site", one).exit_code == 0
    assert "the site is of made-up" in enter(tmp_path / "site", other).output


def test_seeds_that_count_are_named(tmp_path: Path) -> None:
    few = submitted(tmp_path / "few", {"few": steps(0.5)})
    many = submitted(tmp_path / "many", {"many": steps(0.4)}, seeds=3)
    assert enter(tmp_path / "site", few, many, "--seeds", "0").exit_code == 0
    made = {row["name"]: row["clips"] for row in table(tmp_path / "site", "entries")}
    assert made == {"few": 8, "many": 8}
    found = enter(tmp_path / "other", few, many, "--seeds", "0,1")
    assert found.exit_code == 1 and "0, 1 count here, there are 0 of few" in found.output
    (few / "submission.yaml").write_text("licence: MIT\ndeterministic: true\n")
    assert enter(tmp_path / "other", few, many, "--seeds", "0,1").exit_code == 0


def test_two_definitions_of_a_metric_are_two_columns(tmp_path: Path) -> None:
    one = submitted(tmp_path / "one", {"one": steps(0.5), "two": steps(0.3)})
    other = submitted(tmp_path / "other", {"three": steps(0.9)}, definition="d2")
    assert enter(tmp_path / "site", one, other).exit_code == 0
    assert ranks(tmp_path / "site", column="score@d1") == {"one": (1, 1), "two": (2, 2)}
    assert set(ranks(tmp_path / "site", column="score@d2")) == {"three"}


def test_imported_scores_are_compared_where_tables_name_one_source(tmp_path: Path) -> None:
    """Every run has a table of its own, so that its hash cannot be what makes a column."""
    runs = [
        submitted(tmp_path / name, {name: steps(value)}, definition=name, source=source)
        for name, value, source in (("a", 0.8, "DOVER 1"), ("b", 0.4, "DOVER 1"), ("c", 0.9, "X"))
    ]
    assert enter(tmp_path / "site", *runs).exit_code == 0
    columns = {row["column"] for row in table(tmp_path / "site")}
    found = [ranks(tmp_path / "site", column=column) for column in columns]
    assert {"a": (1, 1), "b": (2, 2)} in found and len(found) == 2
    page = (tmp_path / "site" / "index.html").read_text()
    assert "computed elsewhere: DOVER 1" in page and str(tmp_path) not in page


def test_who_has_few_edits_in_common_is_shown_without_a_rank(tmp_path: Path) -> None:
    """`few` has values on three of eight edits: without it the others have 8 > 2 x 3 in common."""
    run = submitted(
        tmp_path / "run",
        {"one": steps(0.8), "two": steps(0.5), "few": lambda s, _: 0.9 if s < 3 else None},
    )
    assert enter(tmp_path / "site", run).exit_code == 0
    rows = {row["name"]: row for row in table(tmp_path / "site")}
    assert rows["few"]["rank_best"] is None and rows["few"]["edits"] == 3
    assert ranks(tmp_path / "site")["one"] == (1, 1) and rows["one"]["edits"] == 8
    assert "n=3, 5 lack, not ranked" in (tmp_path / "site" / "index.html").read_text()


EVIL = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_no_text_of_a_submission_is_markup_or_a_formula(tmp_path: Path) -> None:
    texts = dict.fromkeys(("team", "contact", "hardware", "version"), EVIL)
    method = {"name": f"=cmd() {EVIL}", "code": "https://example.org/?a=1&b", **texts}
    said = {"licence": f"=1+1 {EVIL}", "methods": {"mine": method}}
    run = submitted(tmp_path / "run", {"mine": lambda s, e: None if (s, e) == (0, 0) else 0.5})
    (run / "submission.yaml").write_text(json.dumps(said))
    sidecar = run / "clips" / "mine" / "v0_0" / "0.json"
    row = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps(row | {"reason": f"{EVIL} in /home/somebody/secret/clip.mp4"}))
    config = json.loads((run / "run.json").read_text())
    config["methods"]["mine"]["config"] = {
        "weights": "/home/somebody/secret/model.safetensors",
        EVIL: EVIL,
    }
    (run / "run.json").write_text(json.dumps(config))
    site = tmp_path / "site"
    assert enter(site, run).exit_code == 0
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert "<script>alert" not in text and "<img" not in text, page
        assert "somebody" not in text
    for path in site.rglob("*.json"):
        assert "somebody" not in path.read_text()
    assert "model.safetensors" in next((site / "entries").iterdir()).read_text()
    with (site / "tables" / "entries.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["name"].startswith("'=") and row["licence"].startswith("'=")


def topics(site: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in table(site):
        found.setdefault(row["by"], set()).add(row["group"])
    return found


@pytest.mark.slow
def test_people_have_columns_of_their_own_study_by_study(tmp_path: Path) -> None:
    """`alpha` is voted 1.6 points above `beta` by every rater, whatever metrics say."""
    values = {"alpha": steps(0.3), "beta": steps(0.8), "gamma": steps(0.5), "same": steps(0.1)}
    run = submitted(tmp_path / "run", values, anchors=("same",), each=2)
    votes = drawn((-0.8, 0.8), noise=0.2)
    said = rated(tmp_path / "said", votes)
    simulated = rated(tmp_path / "simulated", drawn((0.8, -0.8), noise=0.2), simulated=True)
    site = tmp_path / "site"
    assert enter(site, run, "--study", said, "--study", simulated).exit_code == 0
    assert topics(site) == {
        "people": {"People: made-up"},
        "simulated raters": {"SIMULATED raters: made-up"},
        "metric": {"Alignment with the prompt"},
    }
    by = {
        row["by"]: row
        for row in table(site)
        if (row["column"], row["name"]) == ("quality", "alpha")
    }
    assert (by["people"]["rank_best"], by["people"]["rank_worst"]) == (1, 1)
    assert (by["simulated raters"]["rank_best"], by["simulated raters"]["rank_worst"]) == (2, 2)
    assert by["people"]["of"] == 2  # gamma was not rated
    assert "raters" not in json.dumps(by["people"])
    page = (site / "index.html").read_text()
    assert "SIMULATED raters, which say nothing about people" in page
    kept = next(path for path in (site / "data" / "studies").iterdir()).read_text()
    assert "r00" not in kept  # no rater, no vote


def rated(folder: Path, votes: Any, **said: Any) -> Path:
    """An export whose edits are those of the made-up suite."""
    import pandas as pd

    write_export(folder, votes, raters=6, sources=8, **said)
    for path in folder.glob("*.parquet"):
        frame = pd.read_parquet(path)
        for name in ("video", "edit"):
            if name in frame:
                frame[name] = frame[name].str.replace("v0", "v", n=1)
        frame.to_parquet(path)
    return folder


@pytest.mark.slow
def test_votes_are_of_the_clips_of_then(tmp_path: Path) -> None:
    """Entered with a new version of the method, the same votes would be of clips nobody saw."""
    values = {"alpha": steps(0.3), "beta": steps(0.8)}
    site, said = tmp_path / "site", {"licence": "MIT", "date": "2026-01-01"}
    run = submitted(tmp_path / "run", values, each=2, said=said)
    export = rated(tmp_path / "said", drawn((-0.8, 0.8)))
    assert enter(site, run, "--study", export).exit_code == 0
    before = sorted(path.name for path in (site / "data" / "studies").iterdir())
    later = submitted(tmp_path / "later", {"alpha": steps(0.6)}, each=2, shade="2",
                      said={"licence": "MIT", "date": "2026-02-01"})  # fmt: skip
    found = enter(site, later, "--study", export)
    assert found.exit_code == 1
    assert "study: these votes are on the site already, as made-up of other entries" in found.output
    assert sorted(path.name for path in (site / "data" / "studies").iterdir()) == before


def test_an_entry_without_a_value_is_not_called_an_older_version(tmp_path: Path) -> None:
    run = submitted(tmp_path / "run", {"lost": lambda s, e: None, "made": steps(0.5)})
    assert enter(tmp_path / "site", run).exit_code == 0
    (page,) = (tmp_path / "site" / "entries").glob("lost-*.html")
    assert "No clip of this entry has a value" in page.read_text()
    assert "older version" not in page.read_text()


def test_a_version_is_called_one_and_a_figure_is_no_larger_than_it_was_drawn(
    tmp_path: Path,
) -> None:
    """Below the name stood "3" alone; 2 panels' worth of letters were blown up to 640 pixels."""
    run = submitted(tmp_path / "run", {"a": steps(0.3), "b": steps(0.8)},
                    said={"licence": "MIT", "version": "3", "team": "Lab"})  # fmt: skip
    assert enter(tmp_path / "site", run).exit_code == 0
    text = (tmp_path / "site" / "index.html").read_text()
    assert "Lab \u00b7 version 3" in text
    assert 'style="--natural: ' in text and "min-width: min(640px, var(--natural))" in text


def test_a_study_of_other_edits_or_methods_is_refused(tmp_path: Path) -> None:
    run = submitted(tmp_path / "run", {"alpha": steps(0.3)}, each=2)
    strange = write_export(tmp_path / "strange", drawn((0, 0)), raters=3, sources=8)
    other = rated(tmp_path / "other", drawn((0, 0)), methods=("one", "two"))
    again = rated(tmp_path / "again", drawn((0, 0)), methods=("alpha", "two"))
    found = enter(tmp_path / "site", run, *("--study", strange, "--study", other),
                  *("--study", again, "--study", again))  # fmt: skip
    assert found.exit_code == 1
    assert "rated 16 of its 16 edits that made-up version 1" in found.output
    assert "rated one and two, none of which is entered" in found.output
    assert "study: made-up was given more than once" in found.output


def test_votes_on_a_method_that_nobody_named_are_refused(tmp_path: Path) -> None:
    run = submitted(tmp_path / "run", {"alpha": steps(0.3)})
    export = rated(tmp_path / "export", drawn((0, 0)), methods=("alpha", "other"), edits_each=1)
    told = (export / "study.yaml").read_text()
    (export / "study.yaml").write_text(told.replace("- other\n", ""))
    found = enter(tmp_path / "site", run, "--study", export)
    assert found.exit_code == 1 and not (tmp_path / "site").exists()
    assert "there are votes on other, which study.yaml does not name" in found.output


def test_data_that_was_altered_is_not_shown(tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert enter(site, submitted(tmp_path / "run", {"mine": steps(0.5)})).exit_code == 0
    path = next((site / "data" / "entries").iterdir())
    path.write_text(path.read_text().replace("0.502", "0.902"))
    with pytest.raises(UserError, match="was altered after it was written"):
        enter(site)


@pytest.mark.parametrize("lost", ["metrics", "clips"])
def test_entries_with_nothing_to_compare_are_one_line(tmp_path: Path, lost: str) -> None:
    """A stranger's data, with a hash that fits."""
    site = tmp_path / "site"
    enter(site, submitted(tmp_path / "run", {"mine": steps(0.5)}))
    (path,) = (site / "data" / "entries").iterdir()
    held = json.loads(path.read_text())
    held |= {"metrics": {}, "clips": held["clips"] if lost == "metrics" else []}
    for clip in held["clips"]:
        clip |= {"values": {}, "lacks": {}}
    del held["content"]
    content = hashlib.sha256(to_json(held).encode()).hexdigest()
    path.write_text(to_json(held | {"content": content}))
    with pytest.raises(UserError) as caught:
        enter(site)
    assert "\n" not in str(caught.value) and "site" in str(caught.value)


def test_a_folder_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="is not empty and no leaderboard"):
        enter(tmp_path, submitted(tmp_path.parent / "run", {"mine": steps(0.5)}))


@pytest.mark.slow
def test_all_true_ranks_lie_in_their_intervals_together() -> None:
    """Five methods of which two pairs are equal: places 1 to 2, 1 to 2, 3, 4 to 5, 4 to 5. In 200
    made-up benchmarks of 24 sources, all five intervals hold all of these places in at least 95%
    (less two binomial deviations, 3.1%)."""
    from reports.leaderboard.standing import kept_leads
    from reports.metrics.rankings import Values, rankings

    means, first, last = np.array([0.3, 0.3, 0.15, 0, 0]), [1, 1, 3, 4, 4], [2, 2, 3, 5, 5]
    held, sharp, rng = 0, 0, np.random.default_rng(5)
    for draw in range(200):
        values = means[:, None] + rng.normal(0, 0.25, (5, 24)) + rng.normal(0, 0.3, 24)
        given = Values(("m",), tuple("abcde"), values[None], np.arange(24).astype(str))
        (one,) = rankings(given, draw)
        order = ["abcde".index(method) for method in one.methods]
        ahead = np.zeros((5, 5), bool)
        ahead[np.ix_(order, order)] = one.p < 0.05
        found = rank_intervals(ahead & kept_leads(values, values, values, 0.0))
        held += bool((found.best <= first).all() and (found.worst >= last).all())
        sharp += int((found.worst - found.best).sum())
    assert held / 200 >= 0.95 - 0.031
    assert sharp / 200 < 16  # of 20 if nothing was ever shown
