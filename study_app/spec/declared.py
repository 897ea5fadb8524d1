"""What a study declares before its first vote: all that raters read and rules use, and every clip.

Not under the hash are where the run lies, how raters are recruited and paid, how long is kept what
identifies them, and the label `version`.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from dreamix.core.records import to_json
from study_app.plan import Plan
from study_app.spec.study import Study

NOT_DECLARED = {"run", "recruiting", "retention_days", "version"}


def declared_content(study: Study) -> dict[str, Any]:
    """Return what study.yaml declares, as JSON can hold it."""
    return study.model_dump(mode="json", exclude=NOT_DECLARED)


def declared_hash(study: Study, plan: Plan) -> str:
    """Return the hash of what is declared: the content of study.yaml and of every clip."""
    text = to_json([declared_content(study), plan.clips_hash])
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Any, now: Any, place: str = "") -> Iterator[str]:
    """Yield where two contents differ, such as `texts.en.title`; lists are compared whole."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            inner = f"{place}.{key}" if place else str(key)
            yield from differences(before.get(key), now.get(key), inner)
    elif before != now:
        yield place


def first_hash(study: Study) -> str:
    """Return the hash as versions up to November 2026 kept it: of the analysis plan alone."""
    decided = {"analysis", "exclusion", "questions", "size", "design", "methods", "edits", "checks"}
    text = study.model_dump_json(include=decided)
    return hashlib.sha256(text.encode()).hexdigest()
