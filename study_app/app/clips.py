"""Which clips a rater may load: those of their own trials, and those that come next."""

import re
from pathlib import Path

from sqlalchemy import select

from study_app.app.served import Site, first_clip, media_of
from study_app.store.tables import Rater, Trial

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
_NAME = re.compile(r"[0-9a-f]{32}")
_MOST = 10_000  # raters that are remembered at once


class Clips:
    """The clips of a study, behind the tokens of its raters."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._known: dict[str, frozenset[str]] = {}

    def path(self, token: str, name: str) -> Path | None:
        """Return the file of a clip; None if there is none that this rater may see.

        What cannot be a token or a name costs no look into the store.
        """
        if not _TOKEN.fullmatch(token) or not _NAME.fullmatch(name):
            return None
        if name not in self._known.get(token, frozenset()):
            found = self._find(token)
            if name not in found:
                return None
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[token] = found
        path = self.site.media / f"{name}.mp4"
        return path if path.is_file() else None

    def _find(self, token: str) -> frozenset[str]:
        """Return the names that a rater may load now: none before consent."""
        running = self.site.running
        with running.database.reading() as session:
            rater = session.scalars(select(Rater).where(Rater.token == token)).first()
            if rater is None or rater.consented is None:
                return frozenset()
            keys = session.scalars(select(Trial.item).where(Trial.rater_id == rater.id)).all()
        items = [*running.plan.of_kind("training"), *(running.plan.by_key[key] for key in keys)]
        return frozenset({first_clip(running), *(name for i in items for name in media_of(i))})
