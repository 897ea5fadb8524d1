"""Metrics that are questions to a judge: several clips at once, each answer on disk as it comes."""

import queue
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from dreamix.core.errors import UserError
from dreamix.data.suite_entries import Edit
from dreamix.data.worlds import WORLDS
from evaluation.judge.archive import FOLDER
from evaluation.judge.client import CallFailed, Hopeless
from evaluation.judge.judge import (
    JudgeSettings,
    JudgeSpec,
    ModelJudge,
    metrics_of,
    open_judge,
    spec_of,
)
from evaluation.judge.limits import BudgetSpent, Spending
from evaluation.judge.showing import Showing
from evaluation.metrics.base import METRICS
from evaluation.run.folder import RunFolder
from evaluation.score.answers import ProgramAnswer
from evaluation.score.checklist_metric import checklist_metrics, checklist_names
from evaluation.score.inquiry import LOOK, Inquiry, Keeps
from evaluation.score.judge_metric import CHECKLIST, JudgeMetric, ScaleMetric
from evaluation.score.ledger import Ask, ScoreLedger

if TYPE_CHECKING:
    from evaluation.judge.audit.record import AuditRecord

MOVING = {"motion", "camera"}  # categories, or tags
MOST_TOGETHER = 100  # rows in one write


def judge_metrics(
    run: RunFolder, specs: Sequence[str], settings: JudgeSettings, align: str
) -> dict[str, JudgeMetric]:
    """Return the metrics of the judges that `--judge` names; each is found out how it answers.

    Raises:
        UserError: if one is none, or has the name of something else.
    """
    named = [spec_of(text) for text in specs]
    if len({one.name.casefold() for one in named}) < len(named):
        raise UserError("--judge: two judges have the same name")
    for one in named:
        _check_names(one, run)
    if CHECKLIST in settings.asks and not any(map(run.suite.questions, run.suite.edits)):
        raise UserError("--judge-asks checklist: no edit of this suite has questions")
    spending = Spending(settings.budget)
    found: dict[str, JudgeMetric] = {}
    for one in named:
        judge = open_judge(one, run.place(FOLDER, f"{one.name}.jsonl"), settings, spending)
        audits = tuple(a for a in settings.audits if a.identity == judge.identity)
        if "scales" in settings.asks:
            asked = metrics_of(one.name).items()
            found |= {
                name: ScaleMetric(name, judge, align, question, audits=audits)
                for name, question in asked
            }
        if CHECKLIST in settings.asks:
            found |= checklist_metrics(judge, run.suite, align, audits)
    check_audits(settings.audits, {one.judge.name: one.judge for one in found.values()})
    return found


def asks_for_motion(edit: Edit, world: str | None) -> bool:
    """Return True if what an edit asks for shows in how things or the camera move."""
    told = {edit.category, *edit.tags}
    if world and edit.recipe:
        told |= {WORLDS.get(world).category({name: word}) for name, word in edit.recipe.items()}
    return bool(told & MOVING)


def _check_names(spec: JudgeSpec, run: RunFolder) -> None:
    """Raise a `UserError` if a judge would bring a metric that is something else already."""
    for metric in (*metrics_of(spec.name), *checklist_names(spec.name)):
        facts = run.info.metrics.get(metric)
        if metric in METRICS or (facts is not None and facts.judge is None):
            raise UserError(f"--judge {spec.name}: {metric} is another metric; choose another")


def check_audits(audits: "Sequence[AuditRecord]", judges: Mapping[str, ModelJudge]) -> None:
    """Raise a `UserError` if an audit is of none of the judges."""
    known = {one.identity: name for name, one in judges.items()}
    for audit in audits:
        if audit.identity not in known:
            told = ", ".join(
                f"{one.model} ({name}, {one.identity})" for name, one in judges.items()
            )
            raise UserError(
                f"--judge-audit: {audit.identity} is an audit of {audit.model} with "
                f"{audit.frames.get('count')} frames, and of none of {told or 'no judge'}: model, "
                "wordings, parameters and frames have to be the same"
            )


