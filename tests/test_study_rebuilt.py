"""Studies that are built again after votes: what was rated stays, and is told from what is new."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from one_source import moving, write_suite
from sqlalchemy import select
from study_people import add_rater, triple
from two_raters import rows

from dreamix.core.errors import UserError
from dreamix.core.media import write_video
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.runner import run_suite
from reports.people.build import study_lead
from reports.people.export import read_export
from study_app.allocation import votes_per_cell
from study_app.build_command import build_and_declare
from study_app.declaration import first_hash
from study_app.export.writing import export
from study_app.monitor import study_status
from study_app.open_study import being_served, database_url, open_study
from study_app.plan import Item, Plan, read_plan
from study_app.prepare.media import check_media
from study_app.spec.study import STUDY_FILE, read_study
from study_app.spec.template import TEMPLATE
from study_app.state import read_setting, write_setting
from study_app.status_text import status_lines
from study_app.store.database import open_database
from study_app.store.tables import Trial

OTHER_LABELS = {"[Bad, Poor, Fair, Good, Excellent]": "[Excellent, Good, Fair, Poor, Bad]"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study of two methods on two edits, built; `remake` makes the clips of one anew."""
    for number, name in enumerate(("duck", "swan")):
        write_video(tmp_path / f"{name}.mp4", clip(number), lossless=True)
        for method in ("alpha", "beta"):
            path = tmp_path / "outputs" / method / f"{name}_00.mp4"
            write_video(path, clip(10 * number + len(method)), lossless=True)
    write_suite(tmp_path, {"duck": "duck.mp4", "swan": "swan.mp4"})
    run(tmp_path)
    text = TEMPLATE.read_text().replace("$name", "birds").replace("$run", "../run")
    text = text.replace("$methods", "[alpha, beta]").replace("trials: 20", "trials: 2")
    text = text.replace("display_height: 360", "display_height: 120").replace("gold: 1", "gold: 0")
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / STUDY_FILE).write_text(text.replace("training: 3", "training: 1"))
    build_and_declare(tmp_path / "study", None, None)
    return tmp_path / "study"


def clip(seed: int) -> Video:
    return Video((moving(6) + seed).astype("uint8"), 6)


def run(place: Path) -> None:
    columns = variants(f"external:{place}/outputs/*")
    run_suite(load_suite(place), columns, place / "run")


def remake(folder: Path, method: str) -> None:
    """Make a method's clips anew, as other clips."""
    for path in (folder.parent / "outputs" / method).glob("*.mp4"):
        write_video(path, clip(77), lossless=True)
    run(folder.parent)


def rate(folder: Path, *more: tuple[Item, str, dict[str, int]]) -> Plan:
    """Let somebody rate every clip; return the plan by which they did."""
    running = open_study(folder)
    answers = [(item, "rating", triple(1, 2, 3)) for item in running.plan.of_kind("rating")]
    add_rater(running.database, [*answers, *more], minutes=3, number=len(more))
    with running.database.writing() as session:
        for trial in session.scalars(select(Trial).where(Trial.declared.is_(None))):
            trial.declared = running.declared
    running.database.engine.dispose()
    return running.plan


