"""Personal links for a study to which only those come who were invited."""

from dreamix.core.errors import UserError
from study_app.arrival import TOKEN, Visit, new_rater
from study_app.flow import Running
from study_app.monitor import who_rates
from study_app.telling import refuse_mixing


def invite(running: Running, count: int, address: str, now: int) -> list[str]:
    """Return as many links as are asked for; each is one rater's, and works until they are done."""
    if running.study.recruiting.kind != "invited":
        raise UserError(
            f"recruiting.kind is {running.study.recruiting.kind!r}: all raters come by one link; "
            "personal links need `kind: invited`"
        )
    raters = [new_rater(running, Visit(), now) for _ in range(count)]
    with running.database.writing(alone=True) as session:
        refuse_mixing(who_rates(session), "people")
        session.add_all(raters)
    return [f"{address.rstrip('/')}/?{TOKEN}={rater.token}" for rater in raters]
