"""Waits for a database that is away for a moment: restarted, cut off, or busy."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

AWAY = (OperationalError, InterfaceError, NoConnection)
PATIENCE = 60.0  # seconds after which the rater is told
PAUSE = 0.5

T = TypeVar("T")


def patiently(act: Callable[[], T], seconds: float = PATIENCE) -> T:
    """Return what `act` returns, tried again while the database is away, for so many seconds.

    act: one transaction, which may be run again though it was kept: the answer of a database that
         dies while it answers is lost. What it raises after the last try is passed on.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return act()
        except AWAY as error:
            if time.monotonic() >= end:
                raise
            why = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            logging.getLogger(__name__).warning("the database is away: %s", why)
            time.sleep(PAUSE)
