"""The tables of an export, as pyarrow tables whose columns the codebook names."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from study_app.declaration import DIGITS, Declaration
from study_app.exclusion import CheckOutcome
from study_app.export import codebook as book
from study_app.export.columns import (
    Columns,
    Shown,
    arrow,
    counted,
    floats,
    of_items,
    only,
    passed,
    rounded,
    taken,
)
from study_app.export.reading import LEDGER, Store
from study_app.marks import clips_to_mark
from study_app.plan import OWN, Plan
from study_app.spec.study import Study

Named = Callable[[int, bool], str]  # rater's row and whether they are simulated -> pseudonym


class Tables:
    """Makes the tables of one study out of what was read from its store."""

    def __init__(
        self,
        study: Study,
        plan: Plan,
        store: Store,
        outcomes: list[CheckOutcome],
        named: Named,
        known: Declaration | None = None,
    ) -> None:
        self.study, self.plan, self.store, self.outcomes = study, plan, store, outcomes
        self.known, raters = known, store.raters
        pairs = zip(raters["id"], raters["simulated"], strict=True)
        self.simulated = any(raters["simulated"])
        self.names = np.array([named(id_, flag) for id_, flag in pairs], object)
        gone = set(store.exclusions["rater_id"])
        self.excluded = np.array([id_ in gone for id_ in raters["id"]], bool)

    def all(self) -> dict[str, pa.Table]:
        """Return every table of the export by its name."""
        trials = self._of_trials()
        return {
            book.LONG: self._checked(book.LONG, self._long(trials)),
            book.WIDE: self._checked(book.WIDE, self._wide(trials)),
            book.RATERS: self._checked(book.RATERS, self._raters()),
            book.EXCLUSIONS: self._checked(book.EXCLUSIONS, self._exclusions()),
            book.PLAN: self._checked(book.PLAN, self._plan()),
            book.MARKS: self._checked(book.MARKS, self._marks(trials)),
        }

    def _checked(self, table: str, columns: Columns) -> pa.Table:
        """Return a table with the columns of the codebook in its order; another is a defect."""
        wanted = [
            column.name
            for column in book.columns_of(table, self.study.design, self.study.questions)
        ]
        if set(wanted) != set(columns):
            raise AssertionError(f"{table} and the codebook differ: {set(wanted) ^ set(columns)}")
        types = {"simulated": pa.bool_(), "excluded": pa.bool_(), "prompt": pa.string()}
        arrays = [arrow(columns[name], types.get(name)) for name in wanted]
        marked = {"simulated": str(self.simulated).lower(), "study": self.study.name}
        return pa.table(arrays, names=wanted).replace_schema_metadata(marked)

    def _of_trials(self) -> Columns:
        """Return the columns that both tables of ratings have, a value for each trial."""
        store, trials = self.store, self.store.trials
        own, shown = store.rater_of_trial, Shown.of(self.plan, trials["item"])
        answered, opened = floats(trials["answered"]), floats(trials["opened"])
        began = floats(store.raters["began"])
        return {
            **self._of_raters(own),
            "language": np.array(store.raters["language"], object)[own],
            "trial": trials["id"],
            "place": trials["place"],
            "kind": self._kinds(trials["kind"], trials["item"]),
            "item": trials["item"],
            "declared": self._declared(),
            **of_items(shown),
            **self._methods(shown, trials["kind"], trials["swapped"]),
            "seconds": passed(opened, answered, 1000),
            "minutes_in": passed(began[own], answered, 60_000),
        }

    def _of_raters(self, own: np.ndarray) -> Columns:
        """Return who, whether they are simulated and whether they are excluded."""
        return {
            "simulated": np.array(self.store.raters["simulated"], bool)[own],
            "rater": self.names[own],
            "excluded": self.excluded[own],
        }

    def _kinds(self, kinds: Sequence[str], keys: Sequence[str]) -> list[str]:
        """Return the kinds, `retired` for ratings of what is not in the study any more."""
        gone = self.plan.retired_keys
        pairs = zip(kinds, keys, strict=True)
        return ["retired" if kind in OWN and key in gone else kind for kind, key in pairs]

    def _declared(self) -> list[str | None]:
        """Return under which declaration each trial was rated, as 12 digits of its hash."""
        trials = self.store.trials
        held = (
            self.known.held_at(trials["answered"])
            if self.known
            else [None] * len(trials["declared"])
        )
        pairs = zip(trials["declared"], held, strict=True)
        return [(kept or then or "")[:DIGITS] or None for kept, then in pairs]

    def _methods(self, shown: Shown, kinds: Sequence[str], swapped: Sequence[bool]) -> Columns:
        """Return the columns that say which method was shown, on which side if there are two."""
        own = np.array([kind in OWN for kind in kinds], bool)
        first = shown.column(lambda item: item.methods[0])
        check = {"check": only(~own, first)}
        if self.study.design == "absolute":
            return {"method": only(own, first), **check}
        last, turned = shown.column(lambda item: item.methods[-1]), np.array(swapped, bool)
        sides = {
            "method_left": only(own, np.where(turned, last, first)),
            "method_right": only(own, np.where(turned, first, last)),
        }
        return sides | check

    def _long(self, trials: Columns) -> Columns:
        answers, at = self.store.answers, self.store.trial_of_answer
        columns = {name: taken(values, at) for name, values in trials.items()}
        columns |= {"question": answers["question"], "value": answers["value"]}
        if self.study.design == "pairwise":
            left, right = columns["method_left"], columns["method_right"]
            value, own = np.array(answers["value"]), np.isin(columns["kind"], OWN)
            sides = np.where(value < 0, left, np.where(value > 0, right, "tie")).astype(object)
            sides[~own] = None
            columns |= {"preferred": sides}
        wanted = {
            (key, question): value
            for key, item in self.plan.by_key.items()
            for question, value in (item.expected or {}).items()
        }
        keys = zip(columns["item"], answers["question"], strict=True)
        expected = [wanted.get(key) for key in keys]
        return columns | {"expected": arrow(expected, pa.int64())}

    def _wide(self, trials: Columns) -> Columns:
        store = self.store
        columns = {**trials, "state": store.trials["state"]}
        for question in self.study.questions:
            columns[question] = self._answers_to(question)
        for name in LEDGER:
            columns[name] = pa.array(store.trials[name], pa.int64())
        return columns | {"coverage": pa.array(store.trials["coverage"], pa.float64())}

    def _marks(self, trials: Columns) -> Columns:
        """Return what raters marked, with the method of the clip that a mark is on."""
        marks, at = self.store.marks, self.store.trial_of_mark
        names = [column.name for column in book.columns_of(book.MARKS, self.study.design, ())]
        columns = {name: taken(trials[name], at) for name in names if name in trials}
        for name in ("x", "y", "width", "height"):
            columns[name] = pa.array(marks[name], pa.float64())
        own = {name: marks[name] for name in ("clip", "start_s", "end_s", "severity")}
        return columns | own | {"defect": marks["kind"]} | self._marked(at)

    def _marked(self, at: np.ndarray) -> Columns:
        """Return who made the clip of each mark, and how long it is."""
        trials, methods, lengths = self.store.trials, [], []
        for place, clip in zip(at, self.store.marks["clip"], strict=True):
            item = self.plan.by_key[trials["item"][place]]
            name = clips_to_mark(item, trials["swapped"][place])[clip]
            own = trials["kind"][place] in OWN
            methods.append(item.methods[-1 if name == item.right else 0] if own else None)
            lengths.append(self.plan.clips[name].seconds)
        return {
            "marked": arrow(methods, pa.string()),
            "clip_s": rounded(np.array(lengths, float), 3),
        }

    def _answers_to(self, question: str) -> pa.Array:
        """Return the answer to a question for each trial, none where there is none."""
        asked = np.array(self.store.answers["question"], object) == question
        values = np.full(len(self.store.trials["id"]), None, object)
        values[self.store.trial_of_answer[asked]] = np.array(self.store.answers["value"])[asked]
        return arrow(values, pa.int64())

    def _raters(self) -> Columns:
        raters, everybody = self.store.raters, np.arange(len(self.names))
        devices = [device or {} for device in raters["device"]]
        return {
            **self._of_raters(everybody),
            **{name: raters[name] for name in ("language", "screen", "consent_version")},
            "finished": [value is not None for value in raters["finished"]],
            "rejected": [value is not None for value in raters["rejected"]],
            "minutes": passed(floats(raters["began"]), floats(raters["finished"]), 60_000),
            **self._counts(),
            "window_width": pa.array([device.get("width") for device in devices], pa.int64()),
            "phone": pa.array([device.get("phone") for device in devices], pa.bool_()),
            "commented": [bool(comment) for comment in raters["comment"]],
        }

    def _counts(self) -> Columns:
        """Return for each rater what the rules look at."""
        store, many = self.store, len(self.names)
        kinds = np.array(store.trials["kind"], object)
        rated = np.array(store.trials["state"], object) == "rated"
        own, shown = np.isin(kinds, OWN), kinds != "training"
        trial = store.trial_of_answer
        of = store.rater_of_trial[trial][own[trial]]
        values = np.array(store.answers["value"], float)[own[trial]]
        count = np.bincount(of, minlength=many)
        with np.errstate(invalid="ignore"):
            mean = np.bincount(of, values, many) / count
            variance = np.bincount(of, values**2, many) / count - mean**2
        failed = [(o.rater_id, o.kind) for o in self.outcomes if o.failed]
        ids = {id_: place for place, id_ in enumerate(store.raters["id"])}
        traps, gold = (
            counted([ids[id_] for id_, kind in failed if kind == what], many)
            for what in ("trap", "gold")
        )
        return {
            "trials_rated": np.bincount(store.rater_of_trial[own & rated], minlength=many),
            "trials_unplayable": np.bincount(store.rater_of_trial[shown & ~rated], minlength=many),
            "variance": rounded(variance, 4),
            "traps_failed": traps,
            "gold_failed": gold,
        }

    def _exclusions(self) -> Columns:
        own, rows = self.store.rater_of_exclusion, self.store.exclusions
        who = self._of_raters(own)
        del who["excluded"]
        return {
            **who,
            "rule": pa.array(rows["rule"], pa.string()),
            "reason": pa.array(rows["reason"], pa.string()),
            "automatic": pa.array(rows["automatic"], pa.bool_()),
        }

    def _plan(self) -> Columns:
        items = (*self.plan.items, *self.plan.retired)
        kinds, keys = [item.kind for item in items], [item.key for item in items]
        shown = Shown(items, np.arange(len(items)))
        return {
            "simulated": [self.simulated] * len(items),
            "kind": self._kinds(kinds, keys),
            "item": [item.key for item in items],
            **of_items(shown),
            **self._methods(shown, kinds, [False] * len(items)),
            "seconds_of_clip": [item.seconds for item in items],
            "media_left": [item.left for item in items],
            "media_right": [item.right for item in items],
        }
