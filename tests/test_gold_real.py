"""Real ratings through `dreamix study import`, against what was published with them.

The values are those of `test_real_votes.py`: notebooks of ImagenHub and VIEScore (TIGER-AI-Lab).
TDVE's are pandas' means of its file, each clip of a category counting once.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from real_ratings import EDITORS, RATINGS, Editor

from evaluation.gold.cli import import_ratings
from reports.meta.by_method import by_method_frame
from reports.meta.cli import meta
from reports.meta.gold import Gold, gold_joint, read_gold
from reports.meta.ranks import ranking_of, statistic_of
from reports.parts import ReportPart
from reports.people.agreement_by_method import agreement_part
from reports.people.build import people_parts
from reports.people.export import read_export
from reports.people.outcome import People, people_of
from reports.summary import IntervalSettings

pytestmark = [
    pytest.mark.slow,  # each of its files takes seconds to read and to work out
    pytest.mark.skipif(not RATINGS.is_dir(), reason=f"no real votes at {RATINGS} (DREAMIX_SHARED)"),
]
PATTERN = {"text": ("--source-pattern", r"(.+)_\d+\.jpg"), "subject": ()}


def imported(folder: Path, *arguments: object) -> People:
    done = CliRunner().invoke(
        import_ratings, [*map(str, arguments), "--out", str(folder / "export")]
    )
    assert done.exit_code == 0, done.output
    return people_of(read_export(folder / "export"), IntervalSettings(resamples=100))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, People]:
    """The numbers of both tasks."""
    return {
        task: imported(
            tmp_path_factory.mktemp(task), "csv", RATINGS / "imagenhub" / f"{task}-ratings.csv",
            "--scale", "0:1", "--unit", "image", "--licence", "MIT", *PATTERN[task],
        )
        for task in PATTERN
    }  # fmt: skip


def test_alphas_of_every_editor_are_the_published_ones(people: dict[str, People]) -> None:
    for task, one in people.items():
        part = agreement_part(one)
        assert part is not None
        table = dict(part.frames)["agreement_by_method"].set_index(["method", "question"])
        for editor in (editor for editor in EDITORS if editor.task == task):
            _check_alphas(table, editor)


def _check_alphas(table: pd.DataFrame, editor: Editor) -> None:
    for question, alpha in (("SC", editor.alpha_sc), ("PQ", editor.alpha_pq)):
        row = table.loc[(editor.name, question)]
        if alpha is None:
            assert np.isnan(row["alpha"]) and row["why_not"] == "all votes are the same grade"
        else:
            assert row["alpha"] == pytest.approx(alpha, abs=0.005 + 1e-9)


def test_sources_of_the_text_task_are_its_116_images(people: dict[str, People]) -> None:
    ratings = people["text"].kept.ratings
    assert (len(ratings.edits), len(ratings.sources), len(ratings.raters)) == (179, 116, 3)
    assert len(people["subject"].kept.ratings.sources) == 154


@pytest.fixture(scope="module")
def tdve(tmp_path_factory: pytest.TempPathFactory) -> People:
    """The mean opinion scores of TDVE."""
    path = RATINGS / "tdve" / "train-mos.csv"
    return imported(tmp_path_factory.mktemp("tdve"), "tdve", path, "--scale", "0:100")


@pytest.fixture(scope="module")
def parts(tdve: People) -> dict[str, ReportPart]:
    """What its page says, by section."""
    return {part.id: part for part in people_parts(tdve)}


def test_own_means_of_tdve_are_those_of_its_file(tdve: People) -> None:
    rows = pd.read_csv(RATINGS / "tdve" / "train-mos.csv")
    names = list(tdve.kept.ratings.methods)
    assert len(names) == 12
    for question in ("quality", "alignment", "structure"):
        means = rows[rows["question"] == question].groupby("method")["mos"].mean()
        assert tdve.kept.own[question].mos == pytest.approx(means.loc[names].to_numpy(), abs=1e-9)


def test_means_have_intervals_over_sources_and_nothing_of_raters(
    tdve: People, parts: dict[str, ReportPart]
) -> None:
    assert np.isfinite(tdve.kept.own["quality"].low).all()
    assert np.isnan(tdve.kept.own["quality"].boot_low).all()
    assert "means-only" in parts
    assert not {"raters", "panel", "success", "agreement-by-method"} & set(parts)
    said = " ".join(text for part in parts.values() for text in (*part.found, *part.done))
    for word in ("alpha", "by rater", "raters like these", "degrees of freedom of raters"):
        assert word not in said, word


def test_pairs_say_more_on_the_edits_that_both_have(parts: dict[str, ReportPart]) -> None:
    """Ten edits are common to all twelve editors, two share about two hundred."""
    table = dict(parts["pairs-overlap"].frames)["pairs_overlap"]
    assert table["edits"].min() > 100
    rows = pd.read_csv(RATINGS / "tdve" / "train-mos.csv")
    rows = rows[rows["question"] == "quality"].pivot_table(
        index=["category", "clip"], columns="method", values="mos"
    )
    one = table[(table["question"] == "quality") & (table["b"] == "slicedit")].iloc[0]
    gain = (rows["slicedit"] - rows[one["a"]]).dropna()
    assert one["difference"] == pytest.approx(gain.mean(), abs=1e-9)
    assert one["edits"] == len(gain)


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Gold]:
    """Ratings and judges' scores of both tasks, by `dreamix meta import viescore`."""
    found = {}
    for task in PATTERN:
        out = tmp_path_factory.mktemp("gold") / task
        path = RATINGS / "imagenhub" / f"{task}-ratings.csv"
        options = ["--scale", "0:1", "--unit", "image", "--licence", "MIT", "--out", str(out)]
        done = CliRunner().invoke(meta, ["import", "viescore", str(path), *options])
        assert done.exit_code == 0, done.output
        found[task] = read_gold(out)
    return found


