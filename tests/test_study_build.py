"""`study build`: clips for browsers under blind names, checks, a plan that stays the same."""

import json
import re
import shutil
from collections import Counter
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import yaml
from one_source import make, moving, outputs_beside

from dreamix.core.errors import UserError
from dreamix.core.media import probe, read_video, write_image
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.folder import RunFolder
from evaluation.run.runner import run_suite
from study_app.open_study import open_study
from study_app.plan import read_plan
from study_app.prepare.build import build
from study_app.prepare.cells import choose_edits
from study_app.prepare.media import at_height
from study_app.prepare.traps import card, with_words
from study_app.spec.study import STUDY_FILE, read_study
from study_app.spec.template import TEMPLATE

METHODS = ("frozen-frame", "shuffled-frames")


@pytest.fixture(scope="module")
def run(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two anchors as methods, and two as what they are, on six edits of two rendered videos."""
    suite = load_suite(root / "datasets" / "toybox")
    columns = [column for name in (*METHODS, "ideal", "unedited") for column in variants(name)]
    videos = sorted({edit.video for edit in suite.edits})[:2]
    edits = [e.id for video in videos for e in suite.edits if e.video == video]
    folder = tmp_path_factory.mktemp("runs") / "one"
    run_suite(suite, columns, folder, edits=edits[:2] + edits[-2:])
    return folder


def write_study(folder: Path, run: Path, **changes: str) -> Path:
    text = TEMPLATE.read_text().replace("$name", "two").replace("$run", str(run))
    text = text.replace("$methods", f"[{', '.join(METHODS)}]").replace("trials: 20", "trials: 2")
    text = text.replace("display_height: 360", "display_height: 192")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / STUDY_FILE).write_text(text)
    return folder


@pytest.fixture(scope="module")
def study(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("study"), run)
    build(folder)
    return folder


@pytest.mark.slow
def test_every_edit_of_every_method_is_rated_and_checks_know_their_answer(study: Path) -> None:
    plan = read_plan(study)
    cells = {(item.edit, item.methods) for item in plan.of_kind("rating")}
    assert len(cells) == 4 * len(METHODS) == len(plan.of_kind("rating"))
    assert [item.methods for item in plan.of_kind("training")] == [
        ("ideal",),
        ("unedited",),
        ("shuffled",),
    ]
    assert plan.by_key[plan.of_kind("gold")[0].key].expected == {"alignment": 5, "fidelity": 5}
    traps = {tuple((trap.expected or {}).values()) for trap in plan.of_kind("trap")}
    assert traps == {(2, 2, 2), (4, 4, 4)}
    assert len(plan.by_key) == len(plan.items), "no two keys alike"


@pytest.mark.slow
def test_clips_play_in_every_browser_and_their_names_tell_nothing(study: Path) -> None:
    files = sorted((study / "media").iterdir())
    names = {name for item in read_plan(study).items for name in (item.left, item.right)}
    assert {file.stem for file in files} == names
    for file in files:
        info = probe(file)
        assert (info.codec, info.pixel_format, info.height) == ("h264", "yuv420p", 192)
        assert re.fullmatch(r"[0-9a-f]{32}\.mp4", file.name)
    assert (study / "secret").stat().st_mode & 0o077 == 0, "for the owner's eyes"


@pytest.mark.slow
def test_no_address_tells_which_edit_is_the_unedited_one(run: Path, tmp_path: Path) -> None:
    """The anchor shows its source: the same picture, but neither address, size nor bytes are."""
    methods = {"[frozen-frame, shuffled-frames]": "[frozen-frame, unedited]"}
    folder = write_study(tmp_path / "anchors", run, **methods)
    plan = build(folder).plan
    rated = plan.of_kind("rating")
    assert len({item.right for item in rated}) == len(rated) == 8
    for kind in ("rating", "gold", "training", "trap"):
        shown = [{item.left, item.right} for item in plan.items if item.kind == kind]
        others = [{i.left, i.right} for i in plan.items if i.kind != kind]
        assert not set().union(*shown) & set().union(*others), "practice tells nothing of later"
    unedited = next(item for item in rated if item.methods == ("unedited",))
    left, right = (folder / "media" / f"{name}.mp4" for name in (unedited.left, unedited.right))
    assert left != right and looks_like(left, right)
    assert left.read_bytes() != right.read_bytes() and left.stat().st_size != right.stat().st_size
    sources = [i.left for i in plan.items if i.video == unedited.video and i.left != unedited.left]
    assert any(left.samefile(left.with_name(f"{name}.mp4")) for name in sources), "stored once"


def looks_like(one: Path, other: Path) -> bool:
    """Whether two clips differ by nothing that is seen: 40 dB or more."""
    pictures = [read_video(path).frames.astype(float) for path in (one, other)]
    return bool(((pictures[0] - pictures[1]) ** 2).mean() < 255**2 / 1e4)


@pytest.mark.slow
def test_another_study_has_other_names_for_the_same_clips(
    study: Path, run: Path, tmp_path: Path
) -> None:
    """What a rater of one study learned about names does not help in the next."""
    build(write_study(tmp_path / "again", run))
    ours, theirs = ({f.name for f in (p / "media").iterdir()} for p in (study, tmp_path / "again"))
    assert not ours & theirs


def test_building_again_changes_nothing_and_removes_what_is_left_over(study: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in (study / "media").iterdir()}
    plan = (study / "plan.json").read_bytes()
    (study / "media" / f"{'0' * 32}.mp4").touch()
    build(study)
    assert {file: file.stat().st_mtime_ns for file in (study / "media").iterdir()} == before
    assert (study / "plan.json").read_bytes() == plan


@pytest.mark.slow
def test_an_edit_that_one_method_failed_at_is_left_out_for_all(
    run: Path, study: Path, tmp_path: Path
) -> None:
    edit = read_plan(study).items[0].edit
    sidecar = run / "clips" / METHODS[1] / edit / "0.json"
    kept = sidecar.read_text()
    try:
        sidecar.write_text(json.dumps({**json.loads(kept), "status": "failed", "file": None}))
        changes = {"trials: 2": "trials: 1"}
        plan = build(write_study(tmp_path / "s", run, **changes)).plan
    finally:
        sidecar.write_text(kept)
    assert plan.left_out == {edit: f"no clip of {METHODS[1]}"}
    assert edit not in {item.edit for item in plan.of_kind("rating")}


def test_a_plan_that_the_study_cannot_show_is_one_line(study: Path, tmp_path: Path) -> None:
    """A plan that was altered, or made elsewhere: its first item in each case."""
    shutil.copytree(study, tmp_path / "study")
    path = tmp_path / "study" / "plan.json"
    whole = json.loads(path.read_text())
    cases = {
        "names 0 methods, not 1": {"methods": []},
        "is of no known kind ('rat')": {"kind": "rat"},
        "shows a clip that is not listed ('cat')": {"left": "cat"},
        "less than or equal to 5": {"expected": {"alignment": 10**30}},
        "expects answers to questions that are not asked": {"expected": {"beauty": 1}},
        "two items have the key": {"key": whole["items"][1]["key"]},
    }
    for told, change in cases.items():
        changed = {**whole, "items": [{**whole["items"][0], **change}, *whole["items"][1:]]}
        path.write_text(json.dumps(changed))
        with pytest.raises(UserError, match=re.escape(told)) as error:
            open_study(tmp_path / "study")
        assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
def test_pairs_are_every_two_methods_with_the_source_between(run: Path, tmp_path: Path) -> None:
    changes = {"design: absolute": "design: pairwise"}
    plan = build(write_study(tmp_path / "pairs", run, **changes)).plan
    assert {item.methods for item in plan.of_kind("rating")} == {METHODS}
    rated = plan.of_kind("rating")
    assert all(item.reference not in (item.left, item.right, None) for item in rated)


@pytest.mark.slow
def test_checks_of_pairs_know_the_better_side(run: Path, tmp_path: Path) -> None:
    """The exact edit beats the source in what was asked, both beat shuffled frames in looks."""
    changes = {"design: absolute": "design: pairwise"}
    folder = write_study(tmp_path / "pairs", run, **changes)
    plan = build(folder).plan
    sides: dict[str, set[int]] = {}
    for item in (*plan.of_kind("gold"), *plan.of_kind("training")):
        left, right, _ = item.methods[0].split()
        clips = {left: item.left, right: item.right}
        names = (*clips.values(), item.reference)
        *shown, source = (folder / "media" / f"{name}.mp4" for name in names)
        assert ("unedited" in clips) == any(looks_like(clip, source) for clip in shown)
        worse = "shuffled" if "shuffled" in clips else "unedited"
        expected = -1 if right == worse else 1
        assert item.expected and set(item.expected.values()) == {expected}
        asked = {"alignment"} if worse == "unedited" else {"fidelity", "quality"}
        assert asked <= set(item.expected)
        if item.kind == "gold":
            sides.setdefault(" ".join(sorted(clips)), set()).add(expected)
    assert len(sides) == 3 and all(found == {-1, 1} for found in sides.values())
    assert len(plan.of_kind("training")) == 3


@pytest.mark.slow
def test_traps_of_pairs_ask_for_a_side_in_both_clips(run: Path, tmp_path: Path) -> None:
    changes = {"design: absolute": "design: pairwise"}
    folder = write_study(tmp_path / "pairs", run, **changes)
    traps = build(folder).plan.of_kind("trap")
    assert [set((trap.expected or {}).values()) for trap in traps] == [{-1}, {1}]
    for trap in traps:
        left, right = (read_video(folder / "media" / f"{n}.mp4") for n in (trap.left, trap.right))
        assert np.abs(left.frames[-1].astype(int) - right.frames[-1]).mean() < 2, "the same words"
        assert np.abs(left.frames[0].astype(int) - left.frames[-1]).mean() > 20, "after a start"
    assert traps[0].left != traps[1].left


@pytest.mark.slow
def test_pairs_of_a_run_without_exact_edits_have_checks_too(tmp_path: Path, root: Path) -> None:
    suite = load_suite(root / "datasets" / "toybox")
    videos = sorted({edit.video for edit in suite.edits})[:2]
    edits = [next(e.id for e in suite.edits if e.video == video) for video in videos]
    columns = [column for name in METHODS for column in variants(name)]
    run_suite(suite, columns, tmp_path / "run", edits=edits)
    changes = {"design: absolute": "design: pairwise"}
    plan = build(write_study(tmp_path / "pairs", tmp_path / "run", **changes)).plan
    assert {item.methods[0].rpartition(" ")[0] for item in plan.of_kind("gold")} == {
        "unedited shuffled",
        "shuffled unedited",
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("trials: 2", "trials: 3", "size.trials: 3 are too many"),
        ("[frozen-frame, shuffled-frames]", "[frozen-frames]", "did you mean frozen-frame or"),
        ('edits: ["*"]', 'edits: ["x*"]', "has no edit that every method"),
    ],
)
def test_what_cannot_be_built_is_said(
    run: Path, tmp_path: Path, old: str, new: str, told: str
) -> None:
    with pytest.raises(UserError, match=re.escape(told)):
        build(write_study(tmp_path / "bad", run, **{old: new}))
    assert not (tmp_path / "bad" / "plan.json").exists()


def test_a_study_that_is_not_built_says_how(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run `dreamix study build"):
        read_plan(tmp_path)


def test_small_clips_grow_by_whole_pixels_and_large_ones_shrink() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 96, 160, 3), dtype=np.uint8)
    large = at_height(Video(frames, 8), 360)
    assert large.frames.shape == (2, 288, 480, 3)
    assert (large.frames[:, ::3, ::3] == frames).all()
    small = at_height(Video(frames.repeat(5, 1).repeat(5, 2), 8), 240)
    assert small.frames.shape == (2, 240, 400, 3)


def test_words_cover_the_end_of_a_trap_and_leave_its_start() -> None:
    video = Video(np.full((10, 96, 160, 3), 200, np.uint8), 8)
    found = with_words(video, "Please answer 2 to every question").frames
    assert (found[:4] == 200).all()
    assert (found[4:] == found[4]).all()
    ink = (found[4] > 200).any(axis=-1)
    assert 0.02 < ink.mean() < 0.4, "there are words"
    assert not ink[[0, -1]].any() and not ink[:, [0, -1]].any(), "and they fit"


def in_two_languages(folder: Path, run: Path, language: str, trap: str) -> Path:
    text = yaml.safe_load(write_study(folder, run).joinpath(STUDY_FILE).read_text())
    text["texts"][language] = {**text["texts"]["en"], "language": language, "trap": trap}
    (folder / STUDY_FILE).write_text(yaml.safe_dump(text, allow_unicode=True))
    return folder


@pytest.mark.slow
def test_each_language_has_traps_in_its_own_words(run: Path, tmp_path: Path) -> None:
    """The last frame that is served is the card, drawn at the size of the clip."""
    polish = "Proszę odpowiedzieć {answer} na każde pytanie"
    folder = in_two_languages(tmp_path / "pl", run, "pl", polish)
    traps = [item for item in build(folder).plan.of_kind("trap") if item.language == "pl"]
    assert [item.expected["quality"] for item in traps] == [2, 4]
    for item, answer in zip(traps, (2, 4), strict=True):
        last = read_video(folder / "media" / f"{item.right}.mp4").frames[-1]
        wanted = card(polish.format(answer=answer), last.shape[1], last.shape[0], "pl")
        assert np.abs(last.astype(int) - wanted).mean() < 2
    assert last.shape[0] == 192, "of clips of 96"


def test_letters_that_cannot_be_drawn_end_a_build_before_it_begins(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("study_app.prepare.lettering.installed", lambda: ())
    folder = in_two_languages(tmp_path / "zh", run, "zh", "请选 {answer}")
    told = r"^texts\.zh\.trap: no font here has 请 \(U\+8BF7\), 选 \(U\+9009\): install"
    with pytest.raises(UserError, match=told):
        build(folder)
    assert sorted(path.name for path in folder.iterdir()) == [STUDY_FILE]


@pytest.mark.parametrize("size", [(160, 96), (480, 288), (256, 256), (1920, 1080)])
def test_cards_of_every_size_hold_long_words(size: tuple[int, int], tmp_path: Path) -> None:
    picture = card("Bitte beantworten Sie jede Frage mit der Antwort Nummer 4", *size)
    ink = (picture > 200).any(axis=-1)
    assert ink.any() and not ink[[0, -1]].any() and not ink[:, [0, -1]].any()
    write_image(tmp_path / "card.png", picture)


def test_a_media_clip_reads_back_as_long_as_it_was(study: Path, run: Path) -> None:
    """A second stays a second: raters see source and edit in step."""
    item = read_plan(study).of_kind("rating")[0]
    source = read_video(run / "sources" / f"{item.video}.mp4")
    assert read_video(study / "media" / f"{item.left}.mp4").duration == pytest.approx(
        source.duration, abs=1e-3
    )


def test_the_plan_knows_each_clip_by_its_length_and_content(tmp_path: Path) -> None:
    """Outputs of 2, 1 and .5 s of a source of 2 s: each pair takes as long as its longest clip."""
    frames = moving(16, 48, 64)
    outputs = {name: Video(frames[:many], 8) for name, many in (("a", 16), ("b", 8), ("c", 4))}
    run = make(outputs_beside(tmp_path, Video(frames, 8), outputs))
    none = {"training: 3": "training: 0", "traps: 1": "traps: 0", "gold: 1": "gold: 0"}
    changes = none | {"trials: 2": "trials: 1", "height: 192": "height: 120"}
    changes |= {"design: absolute": "design: pairwise", f"[{', '.join(METHODS)}]": "[b, a, c]"}
    folder = write_study(tmp_path / "study", run, **changes)
    plan = build(folder).plan
    assert read_plan(folder) == plan
    lengths = {item.methods: plan.lengths(item.clips) for item in plan.items}
    assert lengths == {("b", "a"): (1, 2, 2), ("b", "c"): (1, 0.5, 2), ("a", "c"): (2, 0.5, 2)}
    assert {item.seconds for item in plan.items} == {2.0}
    for name, clip in plan.clips.items():
        assert clip.sha256 == sha256((folder / "media" / f"{name}.mp4").read_bytes()).hexdigest()


def test_edits_are_drawn_by_the_seed_and_spread_over_the_sources(study: Path, run: Path) -> None:
    """Two of four edits of two videos: one of each, either one as often as the other."""
    asked, folder, seen = read_study(study), RunFolder(run), Counter[str]()
    assert len(choose_edits(asked, folder).edits) == 4
    size = asked.size.model_copy(update={"edits": 2})
    for seed in range(60):
        one = asked.model_copy(update={"size": size, "seed": seed})
        found = choose_edits(one, folder)
        assert len({edit.video for edit in found.edits}) == 2 and not found.left_out
        assert found == choose_edits(one, folder)
        seen.update(edit.id for edit in found.edits)
    assert min(seen.values()) > 15 and len(seen) == 4, "15 of 60 is four deviations off a half"
    size = asked.size.model_copy(update={"edits": 3})
    drawn = choose_edits(asked.model_copy(update={"size": size}), folder).edits
    assert sorted(Counter(edit.video for edit in drawn).values()) == [1, 2]
