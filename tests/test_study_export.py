"""What leaves a study: tables under pseudonyms, each column explained."""

import csv
import hashlib
import shutil
import subprocess
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyarrow.parquet
import pytest
from small_study import PLAN, study
from sqlalchemy import select
from study_people import LEDGER, VARIED, add_rater, opened_in
from two_raters import COMMENT, KNOWN, PID, PROLIFIC, SESSION, WHO, rows, two_raters

from dreamix.core.errors import UserError
from dreamix.core.spreadsheet import as_given
from study_app.exclusion import reject
from study_app.export.codebook import TABLES
from study_app.export.writing import export, export_bytes
from study_app.open_study import Opened
from study_app.plan import Plan
from study_app.pseudonyms import Pseudonyms
from study_app.simulated_raters import Crowd, method_merit, simulate
from study_app.store.database import Database, open_database
from study_app.store.tables import Mark, Rater, Trial


@pytest.fixture
def running(database: Database, tmp_path: Path) -> Opened:
    return opened_in(tmp_path, database, study(**PROLIFIC), KNOWN)


@pytest.fixture
def two(running: Opened) -> Opened:
    """Two raters, and one mark, so that no table is empty."""
    two = two_raters(running)
    with two.database.writing() as session:
        trial = session.scalars(select(Trial).order_by(Trial.id).limit(1)).one()
        given = {"start_s": 0.5, "end_s": 1.5, "kind": "flicker", "severity": 2}
        session.add(Mark(trial_id=trial.id, clip="edit", **given))
    return two


