"""What a screen is drawn from: the open study, the rater, and the texts in their language."""

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st

from study_app.app.visit import row_of
from study_app.flow import Running, decline
from study_app.spec.texts import Texts
from study_app.spec.tongues import Direction
from study_app.store.database import now
from study_app.store.patience import patiently
from study_app.store.tables import Rater


class Scene(NamedTuple):
    """One drawing of one rater's page."""

    running: Running
    rater: Rater

    @property
    def texts(self) -> Texts:
        """The texts in the rater's language."""
        return self.running.study.words(self.rater.language)

    @property
    def direction(self) -> Direction:
        """Which way they are written."""
        return self.running.study.direction(self.rater.language)

    def act(self, action: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the flow says to what the rater decided, at this moment.

        Every action is one transaction that changes nothing when it comes a second time.
        """
        moment = now()

        def attempt() -> Any:
            row = row_of(self.running, self.rater, nameless=action is decline)
            return None if row is None else action(self.running, row, *arguments, moment)

        return patiently(attempt)

    def button(
        self, label: str, action: Callable[..., Any], *arguments: Any, primary: bool = False
    ) -> None:
        """Draw a button that does an action of the flow."""
        st.button(
            label,
            key=f"{self.rater.screen} {label}",
            type="primary" if primary else "secondary",
            on_click=self.act,
            args=(action, *arguments),
        )
