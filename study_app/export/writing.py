"""Writes an export: a folder that says what is in it, whole or not at all."""

import gc
import io
import math
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from sqlalchemy import select

from dreamix.core.errors import UserError
from dreamix.core.records import SUMS, storing, write_json, write_sums
from dreamix.core.spreadsheet import harmless, write_csv
from study_app.adaptive import rule_of, study_courses
from study_app.declaration import current_declaration
from study_app.enrollment import Raters, who_rates
from study_app.exclusion import check_outcomes, recompute_exclusions
from study_app.export import codebook as book
from study_app.export.documents import (
    analysis_script,
    codes_of,
    public_study,
    readme,
    without_codes,
)
from study_app.export.payment import COLUMNS, payment_rows
from study_app.export.reading import read_store
from study_app.export.tables import Tables
from study_app.open_study import Opened
from study_app.pseudonyms import Pseudonyms
from study_app.spec.study import STUDY_FILE as STUDY_FILE
from study_app.store.tables import Rater

PAYMENT = "payment.csv"
DECLARATION = "declaration.json"
ADAPTIVE = "adaptive.json"


class ExportSummary(NamedTuple):
    """What an export holds."""

    folder: Path
    raters: Raters
    rows: dict[str, int]  # of each table


def export(
    running: Opened,
    out: Path | None,
    now: int,
    *,
    payment: bool = False,
    comments: bool = False,
) -> ExportSummary:
    """Return what was written to `out`, by default a folder of its own in the study's folder.

    Exclusions are worked out anew.
    Only its owner can read the folder until they publish it.
    payment:  with platform ids, for paying people and nothing else.
    comments: with what raters wrote, which may tell who they are.

    Raises:
        UserError: for people and simulated raters in one database.
    """
    stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    folder = out or running.folder / "exports" / stamp
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty: name another folder with --out")
    with _uncollected():
        kinds, tables = _tables(running, now)
    with storing(folder):
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            _write(running, temporary, tables, kinds, now)
            _write_asked_for(running, temporary, payment, comments, now)
            write_sums(temporary)
            for path in temporary.iterdir():
                path.chmod(0o600)  # in a folder that nobody else could open meanwhile
            temporary.chmod(0o700)
            temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return ExportSummary(folder, kinds, {name: table.num_rows for name, table in tables.items()})


def export_anew(running: Opened, out: Path, now: int) -> ExportSummary:
    """Return an export in `out`, in place of one that stood there; no other folder is touched."""
    if (out / SUMS).is_file():
        shutil.rmtree(out)
    return export(running, out, now)


def export_bytes(running: Opened, now: int) -> tuple[str, bytes]:
    """Return the name and the bytes of a ZIP file of an export, without payment and comments."""
    with tempfile.TemporaryDirectory() as name:
        done = export(running, Path(name) / "export", now)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            for path in sorted(done.folder.iterdir()):
                file.write(path, path.name)
    return f"{prefix(done.raters)}{running.study.name}.zip", packed.getvalue()


def prefix(kinds: Raters) -> str:
    """Return what stands before the name of every table: nothing, if people rated."""
    return "simulated_" if kinds == "simulated" else ""


def _tables(running: Opened, now: int) -> tuple[Raters, dict[str, pa.Table]]:
    """Return who rated, and the tables, of one state of the store."""
    with running.database.reading() as session:
        kinds = who_rates(session)
    if kinds == "mixed":
        raise UserError(
            "the database has people and simulated raters: an export would mix them; serve and "
            "simulate to databases of their own"
        )
    recompute_exclusions(running, now)
    names = Pseudonyms(running.folder)
    with running.database.reading() as session:
        checks = check_outcomes(session, running.study, running.plan)
        store, known = read_store(session), current_declaration(session)
    return kinds, Tables(running.study, running.plan, store, checks, names.of, known).all()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be looked for meanwhile: there is none, and it takes a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _write(
    running: Opened, folder: Path, tables: dict[str, pa.Table], kinds: Raters, now: int
) -> None:
    before = prefix(kinds)
    for name, table in tables.items():
        pa.csv.write_csv(harmless_table(table), folder / f"{before}{name}.csv")
        pa.parquet.write_table(table, folder / f"{before}{name}.parquet")
    rows = book.codebook(running.study.design, running.study.questions)
    write_csv(folder / "codebook.csv", list(rows[0]), rows)
    study = (running.folder / STUDY_FILE).read_text(encoding="utf-8")
    codes = codes_of(study)
    write_json(folder / DECLARATION, without_codes(_declaration(running), codes))
    if (stopped := _stopping(running)) is not None:
        write_json(folder / ADAPTIVE, stopped)
    (folder / STUDY_FILE).write_text(public_study(study), encoding="utf-8")
    script = analysis_script(running.study, f"{before}{book.LONG}.csv")
    (folder / "analysis.R").write_text(script, encoding="utf-8")
    page = without_codes(readme(running, tables, kinds, now), codes)
    (folder / "README.md").write_text(page, encoding="utf-8")


def _declaration(running: Opened) -> dict[str, Any]:
    """Return what was declared, when and after how many ratings, and every amendment."""
    with running.database.reading() as session:
        found = current_declaration(session)
    return found._asdict() if found else {}


def _stopping(running: Opened) -> dict[str, Any] | None:
    """Return how pairs of methods stand by the declared rule; None for a fixed plan."""
    if running.study.adaptive is None:
        return None
    with running.database.reading() as session:
        found = study_courses(session, running.study, running.plan)
    numbers = [
        {
            k: None if isinstance(v, float) and not math.isfinite(v) else v
            for k, v in one._asdict().items()
        }
        for one in found
    ]
    return {"rule": asdict(rule_of(running.study.adaptive)), "courses": numbers}


def _write_asked_for(
    running: Opened, folder: Path, payment: bool, comments: bool, now: int
) -> None:
    if payment:
        write_csv(folder / PAYMENT, COLUMNS, payment_rows(running, now), private=True)
    if comments:
        names = Pseudonyms(running.folder)
        with running.database.reading() as session:
            said = select(Rater.id, Rater.simulated, Rater.comment).where(Rater.comment != "")
            rows = [
                {"simulated": flag, "rater": names.of(id_, flag), "comment": text}
                for id_, flag, text in session.execute(said.order_by(Rater.id))
            ]
        columns = ("simulated", "rater", "comment")
        write_csv(folder / "comments.csv", columns, rows, private=True)


def harmless_table(table: pa.Table) -> pa.Table:
    """Return a table of which no text is a formula to a spreadsheet; each is looked at once."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            coded = pc.dictionary_encode(table.column(place).combine_chunks())
            texts = coded.dictionary.to_pylist()
            if (safe := [harmless(text) for text in texts]) != texts:
                values = pa.array(safe, pa.string()).take(coded.indices)
                table = table.set_column(place, field, values)
    return table
