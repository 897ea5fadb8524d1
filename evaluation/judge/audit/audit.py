"""One judge, examined: from its name to a record, resumed where it stopped."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dreamix.core.progress import Progress
from dreamix.core.records import to_json
from dreamix.core.spreadsheet import write_csv
from evaluation.judge.archive import FOLDER
from evaluation.judge.audit.answers import Answers, AuditAnswer
from evaluation.judge.audit.asking import answers_of
from evaluation.judge.audit.exam import Exam
from evaluation.judge.audit.plan import AskedAs
from evaluation.judge.audit.record import AuditRecord, record_of
from evaluation.judge.audit.rules import TO_CERTIFY, TO_FIND
from evaluation.judge.canary import ASKED
from evaluation.judge.judge import JudgeSettings, ModelJudge, open_judge, spec_of
from evaluation.judge.limits import Spending, check_budget, cost_words

MOST_SOURCES = 10_000
ROWS = "answers.csv"


class Audited(NamedTuple):
    """The outcome, with the judge and the exam that it is of."""

    record: AuditRecord
    judge: ModelJudge
    exam: Exam
    spending: Spending


def audit(
    spec: str, exam: Exam, seed: int, folder: Path, settings: JudgeSettings, progress: Progress
) -> Audited:
    """Return the audit of a judge; answers and record are kept in the folder.

    Raises:
        UserError: if the judge cannot be asked, or it would cost more than the budget.
    """
    named = spec_of(spec)
    spending = Spending(settings.budget)
    judge = open_judge(named, folder / FOLDER / f"{named.name}.jsonl", settings, spending)
    _check_cost(judge, exam, settings, spending)
    found = answers_of(judge, exam, 2 * settings.limits.together, progress)
    _write_rows(folder / ROWS, exam, found)
    record = _record(judge, exam, seed, found)
    record.save(folder)
    return Audited(record, judge, exam, spending)


def enough(sources: int) -> str:
    """Return what so many sources are enough for, in words."""
    told = (
        f"{TO_FIND} sources find bad judges, about {TO_CERTIFY} can certify good ones; this audit "
        f"has {sources}"
    )
    if sources < TO_FIND:
        return f"{told}: most of it cannot be told"
    return (
        f"{told}: a good judge can often not be told from a middling one"
        if sources < TO_CERTIFY
        else told
    )


def _check_cost(judge: ModelJudge, exam: Exam, settings: JudgeSettings, spending: Spending) -> None:
    """Say what it costs at most; a `UserError` where that is over the budget."""
    asked = AskedAs(judge.form, judge.frames)
    count = exam.planned(asked) + 2 * len(ASKED) + spending.requests
    tokens = count * _tokens_of_one(judge, exam, asked)
    settings.tell(cost_words(f"judge {judge.name}", count, tokens, settings.price))
    if not judge.is_replayed:
        check_budget(settings.budget, count, tokens, "take fewer --sources")


def _tokens_of_one(judge: ModelJudge, exam: Exam, asked: AskedAs) -> float:
    """Return what a question costs, by those of the first source."""
    source = exam.source_of(exam.edits[0])
    asked_first = exam.of_source(source, asked, is_steady=False)
    costs = [judge.request(one.parts).about_tokens for one in asked_first]
    return sum(costs) / len(costs)


def _record(
    judge: ModelJudge, exam: Exam, seed: int, found: Mapping[tuple[str, str], AuditAnswer],
) -> AuditRecord:  # fmt: skip
    from dreamix import __version__

    answers = Answers(exam.edits, found)
    categories = sorted({edit.category for edit in exam.edits})
    statuses = Counter(one.status for one in found.values() if one.status != "ok")
    return record_of(
        found=exam.findings(answers, judge.frames),
        by_category={name: exam.findings_in(answers, name) for name in categories},
        identity=judge.identity,
        model=judge.model,
        form=judge.form,
        frames=judge.frames.facts(),
        world=exam.title,
        seed=seed,
        sources=len(exam.edits),
        questions=len(found),
        failures=dict(sorted(statuses.items())),
        notes=judge.notes,
        toolkit=__version__,
    )


def _write_rows(path: Path, exam: Exam, found: Mapping[tuple[str, str], AuditAnswer]) -> None:
    """Write every answer as a line, by source and question, whatever the order they came in."""
    categories = {edit.id: edit.category for edit in exam.edits}
    rows = [
        {
            "source": edit,
            "category": categories[edit],
            "question": question,
            **one._asdict(),
            "shares": to_json(dict(one.shares)) if one.shares else None,
        }
        for (edit, question), one in sorted(found.items())
    ]
    write_csv(path, ["source", "category", "question", *AuditAnswer._fields], rows)