class _Found(NamedTuple):
    """What one of the threads found out about a clip."""

    id: str
    fields: dict[str, Any] | None = None  # of a row, where there was an answer
    reason: str | None = None  # why there was none
    hopeless: str | None = None
    error: BaseException | None = None


class JudgeInquiry(Inquiry):
    """One question of a judge, about all clips that lack its answer."""

    who = "the judge"

    def __init__(
        self, metric: JudgeMetric, ledger: ScoreLedger, keeper: Keeps, run: RunFolder,
        showing: Showing, together: int,
    ) -> None:  # fmt: skip
        super().__init__(ledger, keeper)
        self._metric, self._run, self._showing = metric, run, showing
        self._threads = 2 * together  # one half makes requests ready while the other waits

    @property
    def remarks(self) -> dict[str, str]:
        """What a reader has to know of how it went, by what that is about."""
        notes = self._metric.judge.notes
        return {self._metric.judge.name: "; ".join(notes)} if notes else {}

    def _run_once(self) -> None:
        """Ask about what is open, in threads, until all is answered."""
        asks: queue.SimpleQueue[tuple[str, Ask] | None] = queue.SimpleQueue()
        found: queue.SimpleQueue[_Found] = queue.SimpleQueue()
        told = asks, found
        threads = [
            threading.Thread(target=self._work, args=told, daemon=True)
            for _ in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        given: set[str] = set()
        try:
            while not (self._is_stopped or self.ledger.hopeless):
                self._new_asks()
                for name in self.ledger.pending.keys() - given:
                    asks.put((name, self.ledger.pending[name]))
                given |= self.ledger.pending.keys()
                if not self.ledger.pending:
                    return
                self._take(found)
        finally:
            self._empty(asks)
        while not self._is_stopped and any(thread.is_alive() for thread in threads):
            self._take(found)  # what is under way is paid for
        self._take(found)

    def _empty(self, asks: "queue.SimpleQueue[tuple[str, Ask] | None]") -> None:
        """Let the threads end after what they are at."""
        while not asks.empty():
            asks.get()
        for _ in range(self._threads):
            asks.put(None)

    def _take(self, found: "queue.SimpleQueue[_Found]") -> None:
        """Keep what the threads have found out, in one write."""
        together: list[_Found] = []
        try:
            together.append(found.get(timeout=LOOK))
            while len(together) < MOST_TOGETHER:
                together.append(found.get_nowait())
        except queue.Empty:
            pass
        rows = []
        for one in together:
            if one.error is not None:
                raise one.error
            self.ledger.hopeless = self.ledger.hopeless or one.hopeless
            if one.fields is not None:
                answer = ProgramAnswer(one.id, self._metric.told, one.fields)
                rows += self.ledger.hear(answer)
            elif one.reason is not None:
                rows += self.ledger.fail([one.id], one.reason)
        if self.ledger.is_heard:
            self._keeper.define(self._metric.facts(self.ledger.said))
        self._keeper.keep(rows)

    def _work(
        self,
        asks: "queue.SimpleQueue[tuple[str, Ask] | None]",
        found: "queue.SimpleQueue[_Found]",
    ) -> None:
        while (given := asks.get()) is not None and not self._is_stopped:
            name, ask = given
            try:
                found.put(_Found(name, self._fields(ask)))
            except (Hopeless, BudgetSpent) as error:
                found.put(_Found(name, hopeless=str(error)))
            except (CallFailed, UserError) as error:
                found.put(_Found(name, reason=str(error)))
            except BaseException as error:  # noqa: BLE001 - it is raised where rows are kept
                found.put(_Found(name, error=error))

    def _fields(self, ask: Ask) -> dict[str, Any]:
        """Return the fields of the row of a clip."""
        edit = self._run.suite.edit(ask.row.edit)
        is_motion = asks_for_motion(edit, self._run.suite.world)
        if why := self._metric.why_not(edit, is_motion=is_motion):
            return {"status": "n/a", "reason": why}
        return self._metric.fields(edit, ask.clip, self._showing)
