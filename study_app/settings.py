"""What is known of a study itself, kept in its database: a word, and a JSON value for it."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from study_app.store.tables import Setting


def setting(session: Session, key: str) -> Any:
    """Return the value of a setting; None if there is none."""
    value = session.scalar(select(Setting.value).where(Setting.key == key))
    return None if value is None else json.loads(value)


def keep_setting(session: Session, key: str, value: Any) -> None:
    """Put a value in place of the one that a setting has."""
    session.merge(Setting(key=key, value=json.dumps(value, sort_keys=True)))
    session.flush()
