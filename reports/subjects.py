"""The subjects of a report, found in the files of `reports.people` and in other packages.

    @subject("votes", "raters", after="panel")
    def votes_part(people: People) -> ReportPart | None: ...

A subject is a function of what it is about: it returns a `ReportPart`, several, or None where it
has nothing to say. What it is about tells when it is asked:

    metrics             the `RunSummary` of a run
    metrics alone       the same, where nobody was asked
    raters              the `People` of a study that asks for votes
    single votes        the same, where not only mean scores are known
    ordinal             the same and whom to tell of progress, where ordinal models were asked for
    pairs               the `Pairs` of a study that asks for choices
    metrics and raters  the `Joint` of a run and a study of its clips
    helped              the same and the metrics that were named to help the votes
"""

import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from dreamix.core.packages import Package, entries, note
from dreamix.core.registry import Registry
from reports.parts import ReportPart

Of = Literal[
    "metrics",
    "metrics alone",
    "raters",
    "single votes",
    "ordinal",
    "pairs",
    "metrics and raters",
    "helped",
]
Made = ReportPart | list[ReportPart] | None
F = Callable[..., Made]
LIBRARIES = ("dreamix-toolkit", "numpy", "scipy", "pandas", "matplotlib", "av")


@dataclass(frozen=True)
class ReportSubject:
    """One subject; its name is the id of its section, its `after` the one that it follows."""

    name: str
    of: tuple[Of, ...]
    make: F
    after: str | None


SUBJECTS: Registry[ReportSubject] = Registry(
    "report subject", "reports.people", "dreamix.report_subjects"
)


def subject(name: str, *of: Of, after: str | None = None) -> Callable[[F], F]:
    """Return a decorator that registers a subject under `name` and gives it back unchanged.

    after: the subject that it stands behind; without one it stands at the end.
    """

    def add(make: F) -> F:
        SUBJECTS.add(name, ReportSubject(name, of, make, after), make.__module__)
        return make

    return add


def parts_on(given: dict[Of, tuple[Any, ...]]) -> list[ReportPart]:
    """Return what the subjects have to say of what is given, in the order of the page.

    given: what each kind of subject is called with; kinds that are not among them are left out.
    """
    calls = [(one, given[of]) for one in ordered() for of in one.of if of in given]
    return [part for one, arguments in calls for part in _made(one, arguments)]


def ordered() -> list[ReportSubject]:
    """Return all subjects as they follow each other: those of other packages before the next."""
    every = [SUBJECTS.get(name) for name in SUBJECTS.names()]
    ours = {one.name for one in every if not SUBJECTS.brought_by(one.name)}
    first = [one for one in every if one.after not in SUBJECTS.names()]
    found: dict[str, ReportSubject] = {}

    def add(one: ReportSubject) -> None:
        found[one.name] = one
        next_ = [other for other in every if other.after == one.name and other.name not in found]
        for other in sorted(next_, key=lambda other: other.name in ours):
            add(other)

    for one in [*sorted(first, key=lambda one: one.name not in ours), *every]:
        if one.name not in found:
            add(one)
    return [*found.values()]


def _made(one: ReportSubject, arguments: tuple[Any, ...]) -> list[ReportPart]:
    """Return the parts of a subject. One of another package that fails says so in their place."""
    package = SUBJECTS.brought_by(one.name)
    if package is None:
        return listed_parts(one.make(*arguments))
    try:
        return [_apart(part, package) for part in listed_parts(one.make(*arguments))]
    except Exception as error:  # noqa: BLE001 - it costs its own section, not the report
        why = f"package {package}: report subject {one.name!r}: {type(error).__name__}: {error}"
        note(why)
        return [
            _apart(ReportPart(one.name, one.name, notes=(f"This section failed: {why}.",)), package)
        ]


def listed_parts(made: Made) -> list[ReportPart]:
    """Return what a subject made as a list, empty where it has nothing to say."""
    if isinstance(made, ReportPart):
        return [made]
    return [part for part in made or () if part is not None]


def _apart(part: ReportPart, package: Package) -> ReportPart:
    """Return a part whose section and files cannot be taken for those of others."""
    if not isinstance(part, ReportPart):
        raise TypeError(f"it returned {type(part).__name__}, not a Part")
    before = re.sub(r"[^a-z0-9]+", "_", package.name.lower()).strip("_")
    return part._replace(
        id=f"{before}-{part.id}".replace("_", "-"),
        drawings=tuple(one._replace(name=f"{before}_{one.name}") for one in part.drawings),
        tables=tuple(replace(one, name=f"{before}_{one.name}") for one in part.tables),
        folded=tuple(replace(one, name=f"{before}_{one.name}") for one in part.folded),
        frames=tuple((f"{before}_{name}", frame) for name, frame in part.frames),
        files=tuple((f"{before}_{name}", text) for name, text in part.files),
    )


def made_with() -> dict[str, str]:
    """Return what makes a report: version by name, packages that bring subjects of it included."""
    brought = [one.package for one in entries("dreamix.report_subjects") if one.package]
    ours = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return ours | {package.name: package.version for package in brought}
