"""Names for raters that tell nothing, and how to find the rater whom a researcher means."""

import base64
import hashlib
import hmac
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError
from dreamix.core.places import inside
from dreamix.core.records import read_bytes
from dreamix.core.wording import command
from study_app.open_study import Opened
from study_app.plan import SECRET, SECRET_BYTES
from study_app.platforms import PLATFORMS, person_id
from study_app.store.tables import Rater

FINISHED, EARLY = "finished", "early"


class Pseudonyms:
    """Names made with a study's secret: without it nobody can tell whose they are.

    They hang on the number of a rater's row, so that they stay when what identifies is erased.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / SECRET
        if not path.is_file():
            raise UserError(f"{path} is missing: {command('study', 'build', folder)} makes it")
        self._secret = read_bytes(inside(folder, SECRET), SECRET_BYTES)

    def of(self, rater_id: int, simulated: bool) -> str:
        """Return the name of a rater; that of a simulated one says so."""
        text = f"rater {rater_id} {'simulated' if simulated else 'person'}"
        found = hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:12]
        return f"{'simulated' if simulated else 'r'}-{found}"

    def code(self, rater_id: int, why: str) -> str:
        """Return eight letters and digits that nobody else gets and nobody can guess."""
        text = f"code {rater_id} {why}".encode()
        drawn = hmac.new(self._secret, text, hashlib.sha256).digest()
        return base64.b32encode(drawn).decode()[:8]


def end_code(running: Opened, rater_id: int, code: str | None, why: str) -> str | None:
    """Return the code that a rater ends with; on MTurk each has one of their own.

    code: that of study.yaml, the start of all on MTurk. why: how the rater ends.
    """
    if running.study.recruiting.kind != "mturk" or (why == EARLY and not code):
        return code
    own = Pseudonyms(running.folder).code(rater_id, why)
    return f"{code}-{own}" if code else own


def find_rater(session: Session, names: Pseudonyms, who: str) -> Rater:
    """Return the rater of a pseudonym, a platform's name or a token.

    Raises:
        UserError: if no rater has that name.
    """
    spelled = {who, *filter(None, (person_id(kind, who) for kind in (*PLATFORMS, "open")))}
    named = select(Rater).where(or_(Rater.platform_id.in_(spelled), Rater.token == who))
    found = session.scalars(named).first()
    if not found:
        rows = session.execute(select(Rater.id, Rater.simulated))
        ids = [id_ for id_, simulated in rows if names.of(id_, simulated) == who]
        found = session.get(Rater, ids[0]) if ids else None
    if not found:
        raise UserError(
            "no rater of this study has that name: give a platform's id, a token or a pseudonym "
            "from `dreamix study export`"
        )
    return found


def named_rater(running: Opened, who: str) -> Rater:
    """Return the rater whom `who` names in a study."""
    with running.database.reading() as session:
        return find_rater(session, Pseudonyms(running.folder), who)


def all_raters(running: Opened) -> list[Rater]:
    """Return all raters of a study."""
    with running.database.reading() as session:
        return list(session.scalars(select(Rater).order_by(Rater.id)))
