"""Trials whose answer is known: traps, gold and training.

Gold and training are made of sources and, where the run has them, of its anchors:

    unedited   the source in place of an edit: nothing of what was asked, everything as it was
    ideal      the exact edit (rendered suites): all of it, and all else as it was
    shuffled   a source with its frames in random order: it looks bad
"""

from dreamix.core.media import read_video
from dreamix.core.seeding import rng_for
from dreamix.core.video import Video
from dreamix.data.suite import Edit
from evaluation.runs import RunFolder
from evaluation.schema import Cell as ClipCell
from study_app.plan import Item
from study_app.prepare.cells import edited_clip, item_key
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
    kinds = [kind for kind in TRAINING if kind != "ideal" or _has_ideal(run, edits)]
    items = [
        _known(study, run, media, "training", kinds[i % len(kinds)], order[i % len(order)])
        for i in range(study.checks.training)
    ]
    gold = [kind for kind in kinds if kind != "shuffled"]
    items += [
        _known(study, run, media, "gold", gold[i % len(gold)], order[-1 - i % len(order)])
        for i in range(2 * study.checks.gold * len(gold))
    ]
    if study.checks.traps:
        for language in study.texts:
            for answer in (2, 4):
                items.append(_trap(study, run, media, order[answer % len(order)], answer, language))
    return items


def _has_ideal(run: RunFolder, edits: list[Edit]) -> bool:
    rows = (run.clip_row(ClipCell("ideal", edit.id, 0)) for edit in edits)
    return all(row is not None and row.status == "ok" for row in rows)


def _known(study: Study, run: RunFolder, media: Media, kind: str, what: str, edit: Edit) -> Item:
    """Return a trial whose answer is known."""
    source = run.source(edit.video)
    if what == "ideal":
        clip = edited_clip(run, "ideal", edit.id, media)
    elif what == "unedited":
        clip = media.of_file(source)
    else:
        clip = media.of_video(f"shuffled {edit.video}", _shuffled(read_video(source), edit.video))
    asked = {str(axis): value for axis, value in EXPECTED[what].items() if axis in study.questions}
    return _item(study, run, media, edit, kind, clip, asked, what)


def _trap(
    study: Study, run: RunFolder, media: Media, edit: Edit, answer: int, language: str
) -> Item:
    """Return a clip of the run into which, after a real start, an answer is written."""
    row = run.clip_row(ClipCell(study.methods[0], edit.id, 0))
    assert row is not None
    text = study.texts[language].trap.format(answer=answer)
    video = with_words(read_video(run.clip_path(row)), text)
    clip = media.of_video(f"trap {row.sha256} {text}", video)
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


def _shuffled(video: Video, name: str) -> Video:
    order = rng_for("study shuffled", name).permutation(len(video))
    return Video(video.frames[order], video.fps, video.times)
