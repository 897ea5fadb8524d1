"""What `dreamix study status` says."""

from datetime import UTC, datetime

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from study_app.monitor import Standing

NO_SIMULATION_IS_DATA = "no figure of simulated raters says anything about people"

_CHECKS = {"trap": "traps", "gold": "gold trials"}


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
    full = sum(votes.given >= now.quota for votes in now.votes.values())
    least = min(votes.given for votes in now.votes.values())
    none = sum(votes.given == 0 for votes in now.votes.values())
    lowest = f"the fewest is {least}" if least else f"{none} have none yet"
    share = now.counted / now.wanted
    return (
        f"votes       {now.counted} of {now.wanted} ({share:.0%}); {full} of {len(now.votes)} "
        f"cells have all {now.quota}, {lowest}"
    )


def _usable(now: Standing) -> list[str]:
    if now.kept == now.given:
        return []
    return [
        f"            {now.kept} of {now.given} are by raters whom no rule excludes; "
        "`study reject` gives the others to new raters"
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
    ends = f"; complete about {day(now.ends)} if it goes on so" if now.ends else ""
    return (
        f"pace        {now.pace.finished:.1f} finished an hour over the last day, "
        f"{plural(round(now.minutes), 'minute')} each (median){ends}"
    )


def _failures(now: Standing) -> str:
    parts = [f"{part.part} of {part.whole} {_CHECKS[kind]}" for kind, part in now.checks.items()]
    checks = f"{', '.join(parts)} failed" if parts else "none answered yet"
    stuck = now.unplayable
    share = f" ({stuck.part / stuck.whole:.1%})" if stuck.whole else ""
    return f"checks      {checks}; {stuck.part} of {stuck.whole} trials did not play{share}"


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