def test_spearman_of_gemini_by_editor_is_the_published_one(
    gold: dict[str, Gold], people: dict[str, People]
) -> None:
    for task, data in gold.items():
        for question in ("SC", "PQ"):
            joint = gold_joint(data, people[task], question)
            table = by_method_frame(joint, question, ["gemini_0shot"])
            values = table.set_index("method")["spearman"]
            for editor in (editor for editor in EDITORS if editor.task == task):
                published = editor.spearman_sc if question == "SC" else editor.spearman_pq
                if published is None:
                    assert editor.name not in values
                else:
                    assert values[editor.name] == pytest.approx(published, abs=5e-5)


FIRST_LOOK = {  # the values of the README of the data, to its three digits
    "SC": ({"gpt4o_0shot": 0.697, "gemini_0shot": 0.641, "gpt4v_0shot": 0.586, "LPIPS": 0.528},
           0.805),
    "PQ": ({"gpt4o_0shot": 0.548, "LPIPS": 0.518}, 0.629),
}  # fmt: skip


@pytest.mark.parametrize("question", ["SC", "PQ"])
def test_seventeen_judges_rank_as_a_first_look_found(
    gold: dict[str, Gold], people: dict[str, People], question: str
) -> None:
    joint = gold_joint(gold["text"], people["text"], question)
    assert len(joint.names) == 17 and "Imagic" not in joint.systems
    found = ranking_of(joint, question, statistic_of("acc_eq", "edits"))
    expected, rater = FIRST_LOOK[question]
    values = {row.name: row.value for row in found.rows}
    assert len(values) == 17
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=0.0006)
    assert found.people is not None and found.people.mean == pytest.approx(rater, abs=0.0006)
    assert found.rows[0].name == "gpt4o_0shot" and found.rows[0].cluster == 1


def test_the_page_shows_what_the_command_prints(gold: dict[str, Gold], root: Path) -> None:
    """`docs/ratings.md` has the first and the last lines of the ranking on SC."""
    text = (root / "docs" / "ratings.md").read_text("utf-8")
    block = text.partition("```text\nSC: 17 metrics")[2].partition("```")[0]
    done = CliRunner().invoke(meta, ["rank", str(gold["text"].folder), "--question", "SC"])
    lines = [line for line in block.splitlines()[1:] if line.strip() != "..."]
    assert len(lines) == 8
    for line in lines:
        assert line in done.output.splitlines(), line