class TestClipsMadeAnew:
    @pytest.mark.slow
    def test_are_refused_after_votes_and_nothing_is_lost(self, folder: Path) -> None:
        before = rate(folder)
        media = {path.name for path in (folder / "media").iterdir()}
        remake(folder, "beta")
        with pytest.raises(UserError, match=r"have changed \(first: beta for duck_00.*--amend"):
            build_and_declare(folder, None, None)
        assert read_plan(folder) == before
        assert media <= {path.name for path in (folder / "media").iterdir()}
        open_study(folder).database.engine.dispose()

    @pytest.mark.slow
    def test_with_a_reason_their_votes_are_kept_apart(self, folder: Path) -> None:
        before = rate(folder)
        remake(folder, "beta")
        build_and_declare(folder, None, "beta had a fault")
        running = open_study(folder)
        theirs = {item.key: item.methods for item in running.plan.retired if item.kind == "rating"}
        assert set(theirs.values()) == {("beta",)} and len(theirs) == 2
        with running.database.reading() as session:
            counts = votes_per_cell(session, running.plan)
        assert Counter(counts.values()) == {1: 2, 0: 2}, "those of alpha still count"
        assert {cell.method: n for cell, n in counts.items()} == {"alpha": 1, "beta": 0}
        assert study_status(running, 10).given == 2
        for item in before.items:
            for name in item.clips:
                assert (folder / "media" / f"{name}.mp4").is_file(), "what was rated can be seen"
        told = "\n".join(status_lines("birds", study_status(running, 10), 10))
        assert "2 votes are for clips that were made anew or taken out since" in told
        assert "amended once" in told
        done = export(running, folder / "out", 99)
        running.database.engine.dispose()
        said = study_lead(read_export(done.folder))[-1]
        assert "after 4 rated trials, for this reason: beta had a fault." in said
        assert "2 rated trials were of clips that were made anew or taken out since" in said
        found = rows(done.folder, "ratings_long")
        assert {(row["method"], row["kind"]) for row in found} == {
            ("alpha", "rating"),
            ("beta", "retired"),
        }
        kinds = Counter(row["kind"] for row in rows(done.folder, "plan"))
        assert (kinds["rating"], kinds["retired"]) == (4, 2)

    @pytest.mark.slow
    def test_that_come_back_count_again(self, folder: Path) -> None:
        before = rate(folder)
        old = {p: p.read_bytes() for p in (folder.parent / "outputs" / "beta").glob("*.mp4")}
        remake(folder, "beta")
        build_and_declare(folder, None, "beta had a fault")
        for path, content in old.items():
            path.write_bytes(content)
        run(folder.parent)
        build_and_declare(folder, None, "it had none")
        assert {item.key for item in read_plan(folder).items} == {i.key for i in before.items}
        running = open_study(folder)
        with running.database.reading() as session:
            assert set(votes_per_cell(session, running.plan).values()) == {1}
        running.database.engine.dispose()

    @pytest.mark.slow
    def test_the_same_clips_made_again_are_the_same(self, folder: Path) -> None:
        """Media and plan that were lost come back to the byte, and so do the keys."""
        before = rate(folder)
        shutil.rmtree(folder / "media")
        (folder / "plan.json").unlink()
        build_and_declare(folder, None, None)
        assert read_plan(folder) == before

    @pytest.mark.slow
    def test_before_the_first_vote_take_the_place_of_the_old_ones(self, folder: Path) -> None:
        remake(folder, "beta")
        build_and_declare(folder, None, None)
        plan = read_plan(folder)
        assert plan.retired == ()
        assert {path.stem for path in (folder / "media").iterdir()} == set(plan.clips)

    @pytest.mark.slow
    def test_another_request_is_another_item(self, folder: Path) -> None:
        """The words of the edit are what raters judge it by."""
        rate(folder)
        path = folder.parent / "suite.yaml"
        path.write_text(path.read_text().replace("a red duck", "a blue duck"))
        (folder.parent / "run").rename(folder.parent / "old")
        run(folder.parent)
        with pytest.raises(UserError, match=r"\d items have changed \(first: alpha for duck_00"):
            build_and_declare(folder, None, None)

    @pytest.mark.slow
    def test_a_plan_of_an_earlier_version_keeps_its_keys(self, folder: Path) -> None:
        """Format 1 kept no content: items whose clips have the same names are the same."""
        before = rate(folder)
        held = json.loads((folder / "plan.json").read_text())
        names = {item["key"]: f"old{n}" for n, item in enumerate(held["items"])}
        for item in held["items"]:
            item["key"] = names[item["key"]]
        (folder / "plan.json").write_text(json.dumps({**held, "format": 1, "clips": {}}))
        running = open_database(database_url(folder))
        with running.writing() as session:
            for trial in session.scalars(select(Trial)):
                trial.item = names[trial.item]
            found = {**read_setting(session, "analysis"), "hash": first_hash(read_study(folder))}
            write_setting(session, "analysis", {k: found[k] for k in OLD_ENTRY})
        running.engine.dispose()
        build_and_declare(folder, None, None)
        plan = read_plan(folder)
        assert [item.key for item in plan.items] == [names[item.key] for item in before.items]
        assert plan.retired == ()
        open_study(folder).database.engine.dispose()


