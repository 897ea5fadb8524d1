"""The text of `dreamix study status`."""

from datetime import UTC, datetime

from dreamix.core.wording import percent, plural
from study_app.adaptive import course_lines
from study_app.monitor import StudyStatus

NO_SIMULATION_IS_DATA = "no figure of simulated raters says anything about people"

_CHECKS = {"trap": "trap", "gold": "gold trial"}


def utc_text(at: int) -> str:
    """Return a time as a date and time of day, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def status_lines(name: str, status: StudyStatus, today: int) -> list[str]:
    """Return how a study stands, a line a subject."""
    return [
        _head(name, status),
        _votes(status),
        *_usable(status),
        *_adaptive(status),
        *_retired(status),
        _raters(status),
        _pace(status),
        _failures(status),
        f"leases      {plural(status.open_trials.part, 'trial')} held by raters at work, "
        f"{status.open_trials.whole - status.open_trials.part} by raters who fell silent",
        _excluded(status),
        *_declaration(status),
        *_retention(status, today),
    ]


def _head(name: str, status: StudyStatus) -> str:
    since = f" since {utc_text(status.state.since)}" if status.state.since is not None else ""
    said = f"study       {name}: {status.state.name}{since}"
    if status.raters == "simulated":
        return f"{said}; SIMULATED: {NO_SIMULATION_IS_DATA}"
    return f"{said}; MIXED: people and simulated raters" if status.raters == "mixed" else said


def _votes(status: StudyStatus) -> str:
    full = sum(votes.given >= status.quota for votes in status.votes.values())
    cells, share = len(status.votes), percent(status.counted, status.wanted)
    one = 1 in (full, cells)
    all_ = f"all {status.quota}" if status.quota > 1 else "its vote" if one else "their vote"
    return (
        f"votes       {status.counted} of {status.wanted} ({share}); {full} of "
        f"{plural(cells, 'cell')} {'has' if one else 'have'} {all_}{_lowest(status, full)}"
    )


def _lowest(status: StudyStatus, full: int) -> str:
    """Return how the emptiest cells stand."""
    if full == len(status.votes):
        return ""
    least = min(votes.given for votes in status.votes.values())
    none = sum(votes.given == 0 for votes in status.votes.values())
    has = "has" if none == 1 else "have"
    return f", the fewest is {least}" if least else f", {none} {has} none yet"


def _usable(status: StudyStatus) -> list[str]:
    lost = status.given - status.kept
    if not lost:
        return []
    one = lost == 1
    return [
        f"            {lost} of {plural(status.given, 'vote')} given {'is' if one else 'are'} by "
        f"excluded raters; `study reject` gives {'it' if one else 'them'} to new raters"
    ]


def _adaptive(status: StudyStatus) -> list[str]:
    """Return how pairs of methods stand where votes go to those that are open."""
    lines = course_lines([*status.courses])
    heads = ["adaptive    ", *["            "] * len(lines)]
    return [f"{head}{line}" for head, line in zip(heads, lines, strict=False)]


def _retired(status: StudyStatus) -> list[str]:
    if not status.retired:
        return []
    was = "is" if status.retired == 1 else "are"
    return [
        f"            {plural(status.retired, 'vote')} {was} for clips that were made anew or "
        "taken out since: kept apart, counted nowhere"
    ]


def _raters(status: StudyStatus) -> str:
    by_screen = ", ".join(f"{screen} {count}" for screen, count in sorted(status.screens.items()))
    rejected = f", {status.rejected} rejected" * bool(status.rejected)
    done = f"raters      {status.finished} finished, {status.on_their_way} on their way"
    return f"{done}{rejected} ({by_screen or '-'})"


def _pace(status: StudyStatus) -> str:
    if not status.pace or status.minutes is None:
        return "pace        nobody has finished yet"
    ends = f"; at this pace complete about {utc_text(status.ends)}" if status.ends else ""
    spent = (
        plural(round(status.minutes), "minute") if status.minutes >= 0.5 else "less than a minute"
    )
    return (
        f"pace        {status.pace.finished:.1f} finished an hour over the last day, {spent} each "
        f"(median){ends}"
    )


def _failures(status: StudyStatus) -> str:
    parts = [
        f"{part.part} of {plural(part.whole, _CHECKS[kind])}"
        for kind, part in status.checks.items()
    ]
    checks = f"{', '.join(parts)} failed" if parts else "none answered yet"
    stuck = status.unplayable
    if not stuck.whole:
        return f"checks      {checks}"
    trials = f"{stuck.part} of {plural(stuck.whole, 'trial')}"
    return f"checks      {checks}; {trials} did not play ({percent(*stuck)})"


def _excluded(status: StudyStatus) -> str:
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(status.excluded.items()))
    who = f"{plural(status.excluded_raters, 'rater')} by the rules"
    return f"excluded    {who} ({rules})" if rules else f"excluded    {who}"


def _declaration(status: StudyStatus) -> list[str]:
    if not status.declared:
        return []
    times = len(status.declared.changes)
    amended = f", amended {'once' if times == 1 else f'{times} times'}" if times else ""
    return [f"declared    {status.declared.hash[:12]}, on {utc_text(status.declared.at)}{amended}"]


def _retention(status: StudyStatus, today: int) -> list[str]:
    if status.erase_after is None:
        return []
    if today < status.erase_after:
        return [
            f"retention   what identifies raters may be kept until {utc_text(status.erase_after)}"
        ]
    return [
        f"retention   HAS RUN OUT on {utc_text(status.erase_after)}: erase what identifies raters "
        "with `dreamix study erase STUDY --everyone`"
    ]
