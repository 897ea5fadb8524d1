"""What `dreamix study status` says."""

from datetime import UTC, datetime

from dreamix.core.errors import UserError
from dreamix.core.wording import percent, plural
from study_app.monitor import Standing

NO_SIMULATION_IS_DATA = "no figure of simulated raters says anything about people"

_CHECKS = {"trap": "trap", "gold": "gold trial"}


def day(at: int) -> str:
    """Return a time as a date and time of day, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def status_lines(name: str, now: Standing, today: int) -> list[str]:
    """Return how a study stands, a line a subject."""
    return [
        _head(name, now),
        _votes(now),
        *_usable(now),
        *_retired(now),
        _raters(now),
        _pace(now),
        _failures(now),
        f"leases      {plural(now.open_trials.part, 'trial')} held by raters at work, "
        f"{now.open_trials.whole - now.open_trials.part} by raters who fell silent",
        _excluded(now),
        *_declaration(now),
        *_retention(now, today),
    ]


def _head(name: str, now: Standing) -> str:
    since = f" since {day(now.state.since)}" if now.state.since is not None else ""
    said = f"study       {name}: {now.state.name}{since}"
    if now.raters == "simulated":
        return f"{said}; SIMULATED: {NO_SIMULATION_IS_DATA}"
    return f"{said}; MIXED: people and simulated raters" if now.raters == "mixed" else said


def _votes(now: Standing) -> str:
    cells, full = len(now.votes), sum(votes.given >= now.quota for votes in now.votes.values())
    one = 1 in (full, cells)
    all_ = f"all {now.quota}" if now.quota > 1 else "its vote" if one else "their vote"
    return (
        f"votes       {now.counted} of {now.wanted} ({percent(now.counted, now.wanted)}); {full} "
        f"of {plural(cells, 'cell')} {'has' if one else 'have'} {all_}{_lowest(now, full)}"
    )


def _lowest(now: Standing, full: int) -> str:
    """Return how the emptiest cells stand."""
    if full == len(now.votes):
        return ""
    least = min(votes.given for votes in now.votes.values())
    none = sum(votes.given == 0 for votes in now.votes.values())
    has = "has" if none == 1 else "have"
    return f", the fewest is {least}" if least else f", {none} {has} none yet"


def _usable(now: Standing) -> list[str]:
    lost = now.given - now.kept
    if not lost:
        return []
    one = lost == 1
    return [
        f"            {lost} of {plural(now.given, 'vote')} given {'is' if one else 'are'} by "
        f"excluded raters; `study reject` gives {'it' if one else 'them'} to new raters"
    ]


def _retired(now: Standing) -> list[str]:
    if not now.retired:
        return []
    was = "is" if now.retired == 1 else "are"
    return [
        f"            {plural(now.retired, 'vote')} {was} for clips that were made anew or taken "
        "out since: kept apart, counted nowhere"
    ]


def _raters(now: Standing) -> str:
    by_screen = ", ".join(f"{screen} {count}" for screen, count in sorted(now.screens.items()))
    rejected = f", {now.rejected} rejected" * bool(now.rejected)
    done = f"raters      {now.finished} finished, {now.on_their_way} on their way"
    return f"{done}{rejected} ({by_screen or '-'})"


def _pace(now: Standing) -> str:
    if not now.pace or now.minutes is None:
        return "pace        nobody has finished yet"
    ends = f"; at this pace complete about {day(now.ends)}" if now.ends else ""
    spent = plural(round(now.minutes), "minute") if now.minutes >= 0.5 else "less than a minute"
    return (
        f"pace        {now.pace.finished:.1f} finished an hour over the last day, {spent} each "
        f"(median){ends}"
    )


def _failures(now: Standing) -> str:
    parts = [
        f"{part.part} of {plural(part.whole, _CHECKS[kind])}" for kind, part in now.checks.items()
    ]
    checks = f"{', '.join(parts)} failed" if parts else "none answered yet"
    stuck = now.unplayable
    if not stuck.whole:
        return f"checks      {checks}"
    trials = f"{stuck.part} of {plural(stuck.whole, 'trial')}"
    return f"checks      {checks}; {trials} did not play ({percent(*stuck)})"


def _excluded(now: Standing) -> str:
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(now.excluded.items()))
    who = f"{plural(now.excluded_raters, 'rater')} by the rules"
    return f"excluded    {who} ({rules})" if rules else f"excluded    {who}"


def _declaration(now: Standing) -> list[str]:
    if not now.declared:
        return []
    times = len(now.declared.changes)
    amended = f", amended {'once' if times == 1 else f'{times} times'}" if times else ""
    return [f"declared    {now.declared.hash[:12]}, on {day(now.declared.at)}{amended}"]


def _retention(now: Standing, today: int) -> list[str]:
    if now.erase_after is None:
        return []
    if today < now.erase_after:
        return [f"retention   what identifies raters may be kept until {day(now.erase_after)}"]
    return [
        f"retention   HAS RUN OUT on {day(now.erase_after)}: erase what identifies raters with "
        "`dreamix study erase STUDY --everyone`"
    ]


def refuse_mixing(raters: str, coming: str) -> None:
    """Raise a `UserError` if the raters of a database are not of the kind that is coming."""
    if raters not in ("nobody", coming):
        raise UserError(
            f"the database has {raters} raters already, and people and simulated raters never "
            "share one: name another with --database sqlite:///FILE"
        )
