"""Which runs and studies may join a site: every reason against any of them, at once.

What holds between entries is looked at here (one suite, one set of sources, the same seeds, which
version of a method is the latest), what holds of a run alone in `reports.leaderboard.check`. The
order in which runs are named decides nothing.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.core.progress import Progress
from dreamix.core.wording import listed
from evaluation.run.folder import RunFolder
from reports.leaderboard.check import CheckedRun, check_run
from reports.leaderboard.entry import BoardSuite, Entry
from reports.leaderboard.site_data import BoardFile, SiteData, fuller, with_title
from reports.leaderboard.views import views_of
from reports.leaderboard.votes import StudyResults, check_export, study_results
from reports.people.export import StudyExport, read_export
from reports.summary import IntervalSettings

BOARD = "the leaderboard"  # what reasons are about that hold between entries


class AdmissionTerms(NamedTuple):
    """What the command says of all submissions."""

    licence: str = ""  # of methods of which nothing is stated
    title: str | None = None
    seeds: tuple[int, ...] | None = None


class Admission(NamedTuple):
    """What came of looking at everything: reasons by what they are about, else the new site."""

    reasons: dict[str, list[str]]  # where -> why not
    data: SiteData | None  # None: something was refused
    entered: list[Entry]  # by this command, anchors left out


def admit(
    before: SiteData | None,
    runs: Sequence[Path],
    studies: Sequence[Path],
    terms: AdmissionTerms,
    how: IntervalSettings,
    progress: Progress,
) -> Admission:
    """Return what a site would hold with these runs and studies, or every reason against them."""
    steps = _Steps(progress, _places(runs))
    ordered = sorted({path.resolve(): path for path in runs}.items())
    checked = [check_run(path, terms.licence, steps) for _, path in ordered]
    reasons = {str(one.path): list(one.reasons) for one in checked}
    suite = _suite(before, checked, reasons)
    new = _fullest([entry for one in checked for entry in one.entries], reasons)
    stored = before.entries if before else {}
    anchors = {id_: fuller(one, stored[id_]) for id_, one in new.items()
               if one.anchor and id_ in stored}  # fmt: skip
    entries = stored | new | anchors
    if suite is None:
        return Admission(_given(reasons), None, [])
    board = with_title(before.board if before else BoardFile(suite), terms.title, terms.seeds)
    between = [*_seeds(entries, board.seeds), *_sources(entries), *_dates(entries)]
    known = list(before.studies.values()) if before else []
    found = [(folder, _study(folder, suite, new, entries, known, reasons)) for folder in studies]
    between += _twice([bound for _, bound in found])
    reasons[BOARD] = [*reasons.get(BOARD, []), *between]
    if refused := _given(reasons):
        return Admission(refused, None, [])
    data = SiteData(board, entries, dict(before.studies) if before else {})
    for folder, bound in found:
        told = reasons[str(folder)]
        _add_study(data, folder, bound.entries, how, steps, told)
    refused = _given(reasons)
    entered = [one for one in new.values() if not one.anchor]
    return Admission(refused, None if refused else data, [] if refused else entered)


def _add_study(
    data: SiteData,
    folder: Path,
    entries: dict[str, str],
    how: IntervalSettings,
    steps: "_Steps",
    told: list[str],
) -> None:
    """Put the results of a study into the data, or why there are none among the reasons."""
    suite = data.board.suite
    views = views_of(suite)
    steps.total += len(views)
    try:
        one = study_results(folder, suite, entries, views, how, steps)
    except UserError as error:
        told += error.lines
    else:
        data.studies[one.id] = one


class _Steps:
    """Counts what was looked at and tells of it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self) -> None:
        self.done += 1
        self.total = max(self.total, self.done)
        self.progress(self.done, self.total)


def _given(reasons: dict[str, list[str]]) -> dict[str, list[str]]:
    return {where: found for where, found in reasons.items() if found}


def _places(runs: Iterable[Path]) -> int:
    """Return how many clips there are to look at, as far as runs tell."""
    total = 0
    for path in runs:
        try:
            info = RunFolder(path).info
        except UserError:
            continue
        total += len(info.edits) * sum(len(method.seeds) for method in info.methods.values())
    return total


def _suite(
    before: SiteData | None, checked: list[CheckedRun], reasons: dict[str, list[str]]
) -> BoardSuite | None:
    """Return the one suite of all; runs of others are refused, each by name."""
    read = [one for one in checked if one.suite]
    ours = before.board.suite if before else None
    known = {one.suite.sha256 for one in read if one.suite} | ({ours.sha256} if ours else set())
    if len(known) > 1:
        whose = [f"{one.path} is of {one.suite.said}" for one in read if one.suite]
        whose += [f"the site is of {ours.said}"] if ours else []
        for one in read:
            if not ours or (one.suite and one.suite.sha256 != ours.sha256):
                reasons[str(one.path)].append(
                    f"suite: entries of one suite version alone share a page, and {listed(whose)}"
                )
        return None
    if ours:
        return ours
    suites = [one.suite for one in read if one.suite]
    return min(suites, key=lambda suite: (suite.name, suite.version, suite.licence), default=None)


