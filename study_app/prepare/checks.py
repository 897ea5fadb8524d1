"""Trials of the absolute design whose answer is known: traps, gold and training."""

from dreamix.core.media import read_video
from dreamix.core.seeding import rng_for
from dreamix.data.suite import Edit
from evaluation.runs import RunFolder
from evaluation.schema import Cell as ClipCell
from study_app.plan import Item
from study_app.prepare.cells import item_key
from study_app.prepare.known import Known
from study_app.prepare.media import Media
from study_app.prepare.words import with_words
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
                items.append(_trap(study, run, media, order[answer % len(order)], answer, language))
    return items


def trap_clip(run: RunFolder, media: Media, method: str, edit: Edit, text: str) -> str:
    """Return the media name of an edit into which, after a real start, words are written."""
    row = run.clip_row(ClipCell(method, edit.id, 0))
    assert row is not None
    video = with_words(read_video(run.clip_path(row)), text)
    return media.of_video(f"trap {row.sha256} {text}", video)


def _known(study: Study, known: Known, kind: str, what: str, edit: Edit) -> Item:
    """Return a trial whose answer is known."""
    clip = known.clip(what, edit)
    asked = {str(axis): value for axis, value in EXPECTED[what].items() if axis in study.questions}
    return _item(study, known.run, known.media, edit, kind, clip, asked, what)


def _trap(
    study: Study, run: RunFolder, media: Media, edit: Edit, answer: int, language: str
) -> Item:
    """Return a clip of the run into which an answer is written."""
    text = study.texts[language].trap.format(answer=answer)
    clip = trap_clip(run, media, study.methods[0], edit, text)
    asked = {str(axis): answer for axis in study.questions}
    return _item(study, run, media, edit, "trap", clip, asked, str(answer), language)


def _item(
    study: Study,
    run: RunFolder,
    media: Media,
    edit: Edit,
    kind: str,
    clip: str,
    expected: dict[str, int],
    what: str,
    language: str | None = None,
) -> Item:
    return Item(
        key=item_key(study, kind, edit.id, what, language or ""),
        kind=kind,
        video=edit.video,
        edit=edit.id,
        methods=(what,),
        category=edit.category,
        prompt=edit.prompt,
        left=media.of_file(run.source(edit.video)),
        right=clip,
        seconds=media.seconds(clip),
        expected=expected,
        language=language,
    )
