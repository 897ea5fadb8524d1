"""`dreamix study`: from a run to results, and one clear line for every mistake."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from console import Program, program
from sqlalchemy import select
from study_people import VARIED, add_rater

from dreamix.cli import main
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.runner import run_suite
from study_app.declaration import declared_hash
from study_app.enrollment import EntryLink, enroll
from study_app.open_study import Opened, database_url, open_study, opened
from study_app.plan import read_plan
from study_app.spec.study import STUDY_FILE, read_study
from study_app.state import Screen, current_state
from study_app.store.database import open_database
from study_app.store.tables import Rater, Setting

METHODS = ("frozen-frame", "shuffled-frames")


@pytest.fixture
def dreamix(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    monkeypatch.delenv("DREAMIX_DATABASE", raising=False)
    return program(monkeypatch, capsys)


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four edits of two rendered videos; two anchors stand for methods under test."""
    suite = load_suite(root / "datasets" / "toybox")
    columns = [column for name in (*METHODS, "ideal", "unedited") for column in variants(name)]
    videos = sorted({edit.video for edit in suite.edits})[:2]
    edits = [[e.id for e in suite.edits if e.video == video][:2] for video in videos]
    folder = tmp_path_factory.mktemp("runs") / "one"
    run_suite(suite, columns, folder, edits=edits[0] + edits[1])
    info = json.loads((folder / "run.json").read_text())
    for method in METHODS:
        info["methods"][method]["anchor"] = False
    (folder / "run.json").write_text(json.dumps(info))
    return folder