OLD_ENTRY = ("hash", "at", "ratings", "keys", "amendments")


class TestWordingInExports:
    @pytest.mark.slow
    def test_each_vote_says_under_which_wording_it_was_given(self, folder: Path) -> None:
        rate(folder)
        change(folder, *next(iter(OTHER_LABELS.items())))
        with pytest.raises(UserError, match=r"questions\.quality\.labels is not what 4 trials"):
            build_and_declare(folder, None, None)
        build_and_declare(folder, None, "the scale stood upside down")
        rate(folder, *[(i, "repeat", triple(3, 3, 3)) for i in read_plan(folder).items[:1]])
        running = open_study(folder)
        done = export(running, folder / "out", 99)
        running.database.engine.dispose()
        said = study_lead(read_export(done.folder))[-1]
        assert "4 under" in said and said.endswith("were rated.")
        told = json.loads((done.folder / "declaration.json").read_text())
        wording = {
            entry["hash"][:12]: entry["content"]["texts"]["en"]["questions"]["quality"]["labels"][0]
            for entry in (told["first"], *told["amendments"])
        }
        found = rows(done.folder, "ratings_wide")
        assert Counter(wording[row["declared"]] for row in found) == {"Bad": 4, "Excellent": 5}
        assert told["amendments"][0]["reason"] == "the scale stood upside down"
        assert told["amendments"][0]["ratings"] == 4

    @pytest.mark.slow
    def test_codes_are_in_no_declaration(self, folder: Path) -> None:
        change(folder, "completion_code: null", "completion_code: SECRET-77")
        change(folder, "All your answers have been saved.", "Saved. Code SECRET-77.")
        build_and_declare(folder, None, None)
        rate(folder)
        running = open_study(folder)
        done = export(running, folder / "out", 99)
        running.database.engine.dispose()
        for path in done.folder.iterdir():
            assert b"SECRET-77" not in path.read_bytes(), path


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / STUDY_FILE).read_text()
    assert old in text
    (folder / STUDY_FILE).write_text(text.replace(old, new, 1))


class TestBesideAServer:
    """A lock that servers share says that somebody may be watching."""

    @pytest.mark.slow
    def test_no_clip_goes_while_the_study_is_served(self, folder: Path) -> None:
        media = folder / "media"
        before = read_plan(folder)
        with being_served(folder), being_served(folder):
            change(folder, "display_height: 120", "display_height: 144")
            said = build_and_declare(folder, None, None)
            assert any("because the study is being served" in line for line in said)
            assert all((media / f"{name}.mp4").is_file() for name in before.clips)
            plan = read_plan(folder)
            assert set(plan.by_key) >= set(before.by_key), "a list of before can still be finished"
        build_and_declare(folder, None, None)
        plan = read_plan(folder)
        assert {path.stem for path in media.iterdir()} == set(plan.clips)
        assert not set(before.clips) & set(plan.clips)

    @pytest.mark.slow
    @pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x")])
    def test_a_clip_that_is_not_the_declared_one_is_not_served(
        self, folder: Path, damage: Callable[[Path], object]
    ) -> None:
        plan = read_plan(folder)
        check_media(folder, plan)
        damage(folder / "media" / f"{plan.items[0].right}.mp4")
        with pytest.raises(UserError, match="study was built: restore it, or run"):
            check_media(folder, plan)