def _fullest(entries: list[Entry], reasons: dict[str, list[str]]) -> dict[str, Entry]:
    """Return entries by id; the same clips told of in two ways are refused, but for anchors."""
    found: dict[str, Entry] = {}
    for one in entries:
        other = found.setdefault(one.id, one)
        if other != one and not one.anchor:
            reasons.setdefault(BOARD, []).append(
                f"entries: {one.label} is in two of the runs with the same clips and other words "
                "or metrics: name one of them"
            )
        found[one.id] = fuller(one, other) if one.anchor else other
    return found


def _seeds(entries: dict[str, Entry], wanted: tuple[int, ...] | None) -> list[str]:
    """Return what is wrong with the seeds of entries that draw random numbers."""
    drawn = [one for one in entries.values() if not one.anchor and not one.facts.deterministic]
    by_seeds: dict[tuple[int, ...], list[str]] = {}
    for one in sorted(drawn, key=lambda one: one.id):
        lacking = wanted and set(wanted) - set(one.seeds)
        key = tuple(sorted(one.seeds))
        if lacking or wanted is None:
            by_seeds.setdefault(key, []).append(one.label)
    told = [f"{', '.join(map(str, seeds))} of {listed(labels)}"
            for seeds, labels in sorted(by_seeds.items())]  # fmt: skip
    advice = "`deterministic: true` in submission.yaml says that a method draws no random numbers"
    if wanted and told:
        counted = ", ".join(map(str, wanted))
        return [f"seeds: {counted} count here, there are {'; '.join(told)}; {advice}"]
    if len(told) > 1:
        return [
            f"seeds: not all methods have the same: {'; '.join(told)}. --seeds names those that "
            f"count of each; {advice}"
        ]
    return []


def _sources(entries: dict[str, Entry]) -> list[str]:
    """Return which videos have other bytes in other entries."""
    known: dict[str, tuple[str, str]] = {}
    wrong: dict[tuple[str, str], list[str]] = {}
    for one in sorted(entries.values(), key=lambda one: one.id):
        for video, digest in one.sources.items():
            label, before = known.setdefault(video, (one.label, digest))
            if before != digest:
                wrong.setdefault((label, one.label), []).append(video)
    return [
        f"hashes: {a} and {b} edited other source clips under the same names: "
        f"{', '.join(videos[:3])}" + (f" and {len(videos) - 3} more" if len(videos) > 3 else "")
        for (a, b), videos in wrong.items()
    ]


def _dates(entries: dict[str, Entry]) -> list[str]:
    """Return of which methods it cannot be told which version is the latest."""
    families: dict[tuple[str, str], list[Entry]] = {}
    for one in sorted(entries.values(), key=lambda one: one.id):
        if not one.anchor:
            families.setdefault(one.family, []).append(one)
    found = []
    for family in families.values():
        dates = [one.facts.date for one in family]
        if len(set(dates)) < len(dates):
            first = family[0].facts
            found.append(
                f"versions: {first.name} was entered {len(family)} times, and dates do not tell "
                "which is the latest: give each its `date` in submission.yaml, or another `name`"
            )
    return found


class _BoundStudy(NamedTuple):
    """A study by its name, and the entries of its methods by label."""

    name: str
    simulated: bool
    entries: dict[str, str]


def _twice(studies: list[_BoundStudy]) -> list[str]:
    """Return which studies were given as two exports, of which one would hide the other."""
    names = [one.name for one in studies if one.name and studies.count(one) > 1]
    return [f"study: {name} was given more than once" for name in sorted(set(names))]


def _study(
    folder: Path,
    suite: BoardSuite,
    new: dict[str, Entry],
    entries: dict[str, Entry],
    known: list[StudyResults],
    reasons: dict[str, list[str]],
) -> _BoundStudy:
    """Return the entries of a study's methods; else there are reasons.

    known: the studies of the site: votes were for the clips of then, and are of no others.
    """
    told = reasons.setdefault(str(folder), [])
    try:
        export = read_export(folder)
    except UserError as error:
        told += error.lines
        return _BoundStudy("", False, {})
    told += check_export(export, suite)
    bound = _bound(export, new, entries, told)
    for one in known:
        if one.ratings_sha256 == export.ratings_sha256 and one.entries != bound:
            told.append(
                f"study: these votes are on the site already, as {one.name} of other entries "
                f"({listed(sorted(one.entries.values()))}): remove data/studies/{one.id}.json of "
                "the site first, if that was a mistake"
            )
    return _BoundStudy(export.name, export.simulated, bound)


def _bound(
    export: StudyExport, new: dict[str, Entry], entries: dict[str, Entry], told: list[str]
) -> dict[str, str]:
    """Return which entry each method of a study is: of this command's, else of the site's."""
    found = {}
    for label in export.methods:
        of_label = [
            [id_ for id_, one in some.items() if one.label == label] for some in (new, entries)
        ]
        ids = next((ids for ids in of_label if ids), [])
        if len(ids) > 1:
            told.append(
                f"study: {export.name} rated {label}, which {len(ids)} entries are called: enter "
                "the study together with its run alone"
            )
        elif ids:
            found[label] = ids[0]
    if not any(not entries[id_].anchor for id_ in found.values()):
        told.append(
            f"study: {export.name} rated {listed(export.methods)}, none of which is entered"
        )
    return found
