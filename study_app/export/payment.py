"""Who is to be paid, by the rules of the recruiting platform: a list apart from the analysis.

Prolific's rules: work is rejected for failed attention checks that say what to answer (one if the
study takes under five minutes, two if it takes longer) or for a time three deviations below the
mean. A rater who fails the instruction quiz is asked to return the task, never rejected. Failed
gold, disagreement, variance and the like are no reason: who is excluded for them is paid.
"""

from collections import Counter
from statistics import mean, median, stdev
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError
from dreamix.core.wording import plural
from study_app.enrollment import who_rates
from study_app.exclusion import check_outcomes
from study_app.open_study import Opened
from study_app.plan import OWN
from study_app.platforms import NEEDS_ID
from study_app.pseudonyms import EARLY, FINISHED, end_code
from study_app.state import Screen
from study_app.store.tables import Rater, Trial

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
    Screen.NO_PLAY: "too many clips did not play: look at what was answered, and decide",
    Screen.FULL: "all places were taken",
    Screen.CLOSED: "the study was closed",
    Screen.LEFT: "left before the end; what was rated may be paid in part",
}


class Usual(NamedTuple):
    """What raters who finished took, in minutes."""

    typical: float | None
    least: float | None  # below it somebody was exceptionally fast


def payment_rows(running: Opened, now: int) -> list[dict[str, Any]]:
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
        failed, rated = _failed_traps(session, running), _rated(session)
        raters = session.scalars(select(Rater).where(Rater.platform_id.is_not(None)))
        found, unclear = list(raters.all()), _set_back(session)
    times = [minutes(rater) for rater in found if rater.id not in unclear]
    usual = usual_minutes([spent for spent in times if spent is not None])
    of = [usual._replace(least=None) if rater.id in unclear else usual for rater in found]
    return [
        _row(running, rater, failed[rater.id], rated[rater.id], own, now)
        for rater, own in zip(found, of, strict=True)
    ]


def minutes(rater: Rater) -> float | None:
    """Return how long a rater took who finished; None if the server's clock does not tell."""
    if rater.finished is None or rater.finished < rater.began:
        return None
    return (rater.finished - rater.began) / 60_000


def usual_minutes(spent: list[float]) -> Usual:
    """Return the median, and the mean less three deviations where that says anything."""
    if not spent:
        return Usual(None, None)
    least = mean(spent) - 3 * stdev(spent) if len(spent) > 1 else 0.0
    return Usual(median(spent), least if least > 0 else None)


def action(
    rater: Rater,
    failed_traps: int,
    usual: Usual,
    screen_out: str | None = None,
    silent: float = 0.0,
    rated: int = 1,
) -> tuple[str, str]:
    """Return what the platform's rules recommend for a rater, and why.

    silent: minutes without a sign of life, beyond what a list waits for.
    rated:  ratings that were given; practice and checks are none.
    """
    if rater.finished is None:
        why = _EARLY.get(Screen(rater.screen))
        if why is None and silent > 0:
            return "ask to return", f"timed out: no sign of life at {rater.screen}"
        if why is None:
            return "wait", f"is at {rater.screen}"
        if rater.screen == Screen.NO_PLAY:
            return "review", why
        out = screen_out and rater.screen in (
            Screen.FAILED,
            Screen.UNFIT,
            Screen.FULL,
            Screen.CLOSED,
        )
        return ("screen out" if out else "ask to return"), why
    if not rated:
        return "review", "finished without a rating"
    needed = 1 if usual.typical is not None and usual.typical < SHORT else 2
    if failed_traps >= needed:
        enough = "one is" if needed == 1 else "two are"
        failed = plural(failed_traps, "attention check")
        return "may be rejected", f"failed {failed}, {enough} enough"
    spent = minutes(rater)
    if usual.least is not None and spent is not None and spent < usual.least:
        return (
            "may be rejected",
            f"exceptionally fast: {spent:.1f} min, less than {usual.least:.1f}",
        )
    return "approve", "finished"


def _failed_traps(session: Session, running: Opened) -> Counter[int]:
    found = check_outcomes(session, running.study, running.plan)
    return Counter(o.rater_id for o in found if o.kind == "trap" and o.failed)


def _rated(session: Session) -> Counter[int]:
    rows = select(Trial.rater_id, func.count()).group_by(Trial.rater_id)
    rows = rows.where(Trial.state == "rated", Trial.kind.in_(OWN))
    return Counter({rater: many for rater, many in session.execute(rows)})


def _set_back(session: Session) -> set[int]:
    """Return whose times run backwards: the server's clock was set back while they rated."""
    rows = select(Rater.id, Rater.began, Trial.opened, Trial.answered, Rater.finished)
    rows = rows.join(Trial, Trial.rater_id == Rater.id).where(Rater.finished.is_not(None))
    times: dict[int, list[int]] = {}
    for rater, began, opened, answered, finished in session.execute(
        rows.order_by(Rater.id, Trial.place)
    ):
        own = times.setdefault(rater, [began, finished or 0])
        own[-1:-1] = [at for at in (opened, answered) if at is not None]
    return {rater for rater, found in times.items() if found != sorted(found)}


def _row(
    running: Opened, rater: Rater, failed: int, rated: int, usual: Usual, now: int
) -> dict[str, Any]:
    codes, patience = running.study.recruiting, running.study.size.lease_minutes
    silent = (now - rater.seen) / 60_000 - patience
    what, why = action(rater, failed, usual, codes.screen_out_code, silent, rated)
    spent = minutes(rater)
    code = None
    if what in ("screen out", "review"):
        code = end_code(running, rater.id, codes.screen_out_code, EARLY)
    elif rater.finished is not None:
        code = end_code(running, rater.id, codes.completion_code, FINISHED)
    return {
        "platform_id": rater.platform_id,
        "session": rater.session,
        "platform_study": rater.platform_study,
        "screen": rater.screen,
        "finished": rater.finished is not None,
        "minutes": None if spent is None else round(spent, 1),
        "traps_failed": failed,
        "completion_code": code,
        "action": what,
        "reason": why,
    }
