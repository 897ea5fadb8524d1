"""Writes ratings as the export of a study, the folder that `dreamix study export` makes as well."""

import hashlib
import hmac
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from dreamix.core.errors import UserError
from dreamix.core.media import sha256_file
from dreamix.core.records import read_bytes, storing, write_sums, write_whole
from dreamix.core.spreadsheet import write_csv
from dreamix.core.wording import listed, plural
from evaluation.gold.base import GatheredRatings, ImportSettings

SALT_BYTES = 32
PANEL = "panel"  # stands for the raters of whom only the mean is known
_SIMULATED = (
    "> **SIMULATED.** A program made every vote: no figure of it says anything of people.\n\n"
)
CODEBOOK = {  # column -> what it means, what stands in it
    "simulated": ("made by simulated raters, not by people", "true, false"),
    "rater": (f"pseudonym, a keyed hash; `{PANEL}` where only means are known", "r-... or panel"),
    "excluded": ("by a rule or by a researcher: nobody, the origin had done that", "false"),
    "kind": ("why the trial is there", "rating"),
    "video": ("source of the edit: the block of resampling", "id of the origin"),
    "edit": ("edit that was asked for", "id of the origin"),
    "category": ("kind of edit", "of the origin; none where it says none"),
    "prompt": ("text of the edit", "text, or empty"),
    "method": ("method that made the edit", "of the origin"),
    "question": ("what was asked", "of the origin"),
    "value": ("the vote, or the mean of the votes", "on the scale of study.yaml"),
    "line": ("line of the file that it was read from", "integer"),
    "finished": ("rated the whole list: not told, so true", "true"),
    "traps_failed": ("of those answered: none were told", "0"),
    "gold_failed": ("of those answered: none were told", "0"),
    "rule": ("that was broken", "no row: the origin tells of no rule"),
}


class RatingsOrigin(NamedTuple):
    """Where ratings come from, as far as somebody said so."""

    name: str  # of the study
    format: str
    source: str  # where they were published
    licence: str
    success: float  # an edit succeeds if its mean is above this on every question
    unit: str  # what was rated: video or image
    simulated: bool = False  # a program made the votes


def write_ratings(
    found: GatheredRatings,
    asked: ImportSettings,
    origin: RatingsOrigin,
    out: Path,
    beside: Callable[[Path], None] = lambda folder: None,
) -> pd.DataFrame:
    """Return the table of ratings, written to `out` as an export, whole or not at all.

    Raters get pseudonyms with a salt in the file `out`.salt, which stays when it is there.
    beside: writes what else shall be in the folder.
    """
    rows = _long(found, _pseudonyms(found, out, origin.simulated), origin.simulated)
    before = "simulated_" if origin.simulated else ""
    with _whole_folder(out) as folder:
        for name, table in _tables(rows, found.means).items():
            table.to_parquet(folder / f"{before}{name}.parquet", index=False)
            names = [str(column) for column in table]
            rows_of = table.itertuples(index=False)
            lines = [dict(zip(names, row, strict=True)) for row in rows_of]
            write_csv(folder / f"{before}{name}.csv", names, lines)
        facts = _study(rows, found, asked, origin)
        text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True)
        (folder / "study.yaml").write_text(text, encoding="utf-8")
        columns = ("column", "meaning", "values")
        book = [dict(zip(columns, (name, *said), strict=True)) for name, said in CODEBOOK.items()]
        write_csv(folder / "codebook.csv", columns, book)
        (folder / "README.md").write_text(_readme(rows, facts), encoding="utf-8")
        beside(folder)
        write_sums(folder)
    return rows


@contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Yield a folder that becomes `out` when the block ends well, and vanishes if it does not."""
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is not empty: name another folder with --out")
    with storing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            temporary.replace(out)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _pseudonyms(found: GatheredRatings, out: Path, simulated: bool) -> dict[str, str]:
    """Return a name for every rater that tells nothing without the salt."""
    if found.means:
        return {"": PANEL}
    path = out.with_name(f"{out.name}.salt")
    if not path.exists():
        with write_whole(path, private=True) as file:
            file.write(os.urandom(SALT_BYTES))
    salt = read_bytes(path, SALT_BYTES)
    raters = {row.rater for row in found.rows}
    digest = {one: hmac.new(salt, one.encode(), hashlib.sha256).hexdigest() for one in raters}
    start = "simulated" if simulated else "r"
    return {one: f"{start}-{text[:12]}" for one, text in digest.items()}


def _long(found: GatheredRatings, names: dict[str, str], simulated: bool) -> pd.DataFrame:
    rows = pd.DataFrame(found.rows).drop(columns="file")
    rows["rater"] = rows["rater"].map(names)
    rows["video"] = rows.pop("source")
    rows["value"] = rows["value"].astype(np.float64)
    rows["category"] = rows["category"].replace("", "none")
    rows["simulated"], rows["excluded"], rows["kind"] = simulated, False, "rating"
    order = ["simulated", "rater", "excluded", "kind", "video", "edit", "category", "prompt"]
    return rows[[*order, "method", "question", "value", "line"]]


def _tables(rows: pd.DataFrame, means: bool) -> dict[str, pd.DataFrame]:
    """Return the tables of an export; trials and raters are what the ratings tell of them."""
    trial = ["simulated", "rater", "excluded", "kind", "video", "edit", "category", "method"]
    answers = rows.pivot(index=["rater", "edit", "method"], columns="question", values="value")
    wide = rows[trial].drop_duplicates().merge(answers.reset_index())
    raters = rows[["simulated", "rater", "excluded"]].drop_duplicates()
    raters = raters.assign(finished=True, traps_failed=0, gold_failed=0)
    of_plan = ["simulated", "kind", "video", "edit", "category", "prompt", "method"]
    plan = rows[of_plan].drop_duplicates(["edit", "method"])
    none = pd.DataFrame({"rater": pd.Series(dtype=str), "rule": pd.Series(dtype=str)})
    return {
        "ratings_long": rows,
        "ratings_wide": wide,
        "raters": raters,
        "exclusions": none,
        "plan": plan,
    }


def _study(
    rows: pd.DataFrame, found: GatheredRatings, asked: ImportSettings, origin: RatingsOrigin
) -> dict[str, Any]:
    """Return what study.yaml says of imported ratings."""
    low, high, words = asked.scale
    scale: dict[str, Any] = {"low": low, "high": high, "success": origin.success}
    files = [{"file": path.name, "sha256": sha256_file(path)} for path in found.files]
    said = {"format": origin.format, "source": origin.source, "licence": origin.licence}
    return {
        "name": origin.name,
        "design": "absolute",
        "ratings": "means" if found.means else "votes",
        "unit": origin.unit,
        "scale": scale | ({"words": list(words)} if words else {}),
        "questions": list(dict.fromkeys(rows["question"])),
        "methods": sorted(set(rows["method"])),
        "origin": said | {"files": files, "remarks": found.remarks},
    }


def _readme(rows: pd.DataFrame, facts: dict[str, Any]) -> str:
    """Return what the folder is."""
    origin, scale = facts["origin"], facts["scale"]
    what = "mean scores" if facts["ratings"] == "means" else "votes"
    files = "\n".join(f"- `{one['file']}`, SHA-256 {one['sha256']}" for one in origin["files"])
    remarks = "".join(f"\n- {remark}" for remark in origin["remarks"])
    stamp = _SIMULATED if rows["simulated"].any() else ""
    return (
        f"# Ratings collected elsewhere: {facts['name']}\n\n{stamp}"
        f"{plural(len(rows), 'row')}: {what} from {scale['low']:g} to {scale['high']:g} on "
        f"{listed(facts['questions'])}, of {plural(rows['edit'].nunique(), 'edit')} of "
        f"{plural(rows['video'].nunique(), 'source')} by {listed(facts['methods'])}.\n\n"
        f"- Licence: {origin['licence'] or 'not stated'}\n"
        f"- Published at: {origin['source'] or 'not stated'}\n"
        f"- Read as {origin['format']} from:\n\n{files}\n{remarks}\n\n"
        "The tables are those of `dreamix study export`; `codebook.csv` says what every column "
        "means. `dreamix study analyze` makes a page of this folder. Raters bear pseudonyms: the "
        "salt is in a file beside the folder, which is nobody else's.\n"
    )
