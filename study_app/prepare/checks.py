"""Trials of the absolute design whose answer is known: traps, gold and training."""

from dreamix.core.seeding import rng_for
from dreamix.data.suite import Edit
from evaluation.run.folder import RunFolder
from study_app.plan import Item
from study_app.prepare.known import Known
from study_app.prepare.media import Media
from study_app.prepare.traps import Words
from study_app.spec.study import Study

EXPECTED = {
    "unedited": {"alignment": 1, "fidelity": 5},
    "ideal": {"alignment": 5, "fidelity": 5},
    "shuffled": {"quality": 1},
}
TRAINING = ("ideal", "unedited", "shuffled")


def check_items(
    study: Study, run: RunFolder, edits: list[Edit], media: Media, traps: list[Words]
) -> list[Item]:
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
    return [*items, *(_trap(study, known, order[t.expected % len(order)], t) for t in traps)]


def _known(study: Study, known: Known, kind: str, what: str, edit: Edit) -> Item:
    """Return a trial of a clip of which it is known how good it is."""
    asked = {str(axis): value for axis, value in EXPECTED[what].items() if axis in study.questions}
    shown = (known.source(kind, edit), known.clip(kind, what, edit))
    return known.item(study, edit, kind, what, shown, asked)


def _trap(study: Study, known: Known, edit: Edit, words: Words) -> Item:
    """Return a clip of the run into which an answer is written."""
    shown = (known.source("trap", edit), known.trap(study.methods[0], edit, words))
    asked = {str(axis): words.expected for axis in study.questions}
    what, language = str(words.expected), words.lettering.language
    return known.item(study, edit, "trap", what, shown, asked, language=language)
