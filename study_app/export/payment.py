"""Who is to be paid, by the rules of the recruiting platform: a list apart from the analysis.

Prolific's rules: work is rejected for failed attention checks that say what to answer (one if the
study takes under five minutes, two if it takes longer) or for a time three deviations below the
mean. Whoever fails the questions about the instructions is asked to return, never rejected. Failed
gold, disagreement, variance and the like are no reason: who is excluded for them is paid.
"""

from collections import Counter
from statistics import mean, median, stdev
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError
from study_app.arrival import NEEDS_ID
from study_app.exclusion import outcomes
from study_app.flow import Running
from study_app.monitor import who_rates
from study_app.screens import Screen
from study_app.store.tables import Rater

SHORT = 5.0  # minutes; below, one failed check is enough
COLUMNS = (
    "platform_id",
    "session",
    "platform_study",
    "screen",
    "finished",
    "minutes",
    "traps_failed",
    "completion_code",
    "action",
    "reason",
)
_EARLY = {
    Screen.FAILED: "did not understand the instructions in the tries given; this is no rejection",
    Screen.DECLINED: "did not agree to take part",
    Screen.UNFIT: "the device does not fit",
    Screen.CLOSED: "the study was full or closed",
    Screen.LEFT: "left before the end; what was rated may be paid in part",
}


class Usual(NamedTuple):
    """What raters who finished took, in minutes."""

    typical: float | None
    least: float | None  # below it somebody was exceptionally fast


def payment_rows(running: Running) -> list[dict[str, Any]]:
    """Return a row for each rater of a platform, and what its rules recommend.

    No pseudonym stands here: the list does not tell which answers are whose.
    """
    if running.study.recruiting.kind not in NEEDS_ID:
        raise UserError(
            f"recruiting.kind is {running.study.recruiting.kind!r}: no platform pays anybody"
        )
    with running.database.reading() as session:
        if who_rates(session) in ("simulated", "mixed"):
            raise UserError("the database has simulated raters: nobody pays them")
        failed = _failed_traps(session, running)
        raters = session.scalars(select(Rater).where(Rater.platform_id.is_not(None)))
        found = list(raters.all())
    usual = usual_minutes([spent for rater in found if (spent := minutes(rater)) is not None])
    return [_row(running, rater, failed[rater.id], usual) for rater in found]


def minutes(rater: Rater) -> float | None:
    """Return how long a rater took who finished."""
    if rater.finished is None:
        return None
    return (rater.finished - rater.began) / 60_000


def usual_minutes(spent: list[float]) -> Usual:
    """Return the median, and the mean less three deviations where that says anything."""
    if not spent:
        return Usual(None, None)
    least = mean(spent) - 3 * stdev(spent) if len(spent) > 1 else 0.0
    return Usual(median(spent), least if least > 0 else None)


def action(
    rater: Rater, failed_traps: int, usual: Usual, screen_out: str | None = None
) -> tuple[str, str]:
    """Return what the platform's rules recommend for a rater, and why."""
    if rater.finished is None:
        why = _EARLY.get(Screen(rater.screen))
        if why is None:
            return "wait", f"is at {rater.screen}"
        out = screen_out and rater.screen in (Screen.FAILED, Screen.UNFIT, Screen.CLOSED)
        return ("screen out" if out else "ask to return"), why
    needed = 1 if usual.typical is not None and usual.typical < SHORT else 2
    if failed_traps >= needed:
        return "may be rejected", f"failed {failed_traps} attention checks, {needed} are enough"
    spent = minutes(rater)
    if usual.least is not None and spent is not None and spent < usual.least:
        return (
            "may be rejected",
            f"exceptionally fast: {spent:.1f} minutes, under {usual.least:.1f}",
        )
    return "approve", "finished"


def _failed_traps(session: Session, running: Running) -> Counter[int]:
    found = outcomes(session, running.study, running.plan)
    return Counter(o.rater_id for o in found if o.kind == "trap" and o.failed)


def _row(running: Running, rater: Rater, failed: int, usual: Usual) -> dict[str, Any]:
    codes = running.study.recruiting
    what, why = action(rater, failed, usual, codes.screen_out_code)
    spent = minutes(rater)
    code = codes.completion_code if rater.finished is not None else None
    return {
        "platform_id": rater.platform_id,
        "session": rater.session,
        "platform_study": rater.platform_study,
        "screen": rater.screen,
        "finished": rater.finished is not None,
        "minutes": None if spent is None else round(spent, 1),
        "traps_failed": failed,
        "completion_code": codes.screen_out_code if what == "screen out" else code,
        "action": what,
        "reason": why,
    }
