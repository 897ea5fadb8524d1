"""From the export of a study to the parts of a report, and to a page of its own."""

from reports.loading import Run
from reports.parts import Part
from reports.people.export import Exported
from reports.people.joint import join
from reports.people.outcome import people_of
from reports.people.parts import joint_parts, people_parts
from reports.summary import Resampling


def study_parts(export: Exported, how: Resampling, run: Run | None) -> list[Part]:
    """Return what a study adds to a report; with a run, also how its metrics follow the raters."""
    people = people_of(export, how)
    found = people_parts(people)
    return found + joint_parts(join(run, people)) if run else found
