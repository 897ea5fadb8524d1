"""What a study declares before its first vote: all that raters read and rules use, and every clip.

Not under the hash are where the run and the font of traps lie, how raters are recruited and paid,
how long is kept what identifies them, and the label `version`.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from dreamix.core.records import to_json
from study_app.plan import Plan
from study_app.spec.study import Study

NOT_DECLARED: dict[str, Any] = {
    **dict.fromkeys(("run", "recruiting", "retention_days", "version"), True),
    "checks": {"font"},
}
_ORDER = "languages"


def declared_content(study: Study) -> dict[str, Any]:
    """Return what study.yaml declares, defaults too, as JSON can hold it.

    languages: in their order, which JSON does not keep: without a choice raters read the first.
    """
    return {**_content(study), _ORDER: [*study.texts]}


def _content(study: Study) -> dict[str, Any]:
    return study.model_dump(mode="json", exclude=NOT_DECLARED)


def declared_hash(study: Study, plan: Plan) -> str:
    """Return the hash of what is declared: the content of study.yaml and of every clip.

    What is as by default does not count, so that a setting which a later version adds changes none.
    """
    order = [[*study.texts]] if [*study.texts] != sorted(study.texts) else []
    return _hash([_chosen(study), plan.clips_hash, *order])


def differences(before: dict[str, Any], study: Study) -> list[str]:
    """Return where a study is not what was declared before, such as `texts.en.title`.

    Lists are compared whole. A setting that was not there before and is as by default is no change.
    """
    rest = {key: value for key, value in before.items() if key != _ORDER}
    found = list(_differences(rest, _content(study), _chosen(study), ""))
    then, now = before.get(_ORDER, []), [*study.texts]
    moved = then != now and sorted(then) == sorted(now)
    return [*found, "the order of texts"] if moved else found


def _chosen(study: Study) -> dict[str, Any]:
    """Return what is not as by default; a block of which nothing is left counts as that."""
    return {key: value for key, value in _picked(study).items() if value != {}}


def _picked(study: Study) -> dict[str, Any]:
    return study.model_dump(mode="json", exclude=NOT_DECLARED, exclude_defaults=True)


def _differences(before: Any, now: Any, chosen: Any, place: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            picked = chosen.get(key) if isinstance(chosen, dict) else None
            if key in before or picked is not None:
                inner = f"{place}.{key}" if place else str(key)
                yield from _differences(before.get(key), now.get(key), picked, inner)
    elif before != now:
        yield place


def earlier_hashes(study: Study, plan: Plan) -> set[str]:
    """Return the hashes that versions of November 2026 kept, of less than is declared now."""
    return {first_hash(study), _hash([_picked(study), plan.clips_hash])}


def first_hash(study: Study) -> str:
    """Return the hash as versions up to November 2026 kept it: of the analysis plan alone."""
    decided = {"analysis", "exclusion", "questions", "size", "design", "methods", "edits", "checks"}
    text = study.model_dump_json(include=decided, exclude={"checks": {"font"}})
    return hashlib.sha256(text.encode()).hexdigest()


def _hash(declared: list[Any]) -> str:
    return hashlib.sha256(to_json(declared).encode()).hexdigest()
