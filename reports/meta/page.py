"""The page of gold data: what raters said, then a league of metrics on every question."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dreamix.core.wording import listed
from reports.meta.by_method import by_method_part
from reports.meta.gold import Gold, gold_joint, methods_left_out
from reports.parts import FOLLOW, ReportPart
from reports.people.build import build_study, finished
from reports.people.joint import Joint
from reports.people.league import league_part
from reports.people.metric_categories import category_part
from reports.people.outcome import People
from reports.people.rater_place import rater_place_part
from reports.people.scatter import scatter_part
from reports.people.worth import worth_part
from reports.subjects import Made, listed_parts
from reports.summary import IntervalSettings
from reports.tables import Table

Make = Callable[[Joint], Made]


def build_meta(gold: Gold, out: Path, how: IntervalSettings) -> tuple[Path, list[ReportPart]]:
    """Return the page, written to the folder `out`, and its parts."""
    return build_study(gold.export, out, how, follow=lambda people: meta_parts(gold, people))


def meta_parts(gold: Gold, people: People) -> list[ReportPart]:
    """Return the leagues of all questions that have metrics, each with what belongs to it."""
    questions = [one for one in people.questions if gold.of_question(one)]
    return [
        part._replace(group=FOLLOW)
        for question in questions
        for part in finished(_of_question(gold, people, question), gold.export)
    ]


def _of_question(gold: Gold, people: People, question: str) -> list[ReportPart]:
    joint = gold_joint(gold, people, question)
    makers: tuple[Make, ...] = (
        league_part,
        lambda one: by_method_part(one, question),
        scatter_part,
        worth_part,
        rater_place_part,
        category_part,
    )
    made = [part for make in makers for part in listed_parts(make(joint))]
    left = methods_left_out(gold, question)
    notes = [f"Left out, as most metrics have no value for them: {listed(left)}."] if left else []
    made[0] = made[0]._replace(notes=(*notes, *made[0].notes))
    return [_named(part, question) for part in made]


def _named(part: ReportPart, question: str) -> ReportPart:
    """Return a part whose section and files bear the name of the question."""

    def name(text: str) -> str:
        return text if text.endswith(f"_{question}") else f"{text}_{question}"

    def table(one: Table) -> Table:
        return replace(one, name=name(one.name))

    return part._replace(
        id=f"{part.id}-{question}",
        title=f"{part.title}: {question}",
        drawings=tuple(one._replace(name=name(one.name)) for one in part.drawings),
        tables=tuple(map(table, part.tables)),
        folded=tuple(map(table, part.folded)),
        frames=tuple((name(title), frame) for title, frame in part.frames),
    )
