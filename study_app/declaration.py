"""What a study declares before its first vote, and what the database keeps of it.

Declared are all that raters read, all that rules use, and every clip. Outside the hash are where
the run and the font of traps lie, how raters are recruited and paid, how long identifying data are
kept, and the label `version`. A build that changes any of it after votes exist is refused; with a
reason it is an amendment, which is kept beside the first declaration, with its content, and goes
into every export.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dreamix.core.errors import UserError
from dreamix.core.records import to_json
from dreamix.core.wording import plural
from study_app.plan import Item, Plan
from study_app.spec.study import Study
from study_app.state import read_setting, write_setting
from study_app.store.database import Database
from study_app.store.tables import Trial

NOT_DECLARED: dict[str, Any] = {
    **dict.fromkeys(("run", "recruiting", "retention_days", "version"), True),
    "checks": {"font"},
}
_ORDER = "languages"
_KEY = "analysis"
DIGITS = 12  # of a hash, where it stands for a declaration
_SHOWN = 3  # places that a refusal names
UPGRADED = "an earlier version of the toolkit declared less"
Entry = dict[str, Any]  # hash, at, ratings, content; of an amendment the reason too


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


def _differences(before: object, now: object, chosen: object, place: str) -> Iterator[str]:
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


@dataclass(frozen=True)
class Running:
    """A study that is open."""

    study: Study
    plan: Plan
    database: Database

    @cached_property
    def declared(self) -> str:
        """Hash of what raters are shown and by which rules."""
        return declared_hash(self.study, self.plan)


class Declaration(NamedTuple):
    """What stands in the database of what was declared."""

    hash: str
    at: int
    ratings: int  # that were there when it was declared; 0 unless it was amended
    amendments: tuple[Entry, ...] = ()
    first: Entry | None = None  # what was declared before any amendment

    @property
    def entries(self) -> list[Entry]:
        """All declarations, the first one first."""
        return [*filter(None, (self.first,)), *self.amendments]

    @property
    def changes(self) -> list[Entry]:
        """Amendments that a researcher made."""
        return [entry for entry in self.amendments if not entry.get("automatic")]

    def held_at(self, moments: Sequence[int | None]) -> list[str]:
        """Return the hash of the declaration that held at each moment; None: the first."""
        at = np.array([-np.inf if moment is None else moment for moment in moments])
        place = np.zeros(len(at), int)
        entries = self.entries
        for number, entry in enumerate(entries):
            place[at >= entry["at"]] = number
        hashes = [entry["hash"] for entry in entries]
        return [hashes[number] for number in place.tolist()]


def current_declaration(session: Session) -> Declaration | None:
    """Return the declaration; None before the first build."""
    found = read_setting(session, _KEY)
    if not found:
        return None
    amendments = found["amendments"]
    first = {name: value for name, value in found.items() if name not in ("amendments", "keys")}
    last = (amendments or [first])[-1]
    return Declaration(last["hash"], last["at"], last["ratings"], tuple(amendments), first)


def check_content(database: Database, study: Study, amendment: str | None = None) -> None:
    """Raise a `UserError` if votes were given under another content than study.yaml's.

    It needs no clips: `study build` can tell before it makes any.
    """
    with database.reading() as session:
        found, votes = read_setting(session, _KEY), _ratings(session)
    if not votes or not found:
        return
    if found["keys"] != _keys(study):
        raise UserError(
            f"study.yaml: name and seed make the keys of {plural(votes, 'rated trial')}; put them "
            f"back to {found['keys'][0]!r} and {found['keys'][1]}"
        )
    if not amendment and (changed := _changed(found, study)):
        raise UserError(
            f"study.yaml: {_first_few(changed)} {'is' if len(changed) == 1 else 'are'} not what "
            f"{plural(votes, 'trial')} {'was' if votes == 1 else 'were'} rated under: put that "
            "back, or say why it changes with `dreamix study build --amend REASON`"
        )


def check_clips(
    database: Database, plan: Plan, retired: Sequence[Item], amendment: str | None = None
) -> None:
    """Raise a `UserError` if votes were given to other clips than the plan's.

    retired: items of the plan that was there whose clips, or requests, are others now.
    """
    with database.reading() as session:
        before, votes = current_declaration(session), _ratings(session)
    known = before and before.entries[-1].get("clips")
    if not votes or not known or known == plan.clips_hash or amendment:
        return
    raise UserError(
        f"the clips are not those that {plural(votes, 'trial')} {'was' if votes == 1 else 'were'} "
        f"rated with: {_other_clips(retired)}; bring back what was there, or say why with "
        "`dreamix study build --amend REASON`: votes for what has changed are then kept apart"
    )


def declare(
    database: Database, study: Study, plan: Plan, now: int, amendment: str | None = None
) -> Declaration:
    """Return the declaration that holds from now on.

    Before the first vote it takes the place of what was declared; afterwards it is an amendment.
    """
    check_content(database, study, amendment)
    check_clips(database, plan, (), amendment)
    content = declared_content(study)
    with database.writing(alone=True) as session:
        found, votes = read_setting(session, _KEY), _ratings(session)
        entry: Entry = {
            "hash": declared_hash(study, plan),
            "at": now,
            "ratings": votes,
            "content": content,
            "clips": plan.clips_hash,
        }
        if not found or not votes:
            write_setting(session, _KEY, {**entry, "keys": _keys(study), "amendments": []})
        elif _last(found)["hash"] != entry["hash"] or (amendment and _changed(found, study)):
            upgraded = not amendment and _last(found)["hash"] in earlier_hashes(study, plan)
            why = {"reason": UPGRADED, "automatic": True} if upgraded else {"reason": amendment}
            found["amendments"].append({**entry, **why})
            write_setting(session, _KEY, found)
        result = current_declaration(session)
    assert result
    return result


def _changed(found: Entry, study: Study) -> list[str]:
    """Return where study.yaml is not what was declared last."""
    last = _last(found)
    if "content" in last:
        return differences(last["content"], study)
    return [] if last["hash"] == first_hash(study) else ["the declared analysis"]


def _other_clips(retired: Sequence[Item]) -> str:
    if not retired:
        return "there are more"
    first = f"{' and '.join(retired[0].methods)} for {retired[0].edit}"
    return f"clips or requests of {plural(len(retired), 'item')} have changed (first: {first})"


def _last(found: Entry) -> Entry:
    last: Entry = (found["amendments"] or [found])[-1]
    return last


def _first_few(places: Sequence[str]) -> str:
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return f"{', '.join(places[:_SHOWN])}{more}"


def _ratings(session: Session) -> int:
    """Return how many trials are rated, training not counted."""
    rated = select(func.count()).where(Trial.state == "rated", Trial.kind == "rating")
    return session.scalar(rated) or 0


def _keys(study: Study) -> list[Any]:
    """Return what the keys of trials are made from."""
    return [study.name, study.seed]
