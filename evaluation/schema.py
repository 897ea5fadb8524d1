"""The rows that all tools share, and where they stand in a run folder.

run.json         what was run: suite, methods, seeds, versions; and the metrics of the last score
suite.json       the suite as it was, so that the folder can be read without it
sources/         the source clips, VIDEO.mp4, and beside each VIDEO.json: where it came from;
                 masks/VIDEO.npz where the suite has masks
clips/           METHOD/EDIT/SEED.mp4 and beside each SEED.json: status, seed, sha256, seconds
scores.jsonl     one `ScoreRow` a line, sorted
scores.parquet   the same as a table
finetuned/       weights that methods tuned to a source video; may be removed, is made again
features/        embeddings, by model and clip
report/          the report page
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from dreamix.core.errors import UserError

FORMAT = 2  # of the run folder; 2 added `facts` to the sidecars and `backend` to the methods
READABLE = (1, 2)
Status = Literal["ok", "failed", "n/a"]


def check_format(folder: Path, info: dict[str, Any]) -> None:
    """Raise a `UserError` if run.json, read as `info`, is of a format that we do not read."""
    if info.get("format") not in READABLE:
        known = " and ".join(map(str, READABLE))
        raise UserError(f"{folder} has run format {info.get('format')}; this version reads {known}")


class Cell(NamedTuple):
    """One clip of the grid edits x methods x seeds."""

    method: str
    edit: str
    seed: int


@dataclass(frozen=True)
class ClipRow:
    """What is known of one clip: the sidecar beside it."""

    method: str
    edit: str
    seed: int
    status: Status
    reason: str | None = None  # why there is no clip
    file: str | None = None  # name of the clip, in the sidecar's folder
    sha256: str | None = None
    size: int | None = None  # bytes
    seconds: float | None = None  # wall time of the method, without writing the file
    peak_memory_mb: float | None = None  # highest resident size of the process until then
    config: str | None = None  # hash of the method's configuration
    origin: dict[str, Any] | None = None  # path, size, mtime of a file that was brought in
    toolkit: str | None = None  # version that made it
    facts: dict[str, Any] | None = None  # what the method has to say of how it made the clip

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class ScoreRow:
    """One metric of one clip."""

    method: str
    edit: str
    seed: int
    metric: str
    status: Status
    video: str
    category: str
    definition: str  # hash of metric version, models and frame policy: what the number means
    clip: str | None = None  # sha256 of the clip that was scored
    value: float | None = None  # None unless status is ok
    reason: str | None = None  # why there is no value
    note: str | None = None  # what a reader must know about the value
    frames: list[float] | None = None  # values per frame, or per pair of frames
    source_value: float | None = None  # the same metric on the source itself
    delta: float | None = None  # value - source_value
    pairs: int | None = None  # frames compared with the source
    share: float | None = None  # share of the longer clip's duration that was compared

    @property
    def cell(self) -> Cell:
        """The clip this row is about."""
        return Cell(self.method, self.edit, self.seed)

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What there is one row of."""
        return self.method, self.edit, self.seed, self.metric

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON can hold it, without empty fields."""
        return {name: value for name, value in vars(self).items() if value is not None}


def finetune_seconds(facts: dict[str, Any] | None) -> float:
    """Return what a clip's facts say was spent on finetuning; 0 if nothing was, or nothing said."""
    return float((facts or {}).get("finetune_seconds") or 0.0)
