"""What is kept of an audit, `audit.json`: the judge, the probes, the verdicts by ability.

An audit is of a model, its wordings, its parameters and its frame policy together. Where any of
them is another, it says nothing.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dreamix.core.errors import UserError
from dreamix.core.records import to_json, write_json
from dreamix.core.typed import STRICT, read_typed
from evaluation.judge.audit.rules import ABILITIES, RULES, Verdict, together

if TYPE_CHECKING:
    from evaluation.judge.audit.finding import Finding

FILE = "audit.json"
REVISION = 1  # goes up when probes ask or count otherwise
Part = Literal["alignment", "fidelity", "quality", "exclusivity"]


@dataclass(frozen=True)
class Probe:
    """A statistic with its interval and what follows; None where it has no value."""

    __pydantic_config__ = STRICT
    value: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    sources: int
    rule: str

    @classmethod
    def of(cls, found: "Finding") -> "Probe":
        """Return what is kept of a finding that decides something."""
        ends = (_kept(found.value), _kept(found.low), _kept(found.high))
        return cls(*ends, found.verdict or "cannot be told", found.sources, RULES[found.name].words)


@dataclass(frozen=True)
class AuditRecord:
    """The outcome of one audit."""

    __pydantic_config__ = STRICT
    identity: str  # hash of model, wordings, parameters and frame policy
    model: str
    form: Literal["token", "json"]
    frames: dict[str, Any]
    world: str
    seed: int
    sources: int
    questions: int
    probes: dict[str, Probe]
    shown: dict[str, list[float | None]]  # statistics that decide nothing: value, low, high
    categories: dict[str, dict[str, Probe]]
    abilities: dict[str, Verdict]
    failures: dict[str, int] = field(default_factory=dict)  # status of an answer -> how many
    notes: list[str] = field(default_factory=list)
    toolkit: str = ""
    revision: int = REVISION

    @property
    def line(self) -> str:
        """Return the audit in a line, as it stands under tables of the judge's scores."""
        told = {
            verdict: [name for name in ABILITIES if self.abilities.get(name) == verdict]
            for verdict in ("passes", "fails", "cannot be told")
        }
        parts = [f"{word}: {', '.join(names)}" for word, names in told.items() if names]
        return f"audit {self.identity} on {self.sources} {self.world} sources; {'; '.join(parts)}"

    @property
    def digest(self) -> str:
        """Hash of all verdicts: what decides to which edits metrics apply."""
        told = {
            category: {name: one.verdict for name, one in held.items()}
            for category, held in {"": self.probes, **self.categories}.items()
        }
        return hashlib.sha256(to_json([self.identity, told]).encode()).hexdigest()[:12]

    def why_not(self, part: str, category: str, *, is_motion: bool) -> str | None:
        """Return why the judge's metric does not apply to an edit; None where it does.

        part: alignment, fidelity, quality, exclusivity. is_motion: whether the edit asks for one.
        """
        of_category = self.categories.get(category, {})
        for name, rule in RULES.items():
            if part not in rule.metrics or (rule.of_motion and not is_motion):
                continue
            verdicts = [held[name].verdict for held in (self.probes, of_category) if name in held]
            if "fails" in verdicts:
                return f"not judged: {ABILITIES[rule.ability]}"
        return None

    def save(self, folder: Path) -> None:
        """Write it to `audit.json` in a folder."""
        write_json(folder / FILE, asdict(self))


def record_of(
    *, found: "Sequence[Finding]", by_category: "Mapping[str, Iterable[Finding]]", **facts: Any
) -> AuditRecord:
    """Return the record of an audit.

    found: all statistics. by_category: those of each category. facts: the other fields.
    """
    probes = {one.name: Probe.of(one) for one in found if one.verdict is not None}
    return AuditRecord(
        probes=probes,
        shown={one.name: [_kept(n) for n in one[1:4]] for one in found if one.verdict is None},
        categories={
            name: {one.name: Probe.of(one) for one in part if one.verdict is not None}
            for name, part in by_category.items()
        },
        abilities=abilities_of(probes),
        **facts,
    )


def abilities_of(probes: Mapping[str, Probe]) -> dict[str, Verdict]:
    """Return the verdict on each ability that was examined: it fails with one of its probes."""
    found: dict[str, list[Verdict]] = {}
    for name, probe in probes.items():
        found.setdefault(RULES[name].ability, []).append(probe.verdict)
    return {ability: together(found[ability]) for ability in ABILITIES if ability in found}


def read_audit(path: Path) -> AuditRecord:
    """Return the record in a file, or in a folder's `audit.json`.

    Raises:
        UserError: if it is none.
    """
    path = path / FILE if path.is_dir() else path
    found = read_typed(path, AuditRecord)
    if found.revision != REVISION:
        raise UserError(
            f"{path}: an audit of revision {found.revision}, and this is revision {REVISION}: "
            "audit the judge again"
        )
    unknown = {*found.probes} - {*RULES}
    if unknown:
        raise UserError(f"{path}: no probe is called {', '.join(sorted(unknown))}")
    return found


def _kept(number: float) -> float | None:
    return None if math.isnan(number) else round(float(number), 6)
