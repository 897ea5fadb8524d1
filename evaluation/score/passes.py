"""The work of one scoring: every clip that lacks a metric goes through the stations once.

Rows are on disk as soon as there are any, whichever thread has them: those of our metrics come from
the processes that decode and measure, those of programs from what listens to them.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from dreamix.core.progress import Progress
from dreamix.core.records import remove_leftovers
from evaluation.judge.showing import Showing
from evaluation.run.folder import RunFolder
from evaluation.run.info import MetricInfo
from evaluation.run.pool import run_units
from evaluation.schema import ScoreRow
from evaluation.score.answers import Requests
from evaluation.score.asking import Evaluation, Programs
from evaluation.score.command import AskedMetric, Command, SelfDescription, TimeLimits
from evaluation.score.inquiry import Inquiry
from evaluation.score.judge_metric import JudgeMetric
from evaluation.score.judging import JudgeInquiry
from evaluation.score.ledger import Ask, ScoreLedger
from evaluation.score.plan import TasksOfVideo, plan
from evaluation.score.table import Key, append_scores, load_what_writes
from evaluation.score.video import ScoringWorker
from evaluation.settings import ModelSettings

MOST_ALONE = 64 << 20  # bytes of clips: some seconds of decoding, if nothing else is to be done
PASSES = 2  # a program may say that its number means another thing than when it last ran


@dataclass
class ProgramMetrics:
    """Metrics that are programs or judges, and what is known of them.

    `said` changes when programs run.
    """

    commands: dict[str, Command] = field(default_factory=dict)
    said: dict[str, SelfDescription] = field(default_factory=dict)
    limits: TimeLimits = field(default_factory=TimeLimits)
    noise: dict[str, str] = field(default_factory=dict)  # what has to be known of how they ran
    judges: dict[str, JudgeMetric] = field(default_factory=dict)
    together: int = 1  # questions to a judge at once

    @property
    def asked(self) -> dict[str, AskedMetric]:
        """All of them."""
        return {**self.commands, **self.judges}

    @property
    def definitions(self) -> dict[str, str]:
        """Hash by metric of what its number means."""
        return {name: one.definition_id(self.said[name]) for name, one in self.asked.items()}


class Keeper:
    """The scores of a run while more come in."""

    def __init__(
        self, run: RunFolder, rows: dict[Key, ScoreRow], progress: Progress | None
    ) -> None:
        self.rows, self.computed = rows, set[Key]()
        self.seconds = defaultdict[str, float](float)
        self._run, self._progress = run, progress
        self._lock = threading.Lock()
        self._due: set[Key] = set()
        self._total = 0

    def expect(self, units: Sequence[TasksOfVideo]) -> None:
        """Take note of what is to come, for the progress that is told."""
        cells = ((task, name) for unit in units for task in unit.tasks for name in task.metrics)
        self._due = {(*task.cell, name) for task, name in cells}
        self._total = len(self._due)
        self._tell()

    def keep(self, rows: Sequence[ScoreRow]) -> None:
        """Put rows on disk, then among the others."""
        if not rows:
            return
        with self._lock:
            append_scores(self._run.scores, [*rows])
            fresh = {row.key: row for row in rows}
            self.rows |= fresh
            self.computed |= fresh.keys()
            self._due -= fresh.keys()
            self._tell()

    def failed(self, row: ScoreRow) -> bool:
        """Return True if the score of a row was computed before, and failed."""
        before = self.rows.get(row.key)
        return before is not None and before.status == "failed"

    def define(self, facts: MetricInfo) -> None:
        """Note in run.json what the number of a program means, before there are any."""
        with self._lock:
            if self._run.info.metrics.get(facts.name) != facts:
                self._run.change(metrics={**self._run.info.metrics, facts.name: facts})

    def _tell(self) -> None:
        if self._progress:
            self._progress(self._total - len(self._due), self._total)


@dataclass(frozen=True)
class Work:
    """What a scoring is about."""

    run: RunFolder
    settings: ModelSettings
    policy: str
    workers: int
    programs: ProgramMetrics

    def do(self, keeper: Keeper, definitions: dict[str, str]) -> None:
        """Give every clip the metrics of `definitions` that it lacks.

        Where a program says that its number means something else, `definitions` is changed and all
        clips are asked again.
        """
        asked: set[Key] = set()
        for _ in range(PASSES):
            units, before = plan(self.run, definitions, keeper.rows), dict(definitions)
            if units:
                self._one_way(units, keeper, definitions, asked)
                remove_leftovers(self.run.path)  # of workers that were lost meanwhile
            if definitions == before:
                return

    def _one_way(
        self,
        units: list[TasksOfVideo],
        keeper: Keeper,
        definitions: dict[str, str],
        asked: set[Key],
    ) -> None:
        worker = ScoringWorker(self.run.path, self.settings, self.policy, dict(definitions))
        keeper.expect(units)
        with ExitStack() as stack:
            programs = self._started(units, keeper, asked)
            stack.callback(programs.stop)
            again: list[Ask] = []

            def ask(clip: Ask) -> None:
                if clip.row.key not in asked:
                    again.append(clip) if keeper.failed(clip.row) else programs.ask([clip])

            for scored in run_units(worker, units, self._processes(units), ask):
                keeper.keep(scored.rows)
                for stage, spent in scored.seconds.items():
                    keeper.seconds[stage] += spent
            programs.ask(again)  # last: what ended a program before may do so again
            if programs.names:
                load_what_writes()  # while they work
            for name, one in programs.finish().items():
                what = "judge" if name in self.programs.judges else "program"
                keeper.seconds[f"{what} {name}"] += one.seconds
                self.programs.said[name] = one.ledger.said
                self.programs.noise |= one.remarks
                asked |= {row.key for row in one.ledger.answered.values()}
        definitions |= self.programs.definitions

    def _processes(self, units: list[TasksOfVideo]) -> int:
        """Return how many processes are worth their start: one where little has to be decoded."""
        tasks = [task for unit in units for task in unit.tasks if task.is_looked_at]
        size = sum(task.clip.size or 0 for task in tasks)
        few = size < MOST_ALONE and not any(task.ours for task in tasks)
        return 1 if few else self.workers

    def _started(self, units: list[TasksOfVideo], keeper: Keeper, asked: set[Key]) -> Programs:
        """Return the programs that have something to do, of which the first is started.

        asked: what they were asked in this scoring.
        """
        tasks = [task for unit in units for task in unit.tasks if task.clip.status == "ok"]
        lacking = {n for task in tasks for n in task.metrics if (*task.cell, n) not in asked}
        wanted = {n: self._ledger(n) for n in self.programs.asked if n in lacking}
        return Programs(self._inquiries(wanted, keeper))

    def _inquiries(self, ledgers: Mapping[str, ScoreLedger], keeper: Keeper) -> dict[str, Inquiry]:
        """Return what answers for each metric."""
        programs, requests = self.programs, Requests(self.run)
        environment = dict(os.environ)  # now: worker processes are started with another
        showings: dict[str, Showing] = {}  # by judge: its questions share the stills
        found: dict[str, Inquiry] = {}
        for name, ledger in ledgers.items():
            if command := programs.commands.get(name):
                told = keeper, programs.limits, environment
                found[name] = Evaluation(command, ledger, requests, *told)
                continue
            metric = programs.judges[name]
            stills = Showing(self.run, metric.judge.frames, metric.align)
            showing = showings.setdefault(metric.judge.name, stills)
            one = JudgeInquiry(metric, ledger, keeper, self.run, showing, programs.together)
            found[name] = one
        return found

    def _ledger(self, name: str) -> ScoreLedger:
        known, definition = self.run.info.metrics.get(name), self.programs.definitions[name]
        replaces = known is not None and known.definition_id != definition
        return ScoreLedger(self.programs.asked[name], self.programs.said[name], replaces=replaces)
