"""Reports on ratings from elsewhere: any scale says the same, and images are called images."""

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dreamix.core.errors import UserError
from evaluation.gold.cli import import_ratings
from reports.parts import ReportPart
from reports.people.build import people_parts, study_lead
from reports.people.export import StudyExport, read_export
from reports.people.outcome import People, people_of
from reports.people.rater_numbers import screened
from reports.people.raters import raters_part
from reports.summary import IntervalSettings

HOW = IntervalSettings(resamples=100)
METHODS, RATERS, SOURCES = ("ours", "theirs", "base"), 5, 8


def votes() -> list[tuple[str, str, str, str, float]]:
    """Grades of 1 to 5 by five raters, of whom one always says 3: edit, method, rater, source."""
    rng = np.random.default_rng(3)
    rows = []
    for source in range(SOURCES):
        for k, method in enumerate(METHODS):
            merit = 2 + k + rng.normal(0, 0.5)
            for rater in range(RATERS):
                vote = 3 if not rater else np.clip(np.rint(merit + rng.normal(0, 0.7)), 1, 5)
                rows.append((f"e{source}", method, f"r{rater}", f"s{source}", float(vote)))
    return rows


def imported(
    folder: Path, scale: str, turn: Callable[[float], float], *options: str
) -> StudyExport:
    folder.mkdir()
    (folder / "export.salt").write_bytes(b"0" * 32)  # the same pseudonyms: the same order
    path = folder / "votes.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["edit", "method", "rater", "source", "question", "value"])
        out.writerows([*row[:4], "q", turn(row[4])] for row in votes())
    arguments = ["csv", str(path), "--scale", scale, "--out", str(folder / "export"), *options]
    done = CliRunner().invoke(import_ratings, arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return read_export(folder / "export")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[People, People]:
    """The same votes on 1 to 5, and mapped to 0 to 100, of images."""
    folder = tmp_path_factory.mktemp("scales")
    five = imported(folder / "five", "1:5", lambda vote: vote)
    hundred = imported(
        folder / "hundred", "0:100", lambda vote: 25 * (vote - 1), "--success", "37.5",
        "--unit", "image",
    )  # fmt: skip
    return people_of(five, HOW), people_of(hundred, HOW)


@pytest.fixture(scope="module")
def parts(both: tuple[People, People]) -> dict[str, ReportPart]:
    """What is said of images on 0 to 100."""
    return {part.id: part for part in people_parts(both[1])}


def test_what_is_concluded_does_not_hang_on_the_scale(both: tuple[People, People]) -> None:
    """A mean of 25 (v - 1) is 25 (mean - 1), a difference 25 times as large, p the same."""
    five, hundred = both
    assert (five.export.threshold, hundred.export.threshold) == (2.5, 37.5)
    first, second = five.kept, hundred.kept
    assert second.scores["q"].mos == pytest.approx(25 * (first.scores["q"].mos - 1))
    assert second.scores["q"].low == pytest.approx(25 * (first.scores["q"].low - 1))
    for one, other in zip(first.comparisons, second.comparisons, strict=True):
        assert other.difference.mid == pytest.approx(25 * one.difference.mid)
        assert other.p_holm == pytest.approx(one.p_holm)
    assert second.success.items.share.tolist() == first.success.items.share.tolist()
    assert second.standings["q"].ranks.tolist() == first.standings["q"].ranks.tolist()


def test_who_always_says_the_same_is_flagged_on_every_scale(both: tuple[People, People]) -> None:
    flags = [screened(people, "q").flags["straight line"].tolist() for people in both]
    assert flags[0] == flags[1] and sum(flags[0]) == 1


def test_captions_tell_the_scale(both: tuple[People, People], parts: dict[str, ReportPart]) -> None:
    five = {part.id: part for part in people_parts(both[0])}
    assert "on q from 1 to 5 (means" in five["mos"].tables[0].caption
    assert "on q from 0 to 100 (means" in parts["mos"].tables[0].caption
    assert "above 37.5 on every question" in parts["mos"].tables[0].caption
    assert "variance of votes below 93.8" in parts["raters"].folded[0].caption  # 0.15 x 25 x 25
    assert "variance of votes below 0.15" in five["raters"].folded[0].caption
    done = " ".join(parts["success"].done)
    assert "every threshold from 12.5 to 87.5 in steps of 2.5" in done
    assert "every threshold from 1.5 to 4.5 in steps of 0.1" in " ".join(five["success"].done)


def test_images_are_called_images(
    both: tuple[People, People], parts: dict[str, ReportPart]
) -> None:
    texts = list(study_lead(both[1].export))
    for part in parts.values():
        texts += [part.title, *part.found, *part.notes, *part.done]
        texts += [text for one in part.drawings for text in (one.alt, one.caption)]
        for table in (*part.tables, *part.folded):
            texts += [table.title, table.caption, *(head.text + head.hint for head in table.head)]
            texts += [cell.hint for row in table.rows for cell in row.cells]
    said = " ".join(texts)
    for word in ("video", "clip", "a image", "finished"):
        assert word not in said, word
    assert "source images" in said


def test_nothing_is_said_of_what_the_file_does_not_tell(both: tuple[People, People]) -> None:
    lead = " ".join(study_lead(both[0].export))
    assert "read from votes.csv (no licence stated)" in lead
    assert "5 raters rated 8 edits of 8 source videos by base, ours and theirs" in lead
    assert "instructed and checked" in lead
    assert "balanced" not in lead and "declared" not in lead
    labels = [row.label for row in raters_part(both[0]).tables[0].rows]
    assert "finished" not in labels


def test_a_slider_has_no_shares_of_grades(tmp_path: Path, parts: dict[str, ReportPart]) -> None:
    """Five grades on 0 to 100 have shares; votes that are all different have none worth showing."""
    assert "vote_shares" in {name for name, _ in parts["votes"].frames}
    more = itertools.count()
    found = imported(tmp_path / "slider", "0:100", lambda vote: 15 * vote + next(more) / 10)
    frames = {name for part in people_parts(people_of(found, HOW)) for name, _ in part.frames}
    assert "vote_shares" not in frames and "item_mos" in frames


def test_ordinal_models_need_votes(tmp_path: Path) -> None:
    path = tmp_path / "means.csv"
    path.write_text("edit,method,question,mos\na,x,q,2\na,y,q,3\nb,x,q,1\nb,y,q,4\n")
    out = tmp_path / "export"
    CliRunner().invoke(import_ratings, ["csv", str(path), "--scale", "1:5", "--out", str(out)])
    people = people_of(read_export(out), HOW)
    with pytest.raises(UserError, match="--ordinal models single votes"):
        people_parts(people, ordinal=lambda text: None)
    said = {part.id for part in people_parts(people)}
    assert "means-only" in said and "raters" not in said
