"""Where reports find the ratings of a study: an export of it as it stands now."""

from pathlib import Path

from study_app.export.writing import export_anew
from study_app.open_study import opened
from study_app.store.database import now


def export_of(folder: Path, database: str | None, out: Path) -> Path | None:
    """Return the folder of a new export of the study in `folder`; None if there is no study."""
    if not (folder / "study.yaml").is_file():
        return None
    with opened(folder, database) as running:
        return export_anew(running, out, now()).folder
