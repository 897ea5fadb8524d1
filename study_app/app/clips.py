"""Which clips a rater may load: those of their own trials, and those that come next."""

import re
from pathlib import Path

from sqlalchemy import select

from study_app.app.served import Site, first_clip
from study_app.store.tables import Rater, Trial

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


class Clips:
    """The clips of a study, behind the tokens of its raters; no token is remembered here."""

    def __init__(self, site: Site) -> None:
        self.site, plan = site, site.running.plan
        training = [name for item in plan.of_kind("training") for name in item.clips]
        self._first = frozenset({first_clip(site.running), *training})
        self._items: dict[str, list[str]] = {}  # name of a clip -> keys of what shows it
        for item in plan.items:
            for name in item.clips:
                self._items.setdefault(name, []).append(item.key)

    def path(self, token: str, name: str) -> Path | None:
        """Return the file of a clip; None if there is none that this rater may see.

        What cannot be a token and what is no name of a clip cost no look into the store.
        """
        if not _TOKEN.fullmatch(token) or name not in self._items:
            return None
        if not self._may_see(token, name):
            return None
        path = self.site.media / f"{name}.mp4"
        return path if path.is_file() else None

    def _may_see(self, token: str, name: str) -> bool:
        """Return True for whoever has agreed, if the clip is one of the first or of their list."""
        asked = select(Rater.id).where(Rater.token == token, Rater.consented.is_not(None))
        if name not in self._first:
            asked = asked.join(Trial, Trial.rater_id == Rater.id)
            asked = asked.where(Trial.item.in_(self._items[name])).limit(1)
        with self.site.running.database.reading() as session:
            return session.scalar(asked) is not None
