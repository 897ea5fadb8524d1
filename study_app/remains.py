"""Files of a study that still hold what was erased from its store: exports, copies, logs."""

import re
from collections.abc import Iterable
from mmap import ACCESS_READ, mmap
from pathlib import Path

from dreamix.core.spreadsheet import harmless
from study_app.prepare.media import FOLDER
from study_app.store.address import file_of
from study_app.store.database import Database
from study_app.store.private import BESIDE
from study_app.store.tables import Rater

_TELLING = 6  # bytes; what is shorter may stand anywhere


def private_texts(raters: Iterable[Rater]) -> list[str]:
    """Return what tells who raters are, as it stands in rows."""
    texts = {
        text for r in raters for text in (r.platform_id, r.session, r.comment, r.token) if text
    }
    return sorted(texts)


def files_with(folder: Path, database: Database, texts: Iterable[str]) -> list[Path]:
    """Return the files in a study's folder, but for its store and its clips, that hold a text.

    Compressed files are not looked into.
    """
    forms = {form.encode() for text in texts for form in _written(text)}
    wanted = [re.escape(form) for form in sorted(forms) if len(form) >= _TELLING]
    if not wanted:
        return []
    any_of_them, store = re.compile(b"|".join(wanted)), file_of(database.engine.url)
    own = {store.resolve().with_name(store.name + end) for end in BESIDE} if store else set()
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.resolve() not in own and _is_searched(path, folder)
        if _holds(path, any_of_them)
    ]


def _written(text: str) -> tuple[str, ...]:
    """Return a text as it stands in a row, in a table and in JSON."""
    safe = harmless(text)
    return text, safe, safe.replace('"', '""'), text.replace('"', '\\"')


def _is_searched(path: Path, folder: Path) -> bool:
    return path.relative_to(folder).parts[0] != FOLDER


def _holds(path: Path, texts: re.Pattern[bytes]) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return texts.search(content) is not None