def everything(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_long_is_an_answer_a_row_and_wide_a_trial(two: Opened) -> None:
    """The first rated 6 + 1 + 1 trials, the second 2; one more did not play: 10 x 3 and 11."""
    done = export(two, None, 0)
    assert done.rows["ratings_long"] == 30 and done.rows["ratings_wide"] == 11
    long, wide = rows(done.folder, "ratings_long"), rows(done.folder, "ratings_wide")
    assert (len(long), len(wide)) == (30, 11)
    first = [row for row in long if row["trial"] == long[0]["trial"]]
    assert {row["question"]: row["value"] for row in first} == {
        "alignment": "1",
        "fidelity": "5",
        "quality": "3",
    }
    assert (
        first[0]
        | {
            "video": "v0",
            "edit": "v0_0",
            "method": "a",
            "kind": "rating",
            "prompt": "p",
            "check": "",
            "expected": "",
            "seconds": "60",  # a minute each, the first answered a minute after consent
            "minutes_in": "1",
            "simulated": "false",
            "language": "en",
        }
        == first[0]
    )
    assert [row["kind"] for row in wide].count("repeat") == 1
    assert wide[0] | {"alignment": "1", "coverage": "1", "state": "rated"} == wide[0]
    assert wide[0] | {name: str(value) for name, value in LEDGER.items()} == wide[0]


def test_a_clock_that_was_set_back_leaves_times_empty(two: Opened) -> None:
    """Half an hour back before the last answer: no time is less than nothing."""
    with two.database.writing() as session:
        rater = session.scalars(select(Rater).where(Rater.platform_id == PID)).one()
        own = select(Trial).where(Trial.rater_id == rater.id).order_by(Trial.place.desc())
        last = session.scalars(own).first()
        assert last and last.answered and rater.finished
        last.answered -= 30 * 60_000
        rater.finished -= 30 * 60_000
    folder = export(two, None, 0).folder
    (row,) = [r for r in rows(folder, "ratings_wide") if r["trial"] == str(last.id)]
    assert (row["seconds"], row["minutes_in"]) == ("", "")
    first = next(r for r in rows(folder, "raters") if r["finished"] == "true")
    assert first["minutes"] == ""
    times = [r[name] for r in rows(folder, "ratings_wide") for name in ("seconds", "minutes_in")]
    assert all(not time or float(time) >= 0 for time in times)


def test_checks_say_what_they_ask_and_never_stand_as_methods(two: Opened) -> None:
    long = rows(export(two, None, 0).folder, "ratings_long")
    (trap,) = {(r["method"], r["check"], r["expected"]) for r in long if r["kind"] == "trap"}
    assert trap == ("", "2", "2")


def test_what_did_not_play_is_a_row_without_answers(two: Opened) -> None:
    (row,) = [r for r in rows(export(two, None, 0).folder, "ratings_wide") if r["plays"] == ""]
    assert (row["state"], row["alignment"], row["quality"]) == ("unplayable", "", "")


def test_raters_are_described_by_what_the_rules_look_at(two: Opened) -> None:
    """Seven trials of 1..5, 5..1 and 3; mean 3 but for the last fidelity."""
    found = rows(export(two, None, 0).folder, "raters")
    assert (
        found[0]
        | {
            "finished": "true",
            "minutes": "9.5",
            "trials_rated": "7",
            "trials_unplayable": "1",
            "traps_failed": "1",
            "gold_failed": "0",
            "window_width": "1280",
            "phone": "false",
            "commented": "true",
            "excluded": "true",
        }
        == found[0]
    )
    values = [v for _, _, answers in VARIED for v in answers.values()] + [2, 5, 3]
    mean = sum(values) / 21
    variance = sum((value - mean) ** 2 for value in values) / 21
    assert float(found[0]["variance"]) == pytest.approx(variance, abs=1e-4)
    assert found[1] | {"finished": "false", "minutes": "", "window_width": ""} == found[1]


def test_exclusions_have_their_reason_and_answers_their_flag(two: Opened) -> None:
    with two.database.reading() as session:
        second = session.scalars(select(Rater).where(Rater.number == 1)).one()
    reject(two, second, "-1 is what they wrote", 5)
    folder = export(two, None, 9).folder
    found = {(r["rule"], r["reason"], r["automatic"]) for r in rows(folder, "exclusions")}
    assert found == {
        ("failed_traps", "1 of 1 trap failed", "true"),
        ("by_hand", "'-1 is what they wrote", "false"),
        ("least_ratings", "2 trials rated", "true"),
    }
    assert {row["excluded"] for row in rows(folder, "ratings_long")} == {"true"}


def test_parquet_and_csv_hold_the_same(two: Opened) -> None:
    folder = export(two, None, 0).folder
    for name in TABLES:
        table = pyarrow.parquet.read_table(folder / f"{name}.parquet")
        assert table.num_rows == len(rows(folder, name))
        assert table.column_names == list(rows(folder, name)[0] if table.num_rows else [])
        assert table.schema.metadata[b"simulated"] == b"false"


def test_every_column_of_every_table_is_explained(two: Opened) -> None:
    folder = export(two, None, 0).folder
    explained = {(row["table"], row["column"]) for row in rows(folder, "codebook")}
    assert explained == {(name, column) for name in TABLES for column in rows(folder, name)[0]}
    assert all(row["meaning"] and row["values"] for row in rows(folder, "codebook"))


def test_nothing_that_identifies_a_rater_leaves_but_for_payment(two: Opened) -> None:
    private = [text.encode() for text in (PID, SESSION, COMMENT, "Ann", "token-")]
    folder = export(two, None, 0).folder
    assert not [text for text in private if text in everything(folder)]
    names = {row["rater"] for row in rows(folder, "raters")}
    assert names == {Pseudonyms(two.folder).of(rater, False) for rater in (1, 2)}


def test_payment_and_comments_come_on_request_for_the_owners_eyes(two: Opened) -> None:
    folder = export(two, two.folder / "paid", 0, payment=True, comments=True).folder
    (paid,) = rows(folder, "payment")
    assert paid | {"platform_id": PID, "session": SESSION, "action": "approve"} == paid
    assert paid["completion_code"] == "DONE1"
    (said,) = rows(folder, "comments")
    assert said["comment"] == f"'{COMMENT}", "no formula for a spreadsheet"
    for name in ("payment", "comments"):
        assert (folder / f"{name}.csv").stat().st_mode & 0o077 == 0


def test_sums_check_out_and_the_page_says_what_is_what(two: Opened) -> None:
    folder = export(two, None, 0).folder
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {p.name for p in folder.iterdir()} - {"SHA256SUMS"}
    for digest, name in lines:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    page = (folder / "README.md").read_text()
    assert all(f"`{name}.csv`" in page for name in TABLES)
    assert "imulated" not in page.split("## How to read it")[0]
    assert (folder / "study.yaml").read_text() == (two.folder / "study.yaml").read_text()


def test_the_page_says_how_spreadsheet_programs_open_the_tables(two: Opened) -> None:
    """A table is UTF-8 without a mark, which R and csv would take for a part of a name; read as
    Windows' own code, as a double click does, an é is two letters: the page says what to choose."""
    folder = export(two, None, 1, comments=True).folder
    content = (folder / "comments.csv").read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf")
    assert "é".encode().decode("cp1252") == "Ã©"
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert '"é"\nbecomes "Ã©"' in page
    for clicks in (
        "Data > From Text/CSV",
        "65001: Unicode\n  (UTF-8)",
        'Data Type Detection "Do not detect data types"',
        'LibreOffice: File > Open; Character set "Unicode (UTF-8)"',
        "File > Import",
    ):
        assert clicks in page, clicks


def test_an_export_does_not_write_over_another(two: Opened) -> None:
    export(two, two.folder / "out", 0)
    with pytest.raises(UserError, match="is not empty"):
        export(two, two.folder / "out", 0)


@pytest.mark.slow
def test_simulated_raters_are_said_so_in_every_row_name_and_page(
    database: Database, tmp_path: Path
) -> None:
    running = opened_in(tmp_path, database, study())
    simulate(running, Crowd(raters=4), method_merit(running, {}))
    folder = export(running, None, 0).folder
    for name in TABLES:
        found = rows(folder, f"simulated_{name}")
        assert {row["simulated"] for row in found} <= {"true"}
        assert all(row.get("rater", "simulated-").startswith("simulated-") for row in found)
        assert not (folder / f"{name}.csv").exists()
    assert "**SIMULATED.**" in (folder / "README.md").read_text()
    assert "simulated_ratings_long.csv" in (folder / "analysis.R").read_text()
    name, packed = export_bytes(running, 1)
    assert name == "simulated_s.zip"
    assert "simulated_raters.csv" in zipfile.ZipFile(BytesIO(packed)).namelist()


def test_people_and_simulated_raters_are_never_exported_together(two: Opened) -> None:
    add_rater(two.database, VARIED, number=7, simulated=True)
    with pytest.raises(UserError, match="an export would mix them"):
        export(two, None, 0)
    assert not (two.folder / "exports").exists()


def test_simulated_raters_are_paid_nothing(running: Opened) -> None:
    add_rater(running.database, VARIED, simulated=True, **WHO)
    with pytest.raises(UserError, match="nobody pays them"):
        export(running, None, 0, payment=True)
    assert not list((running.folder / "exports").iterdir()), "whole or not at all"


def test_a_study_without_raters_exports_empty_tables(running: Opened) -> None:
    done = export(running, None, 0)
    assert {name for name, count in done.rows.items() if not count} == set(TABLES) - {"plan"}


PAIRS = replace(
    PLAN,
    items=tuple(
        replace(item, methods=("a", "b"), reference="s")
        for item in PLAN.of_kind("rating")
        if item.methods == ("a",)
    ),
)
PAIRWISE = study(**{"design: absolute": "design: pairwise", "[a, b, c]": "[a, b]"})


def test_sides_of_pairs_are_those_that_the_rater_saw(database: Database, tmp_path: Path) -> None:
    """-1 is the left one: method a, or b where the sides were changed."""
    running = opened_in(tmp_path, database, PAIRWISE, PAIRS)
    said = {"alignment": -1, "fidelity": 0, "quality": 1}
    for number, swapped in enumerate((False, True)):
        answers = [(PAIRS.items[0], "rating", said)]
        add_rater(database, answers, number=number, swapped=swapped)
    found = rows(export(running, None, 0).folder, "ratings_long")
    assert [(r["method_left"], r["method_right"], r["preferred"]) for r in found] == [
        ("a", "b", "a"),
        ("a", "b", "tie"),
        ("a", "b", "b"),
        ("b", "a", "b"),
        ("b", "a", "tie"),
        ("b", "a", "a"),
    ]


@pytest.mark.slow
def test_simulated_raters_prefer_the_better_edit_whichever_side_it_stands(
    database: Database, tmp_path: Path
) -> None:
    """b is a point ahead of a, noise has deviation 0.8: of those who prefer, most prefer b."""
    running = opened_in(tmp_path, database, PAIRWISE, PAIRS)
    simulate(running, Crowd(raters=10, careless=0, drop_out=0), method_merit(running, {"b": 4.0}))
    folder = export(running, None, 0).folder
    found = [row for row in rows(folder, "simulated_ratings_long") if row["kind"] == "rating"]
    for left in ("a", "b"):
        said = [row["preferred"] for row in found if row["method_left"] == left]
        assert said.count("b") > 2 * said.count("a") > 0


EVIL = 'a;=1+1;b"\t@SUM(1),+2|-3\n=cmd'


def test_no_table_of_an_export_is_a_formula_whatever_the_separator(
    database: Database, tmp_path: Path
) -> None:
    """Of PID, session, comment, reason and prompt; read by Python's csv. What they were comes back,
    from CSV by `as_given` and from Parquet, which `study analyze` reads, as it is."""
    items = tuple(replace(item, prompt=EVIL, category=EVIL) for item in KNOWN.items)
    running = opened_in(
        tmp_path, database, study(**PROLIFIC), replace(KNOWN, items=items, left_out={})
    )
    who = {"platform": "prolific", "platform_id": EVIL, "session": EVIL, "comment": EVIL}
    add_rater(database, VARIED, minutes=9.0, **who)
    with database.reading() as session:
        rater = session.scalars(select(Rater)).one()
    reject(running, rater, EVIL, 5)
    folder = export(running, None, 0, payment=True, comments=True).folder
    for path in folder.glob("*.csv"):
        for separator in ",;\t|:":
            with path.open(newline="") as file:
                cells = [cell for row in csv.reader(file, delimiter=separator) for cell in row]
            assert not [cell for cell in cells if cell.lstrip().startswith(tuple("=+-@"))], path
    (paid,), (said,) = rows(folder, "payment"), rows(folder, "comments")
    for text in (paid["platform_id"], paid["session"], said["comment"]):
        assert as_given(text) == EVIL
    assert as_given(rows(folder, "ratings_long")[0]["prompt"]) == EVIL
    kept = {name: pyarrow.parquet.read_table(folder / f"{name}.parquet") for name in TABLES}
    assert set(kept["plan"]["category"].to_pylist()) == {EVIL}
    assert kept["exclusions"]["reason"].to_pylist()[-1] == EVIL


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "plan", "means"),
    [(study(), KNOWN, {"b": 3.5, "c": 4.0}), (PAIRWISE, PAIRS, {"b": 4.0})],
)
def test_the_r_script_finds_the_better_method(
    tmp_path: Path, settings: object, plan: Plan, means: dict[str, float]
) -> None:
    """Simulated methods are half a point to a point apart; needs R with ordinal and lme4."""
    program = shutil.which("Rscript")
    loads = [program or "Rscript", "-e", "library(ordinal); library(lme4)"]
    if not program or subprocess.run(loads, capture_output=True).returncode:
        pytest.skip("R with the packages ordinal and lme4 is not installed")
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    running = opened_in(tmp_path, database, settings, plan)  # type: ignore[arg-type]
    simulate(running, Crowd(raters=30, careless=0.2), method_merit(running, means))
    folder = export(running, None, 0).folder
    done = subprocess.run(
        [program, "analysis.R"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "SIMULATED raters" in done.stdout
    excluded = any(row["excluded"] == "true" for row in rows(folder, "simulated_raters"))
    assert excluded == ("without excluded raters" in done.stdout)
    best = "b" if settings is PAIRWISE else "methodc"
    table = done.stdout.rpartition("log_odds")[2].splitlines()
    found = [line.split() for line in table if f" {best} " in line]
    assert {words[0] for words in found} == {"alignment", "fidelity", "quality"}
    at = (
        4 if settings is PAIRWISE else 2
    )  # "quality methodc 1.2 ...", "quality b against a 1.2 ..."
    assert all(float(words[at]) > 0.5 for words in found), done.stdout
