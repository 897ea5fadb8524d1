"""Trials of the absolute design whose answer is known: traps, gold and training."""

from dreamix.core.seeding import rng_for
from dreamix.data.suite import Edit
from evaluation.runs import RunFolder
from study_app.plan import Item
from study_app.prepare.known import Known
from study_app.prepare.media import Media
from study_app.spec.study import Study

EXPECTED = {
    "unedited": {"alignment": 1, "fidelity": 5},
    "ideal": {"alignment": 5, "fidelity": 5},
    "shuffled": {"quality": 1},
}
TRAINING = ("ideal", "unedited", "shuffled")


def check_items(study: Study, run: RunFolder, edits: list[Edit], media: Media) -> list[Item]:
    """Return the traps, gold and training trials of an absolute study."""
    rng = rng_for("study checks", study.name, study.seed)
    order = [edits[i] for i in rng.permutation(len(edits))]
    known = Known(run, media)
    kinds = [kind for kind in TRAINING if kind != "ideal" or known.has_ideal(edits)]
    items = [
        _known(study, known, "training", kinds[i % len(kinds)], order[i % len(order)])
        for i in range(study.checks.training)
    ]
    gold = [kind for kind in kinds if kind != "shuffled"]
    items += [
        _known(study, known, "gold", gold[i % len(gold)], order[-1 - i % len(order)])
        for i in range(2 * study.checks.gold * len(gold))
    ]
    if study.checks.traps:
        for language in study.texts:
            for answer in (2, 4):
                items.append(_trap(study, known, order[answer % len(order)], answer, language))
    return items


def _known(study: Study, known: Known, kind: str, what: str, edit: Edit) -> Item:
    """Return a trial of a clip of which it is known how good it is."""
    asked = {str(axis): value for axis, value in EXPECTED[what].items() if axis in study.questions}
    shown = (known.source(kind, edit), known.clip(kind, what, edit))
    return known.item(study, edit, kind, what, shown, asked)


def _trap(study: Study, known: Known, edit: Edit, answer: int, language: str) -> Item:
    """Return a clip of the run into which an answer is written."""
    text = study.texts[language].trap.format(answer=answer)
    shown = (known.source("trap", edit), known.trap(study.methods[0], edit, text))
    asked = {str(axis): answer for axis in study.questions}
    return known.item(study, edit, "trap", str(answer), shown, asked, language=language)