@pytest.fixture(scope="module")
def made_once(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study as the commands make it, but for the size of its clips."""
    folder = tmp_path_factory.mktemp("studies") / "two"
    done("study", "new", run, "--out", folder)
    change(folder, "display_height: 360", "display_height: 120")
    change(folder, "training: 3", "training: 2")
    done("study", "build", folder)
    return folder


def done(*arguments: object) -> None:
    """Call the program, which has to succeed."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.delenv("DREAMIX_DATABASE", raising=False)
        patch.setattr(sys, "argv", ["dreamix", *map(str, arguments)])
        main()
    assert not ended.value.code


@pytest.fixture
def study(made_once: Path, tmp_path: Path) -> Path:
    """A copy of that study, for a test to change; as far from its run as the first."""
    return shutil.copytree(made_once, tmp_path / "two")


def change(folder: Path, old: str, new: str) -> None:
    text = (folder / STUDY_FILE).read_text()
    assert old in text
    (folder / STUDY_FILE).write_text(text.replace(old, new))


def says(answer: tuple[int, str, str], *parts: str) -> None:
    """The command ended with one line for the user, which has these parts."""
    code, out, err = answer
    assert code == 2 and err.startswith("dreamix: ") and err.count("\n") == 1, (out, err)
    for part in parts:
        assert part in err


@pytest.mark.slow
def test_every_mistake_of_a_study_is_a_line(dreamix: Program, study: Path) -> None:
    change(study, "votes: ", "vots: ")
    change(study, "seed: 0", "seed: x")
    code, _, err = dreamix("study", "build", study)
    first, second = err.splitlines()
    assert (
        code == 2
        and first.startswith(f"dreamix: {study / STUDY_FILE}:")
        and "seed must be" in first
    )
    assert second.endswith("lease_minutes)") and "size.vots: there is no such setting" in second


def test_a_new_study_fits_its_run(dreamix: Program, run: Path, tmp_path: Path) -> None:
    """Two videos of two edits each: a rater meets each video once, so lists have two trials."""
    folder = tmp_path / "s"
    code, out, _ = dreamix("study", "new", run, "--out", folder)
    assert code == 0 and f"dreamix study build {folder}" in out
    found = read_study(folder)
    assert (found.size.trials, found.methods) == (2, METHODS)
    assert "about 10 minutes" in found.texts["en"].welcome
    says(dreamix("study", "new", run, "--out", folder), "exists")


@pytest.mark.slow
def test_build_says_what_it_made(dreamix: Program, study: Path) -> None:
    """Eight clips of five votes in lists of two are twenty raters; two videos, one of freedom."""
    code, out, _ = dreamix("study", "build", study)
    assert code == 0
    for part in (
        "8 clips: 4 edits of 2 videos by frozen-frame, shuffled-frames",
        "20 needed for 5 votes on each, in lists of 2",
        "a list has 1 of 2 traps, 1 of 4 gold trials and 1 repeat; 2 practice trials before it",
        "1 degree of freedom",
        "these are guesses",
        "before the first vote",
    ):
        assert part in out


def test_a_new_study_asks_for_no_more_ratings_than_a_list_has(
    dreamix: Program, run: Path, tmp_path: Path
) -> None:
    """Lists of two: a rater who gave both counts, where the template's five could never be met."""
    dreamix("study", "new", run, "--out", tmp_path / "s")
    text = (tmp_path / "s" / "study.yaml").read_text()
    assert "trials: 2 " in text and "least_ratings: 2\n" in text


@pytest.mark.slow
def test_build_says_what_it_left_out(dreamix: Program, run: Path, tmp_path: Path) -> None:
    sidecar = next((run / "clips" / METHODS[1]).glob("*/0.json"))
    kept = sidecar.read_text()
    try:
        sidecar.write_text(json.dumps({**json.loads(kept), "status": "failed", "file": None}))
        dreamix("study", "new", run, "--out", tmp_path / "s")
        _, out, _ = dreamix("study", "build", tmp_path / "s")
    finally:
        sidecar.write_text(kept)
    assert f"left out    {sidecar.parent.name}: no clip of {METHODS[1]}" in out
    assert "in lists of 1," in out, "one video has no edit that both made"


def test_the_hash_of_the_analysis_is_kept_before_the_first_vote(study: Path) -> None:
    database = open_database(database_url(study))
    with database.reading() as session:
        kept = json.loads(session.scalars(select(Setting.value)).one())
    assert kept["hash"] == declared_hash(read_study(study), read_plan(study))
    assert kept["ratings"] == 0


def rated(study: Path) -> None:
    """Somebody rates."""
    with opened(study) as running:
        items = running.plan.of_kind("rating")
        answers = [(item, "rating", VARIED[i][2]) for i, item in enumerate(items[:2])]
        add_rater(running.database, answers, minutes=3)


def test_an_analysis_that_changes_after_votes_is_refused_or_amended(
    dreamix: Program, study: Path
) -> None:
    rated(study)
    change(study, "votes: 5", "votes: 7")
    before = (study / "plan.json").read_bytes()
    says(dreamix("study", "status", study), "has changed since it was built")
    says(
        dreamix("study", "build", study),
        "size.votes is not what 2 trials were rated under",
        "--amend REASON",
    )
    assert (study / "plan.json").read_bytes() == before, "nothing was built"
    code, out, _ = dreamix("study", "build", study, "--amend", "the pilot varied more")
    assert code == 0 and "after 2 rated trials" in out
    assert "amended once" in dreamix("study", "status", study)[1]
    _, out, _ = dreamix("study", "export", study, "--out", study / "out")
    assert "the pilot varied more" in (study / "out" / "README.md").read_text()


def test_a_plan_that_lacks_what_raters_saw_is_refused(dreamix: Program, study: Path) -> None:
    """A plan that was lost cannot say any more what the keys of the votes stood for."""
    rated(study)
    change(study, f"{METHODS[0]}", "ideal")
    (study / "plan.json").unlink()
    says(dreamix("study", "build", study, "--amend", "x"), "the plan lacks 1 clip that raters")
    assert not (study / "plan.json").exists()


@pytest.mark.slow
def test_the_design_never_changes_under_votes(dreamix: Program, study: Path) -> None:
    rated(study)
    change(study, "design: absolute", "design: pairwise")
    says(dreamix("study", "build", study), "design is not what 2 trials were rated under")
    told = "raters were shown the other one: put it back, or begin another study"
    says(dreamix("study", "build", study, "--amend", "x"), told)


@pytest.mark.slow
def test_simulated_raters_have_a_database_of_their_own(dreamix: Program, study: Path) -> None:
    options = ("--raters", 12, "--careless", 0, "--drop-out", 0, "--merit", "frozen-frame=4")
    code, out, _ = dreamix("study", "simulate", study, *options)
    assert code == 0 and "12 SIMULATED raters came, 12 finished" in out
    assert "votes       0 of 40" in dreamix("study", "status", study)[1]
    other = f"sqlite:///{study / 'simulated.sqlite'}"
    _, out, _ = dreamix("study", "status", study, "--database", other)
    assert "SIMULATED" in out.splitlines()[0] and "votes       24 of 40 (60%)" in out
    _, out, _ = dreamix("study", "export", study, "--database", other)
    assert "SIMULATED raters" in out
    (folder,) = (study / "exports").iterdir()
    assert all("simulated" in p.name for p in folder.glob("ratings*"))


@pytest.mark.slow
def test_an_analysis_is_of_the_answers_as_they_stand(dreamix: Program, study: Path) -> None:
    """Twice, with raters who came in between: the second has theirs too."""
    change(study, "least_ratings: 2", "least_ratings: 1")
    assert dreamix("study", "build", study)[0] == 0
    other = f"sqlite:///{study / 'simulated.sqlite'}"
    analyze = ("study", "analyze", study, "--database", other, "--no-run", "--resamples", 100)
    counts = []
    for seed in (1, 2):
        dreamix("study", "simulate", study, "--raters", 6, "--seed", seed, "--careless", 0)
        code, out, err = dreamix(*analyze)
        assert code == 0 and "report page" in out, err
        text = (study / "analysis" / "methods" / "methods.md").read_text()
        counts.append(int(text.split(" simulated raters who began")[0].split()[-1]))
        assert "was kept on" in text and "before the first vote" in text
    assert counts == [6, 12]


def test_simulated_raters_do_not_come_to_people(dreamix: Program, study: Path) -> None:
    rated(study)
    people = database_url(study)
    says(dreamix("study", "simulate", study, "--database", people), "has people raters already")


def test_people_do_not_come_to_simulated_raters(dreamix: Program, study: Path) -> None:
    dreamix("study", "simulate", study, "--raters", 1)
    with opened(study, f"sqlite:///{study / 'simulated.sqlite'}") as running:
        assert enroll(running, EntryLink(), 1) is None


@pytest.mark.parametrize(
    ("merit", "part"),
    [("frozen-fram=3", "did you mean frozen-frame"), ("frozen-frame=good", "is not a number")],
)
def test_what_simulated_raters_cannot_think_is_said(
    dreamix: Program, study: Path, merit: str, part: str
) -> None:
    says(dreamix("study", "simulate", study, "--merit", merit), part)


def test_the_database_may_come_from_the_environment(
    dreamix: Program, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    monkeypatch.setenv("DREAMIX_DATABASE", other)
    assert dreamix("study", "pause", study)[0] == 0
    assert current_state(open_database(other)).name == "paused"
    monkeypatch.delenv("DREAMIX_DATABASE")
    assert current_state(open_database(database_url(study))).name == "open"
    says(dreamix("study", "status", study, "--database", "nonsense"), "is not the URL")


def test_pause_close_and_resume(dreamix: Program, study: Path) -> None:
    for command, state in (("pause", "paused"), ("close", "closed"), ("resume", "open")):
        code, out, _ = dreamix("study", command, study)
        assert code == 0 and f"two is {state}" in out
        assert f"two: {state}" in dreamix("study", "status", study)[1]
    dreamix("study", "pause", study)
    simulated = ("study", "simulate", study, "--database", database_url(study))
    says(dreamix(*simulated), "the study is paused in this database")


def test_reject_and_unreject_by_pseudonym(dreamix: Program, study: Path) -> None:
    rated(study)
    dreamix("study", "export", study, "--out", study / "out")
    name = (study / "out" / "raters.csv").read_text().splitlines()[1].split(",")[1].strip('"')
    assert dreamix("study", "reject", study, name, "--reason", "a friend of ours")[0] == 0
    assert "votes       0 of 40" in dreamix("study", "status", study)[1]
    assert dreamix("study", "unreject", study, name)[0] == 0
    assert "votes       2 of 40" in dreamix("study", "status", study)[1]
    says(dreamix("study", "reject", study, "r-0", "--reason", "x"), "no rater of this study")


def test_erase_one_or_everyone(dreamix: Program, study: Path) -> None:
    rated(study)
    with opened(study) as running:
        add_rater(running.database, [], number=None, platform_id="PID9", screen=Screen.WELCOME)
    says(dreamix("study", "erase", study), "name one rater")
    says(dreamix("study", "erase", study, "PID9", "--everyone"), "name one rater")
    says(dreamix("study", "erase", study, "PID8"), "no rater of this study")
    assert "1 rater is erased" in dreamix("study", "erase", study, "PID9")[1]
    says(dreamix("study", "erase", study, "PID9"), "no rater of this study")
    _, out, _ = dreamix("study", "erase", study, "--everyone", "--answers")
    assert "what identifies 2 raters is erased, and so are their answers; " in out
    assert "votes       0 of 40" in dreamix("study", "status", study)[1]


def test_backup_and_back(dreamix: Program, study: Path, tmp_path: Path) -> None:
    rated(study)
    copy = tmp_path / "copy.sqlite"
    assert dreamix("study", "backup", study, "--out", copy)[0] == 0
    _, out, _ = dreamix("study", "status", study, "--database", f"sqlite:///{copy}")
    assert "votes       2 of 40" in out


def test_invite_prints_links_that_let_their_owners_in(dreamix: Program, study: Path) -> None:
    says(dreamix("study", "invite", study, "--count", 1), "kind: invited")
    change(study, "kind: open", "kind: invited")
    _, out, _ = dreamix("study", "invite", study, "--count", 2, "--address", "https://rate.me")
    tokens = [line.removeprefix("https://rate.me/?t=") for line in out.split()]
    with opened(study) as running:
        assert [bool(enroll(running, EntryLink(token=token), 1)) for token in tokens] == [
            True,
            True,
        ]


def test_serve_is_given_what_was_said(
    dreamix: Program, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is not started here; the tests of the app do that."""
    asked: list[dict[str, Any]] = []
    fake = SimpleNamespace(serve=lambda folder, **more: asked.append({"folder": folder, **more}))
    monkeypatch.setitem(sys.modules, "study_app.app.server", fake)
    monkeypatch.setenv("DREAMIX_ADMIN_TOKEN", "0123456789abcdef")
    given = (
        "--port",
        0,
        "--address",
        "0.0.0.0",
        "--url",
        "https://a.org",
        "--url",
        "https://b.org",
    )
    assert dreamix("study", "serve", study, *given)[0] == 0
    assert asked == [
        {
            "folder": study,
            "address": "0.0.0.0",
            "port": 0,
            "database_url": database_url(study),
            "admin_token": "0123456789abcdef",
            "urls": ("https://a.org", "https://b.org"),
        }
    ]
    says(dreamix("study", "serve", study, "--admin-token", "short"), "16 are the least")
    monkeypatch.delenv("DREAMIX_ADMIN_TOKEN")
    dreamix("study", "serve", study)
    assert asked[-1]["admin_token"] is None, "the admin page stays closed"


@pytest.mark.parametrize("command", ["build", "status", "serve", "pause", "export", "simulate"])
def test_a_folder_that_is_no_study_says_how_to_make_one(
    dreamix: Program, tmp_path: Path, command: str
) -> None:
    says(dreamix("study", command, tmp_path), "has no study.yaml", "dreamix study new RUN")
    assert not list(tmp_path.iterdir()), "and nothing is left there"


def test_a_study_that_is_not_built_says_so(dreamix: Program, run: Path, tmp_path: Path) -> None:
    dreamix("study", "new", run, "--out", tmp_path / "s")
    says(dreamix("study", "status", tmp_path / "s"), "is not built", "dreamix study build")


def test_an_opened_study_knows_its_folder(study: Path) -> None:
    running = open_study(study)
    assert isinstance(running, Opened) and running.folder == study
    with running.database.reading() as session:
        assert session.scalars(select(Rater)).all() == []
    running.database.engine.dispose()


def test_without_the_extra_the_program_says_what_to_install(
    dreamix: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from study_app import cli

    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "streamlit" else object())
    says(dreamix("study", "status", tmp_path), "pip install 'dreamix-toolkit[study]'")


def test_help_of_the_study_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['dreamix', 'study', '--help']\n"
        "from dreamix.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'numpy', 'sqlalchemy', 'pydantic', 'streamlit', 'pandas', 'pyarrow')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert "simulate" in done.stdout
