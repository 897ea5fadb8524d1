"""The rows that all tools share, and where they stand in a run folder.

run.json         what was run: suite, methods, seeds, versions; and the metrics of the last score
suite.json       the suite as it was, so that the folder can be read without it
sources/         the source clips, VIDEO.mp4, and beside each VIDEO.json: where it came from;
                 masks/VIDEO.npz where the suite has masks
clips/           METHOD/EDIT/SEED.mp4 and beside each SEED.json: status, seed, sha256, seconds
scores.jsonl     one `ScoreRow` a line, sorted
scores.parquet   the same as a table
finetuned/       weights that methods tuned to a source video; may be removed, is made again
judgements/      what judges answered, NAME.jsonl: every judgement whole
features/        embeddings, by model and clip
report/          the report page
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import AfterValidator, Field

from dreamix.core.names import shown
from dreamix.core.typed import STRICT, Name

# Of the run folder; 2 added `facts` to the sidecars and `backend` to the methods, 3 lists seeds.
Format = Literal[1, 2, 3]
FORMAT: Format = 3
READABLE = get_args(Format)
LARGEST_SCORE = 1e100  # of others: the sum of the squares of a million such is a number
MOST_FRAMES = 1_000_000  # of a clip, in a row of scores
Status = Literal["ok", "failed", "n/a"]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what a column of a table holds
Frames = Annotated[list[float], Field(max_length=MOST_FRAMES)]
Remarks = Annotated[list[str], Field(max_length=20)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _sound_origin(origin: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return where a clip came from; one without a path that can be looked up is a `ValueError`."""
    path = origin.get("path") if origin is not None else ""
    if not isinstance(path, str) or "\0" in path or max(map(len, path.split("/"))) > 255:
        raise ValueError(f"path should be a path, not {shown(path)}")
    return origin


Origin = Annotated[dict[str, Any] | None, AfterValidator(_sound_origin)]


def _sound_facts(facts: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return facts; one that reports work with and that is no number is a `ValueError`."""
    spent = (facts or {}).get("finetune_seconds")
    if isinstance(spent, bool) or not isinstance(spent, int | float | None):
        raise ValueError(f"finetune_seconds should be a number, not {shown(spent)}")
    return facts


Axis = Literal["alignment", "fidelity", "quality", "motion", "other"]  # other: nobody said
AXES: tuple[Axis, ...] = get_args(Axis)


class Cell(NamedTuple):
    """One clip of the grid edits x methods x seeds."""

    method: str
    edit: str
    seed: int


@dataclass(frozen=True)
class ClipRow:
    """What is known of one clip: the sidecar beside it."""

    __pydantic_config__ = STRICT
    method: Name
    edit: Name
    seed: Seed
    status: Status
    reason: str | None = None  # why there is no clip
    file: str | None = None  # name of the clip, in the sidecar's folder
    sha256: Sha256 | None = None
    size: int | None = None  # bytes
    seconds: float | None = None  # wall time of the method, without writing the file
    peak_memory_mb: float | None = None  # highest resident size of the process until then
    config: str | None = None  # hash of the method's configuration
    origin: Origin = None  # of a file that was brought in, see identity.py
    toolkit: str | None = None  # version that made it
    # what the method has to say of how it made the clip
    facts: Annotated[dict[str, Any] | None, AfterValidator(_sound_facts)] = None

    @property
    def cell(self) -> Cell:
        """The clip this row is about."""
        return Cell(self.method, self.edit, self.seed)

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class ScoreRow:
    """One metric of one clip."""

    __pydantic_config__ = STRICT
    method: str
    edit: str
    seed: Seed
    metric: str
    status: Status
    video: str
    category: str
    definition: str  # hash of metric version, models and frame policy: what the number means
    clip: str | None = None  # sha256 of the clip that was scored
    value: float | None = None  # None unless status is ok
    reason: str | None = None  # why there is no value
    note: str | None = None  # what a reader must know about the value
    frames: Frames | None = None  # values per frame, or per pair of frames
    source_value: float | None = None  # the same metric on the source itself
    delta: float | None = None  # value - source_value
    pairs: int | None = None  # frames compared with the source
    share: float | None = None  # share of the longer clip's duration that was compared
    covers: float | None = None  # share of the source that the clip covers; the same in all metrics
    remarks: Remarks | None = None  # how the clip was read, where a reader must know it

    @property
    def cell(self) -> Cell:
        """The clip this row is about."""
        return Cell(self.method, self.edit, self.seed)

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What there is one row of."""
        return self.method, self.edit, self.seed, self.metric

    def is_of(self, clip: ClipRow, definition: str) -> bool:
        """Return True if it is of this clip and of this definition of its metric."""
        return self.definition == definition and self.clip == clip.sha256

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON can hold it, without empty fields."""
        return {name: value for name, value in vars(self).items() if value is not None}


def finetune_seconds(facts: dict[str, Any] | None) -> float:
    """Return what a clip's facts say was spent on finetuning; 0 if nothing was, or nothing said."""
    return float((facts or {}).get("finetune_seconds") or 0.0)


def kind_of_reason(reason: str, edit: str) -> str:
    """Return a reason with {edit} for the id of its edit, so that a thousand lost files are one.

    An id that may be a plain word is replaced in paths and quotes only. Where any other stands
    nowhere by itself, it may be joined to other names by _, as in {edit}_{method}.mp4.
    """
    sure, name = re.search(r"[\d_-]", edit), re.escape(edit)
    before = "" if sure else r"(?<=[/\\'\"])"
    found = re.sub(rf"{before}(?<!\w){name}(?!\w)", "{edit}", reason)
    if sure and found == reason:
        return re.sub(rf"(?<![^\W_]){name}(?![^\W_])", "{edit}", reason)
    return found


def counted_reasons(failed: Iterable[tuple[str, str]]) -> Counter[str]:
    """Return how many of (reason, edit) have which reason: reasons of one kind count together.

    A kind is named by its reason where all of them have the same, else with {edit} for the edit.
    """
    kinds: dict[str, Counter[str]] = {}
    for reason, edit in failed:
        kinds.setdefault(kind_of_reason(reason, edit), Counter())[reason] += 1
    told = {kind: next(iter(found)) if len(found) == 1 else kind for kind, found in kinds.items()}
    return Counter({told[kind]: found.total() for kind, found in kinds.items()})
