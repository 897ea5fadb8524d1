"""What is said of how clips were read, and how much of its source a clip covers.

Cases N2 to N5, N9, N10 and N13 of numbers.md, as runs on small clips of the same kinds.
"""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner
from one_source import make, moving, outputs_beside, pictures, scored, write_suite
from PIL import Image

from dreamix.core.errors import UserError
from dreamix.core.media import Guess
from dreamix.core.video import Video
from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_check import check_suite
from evaluation.cli import bench
from evaluation.sample.frames import pair_frames
from evaluation.schema import ScoreRow
from evaluation.score.remarks import Look, gathered, partial, remarks_on
from evaluation.score.table import read_scores

VARIABLE = np.concatenate([np.arange(25) / 30, 25 / 30 + np.arange(15) / 15])
FEW = np.concatenate([np.arange(5) / 30, 5 / 30 + np.arange(3) / 15])  # 5 at 30, 3 at 15 fps


def said_of(source: Video, edited: Video, policy: str = "auto") -> list[str]:
    return remarks_on(Look(source, None), Look(edited, None), pair_frames(source, edited, policy))


def small(count: int, fps: float, size: tuple[int, int] = (8, 8)) -> Video:
    return Video(np.zeros((count, *size[::-1], 3), np.uint8), fps)


class TestRuns:
    def test_frames_one_to_one_are_equal_whatever_the_rate_tag_says(self, tmp_path: Path) -> None:
        """N2, N3: the same frames at 24 fps, and tagged 25 and 8: PSNR 100 by definition."""
        frames = moving(12)
        outputs = {"rate25": Video(frames, 25), "tag8": Video(frames, 8)}
        run = make(outputs_beside(tmp_path, Video(frames, 24), outputs))
        rows, done = scored(run, "psnr")
        assert {name: (row.value, row.pairs, row.covers) for name, row in rows.items()} == {
            "rate25": (100, 12, 1),
            "tag8": (100, 12, 1),
        }
        assert rows["tag8"].remarks == ["12 frames each, 1.5 s against 0.5 s: paired by number"]
        assert done.remarks == [
            "rate25, duck_00: 12 frames each, 0.48 s against 0.5 s: paired by number",
            "tag8, duck_00: 12 frames each, 1.5 s against 0.5 s: paired by number",
        ]
        assert done.partial == []

    def test_a_gif_with_delays_in_hundredths_pairs_frame_by_frame(self, tmp_path: Path) -> None:
        """N2: 8 fps is 12.5 hundredths, written as 12. Expected PSNR: NumPy on Pillow's palette."""
        folder = outputs_beside(tmp_path, Video(moving(8), 8), {})
        few = [Image.fromarray(frame).quantize(64) for frame in moving(8)]
        place = folder / "outputs" / "gif" / "duck_00.gif"
        place.parent.mkdir(parents=True)
        few[0].save(place, save_all=True, append_images=few[1:], duration=120, loop=0)
        shown = np.stack([np.asarray(picture.convert("RGB")) for picture in few])
        errors = ((shown.astype(float) - moving(8)) ** 2).mean(axis=(1, 2, 3))
        rows, _ = scored(make(folder), "psnr")
        assert rows["gif"].value == pytest.approx(np.mean(10 * np.log10(255**2 / errors)), rel=1e-6)

    @pytest.mark.parametrize("policy", ["auto", "span", "index", "pts"])
    def test_frames_dumped_from_a_clip_of_variable_rate_are_equal(
        self, policy: str, tmp_path: Path
    ) -> None:
        """N4: a folder of as many PNGs takes the source's times, so it is equal under any policy;
        the same frames at a constant rate are under all but `pts`, which believes the rate."""
        frames = moving(8)
        folder = outputs_beside(tmp_path, Video(frames, 30, FEW), {"constant": Video(frames, 22)})
        pictures(folder / "outputs" / "dumped" / "duck_00", frames)
        rows, _ = scored(make(folder), "psnr", policy=policy)
        assert (rows["dumped"].value, rows["dumped"].remarks) == (100, None)
        assert rows["constant"].status == "ok"
        assert policy == "pts" or rows["constant"].value == 100

    def test_a_part_of_the_source_is_told_from_a_whole_one(self, tmp_path: Path) -> None:
        """N5: of 8 frames the first, the first 4, 5 PNGs (still being written), and 4 of half the
        rate, which are the whole second. By hand: 1/8, 4/8, 5/8, 1; the same in all metrics."""
        frames = moving(8)
        outputs = {
            "one": Video(frames[:1], 8),
            "first4": Video(frames[:4], 8),
            "slow": Video(frames[::2], 4),
        }
        folder = outputs_beside(tmp_path, Video(frames, 8), outputs)
        pictures(folder / "outputs" / "writing" / "duck_00", frames[:5])
        run = make(folder)
        _, done = scored(run, "psnr", "ssim", "sharpness", "motion_mag")
        covers: dict[str, set[float | None]] = {}
        for row in read_scores(run / "scores.jsonl").values():
            covers.setdefault(row.method, set()).add(row.covers)
        assert covers == {"one": {1 / 8}, "first4": {1 / 2}, "writing": {5 / 8}, "slow": {1}}
        assert [line.partition(",")[0] for line in done.partial] == ["first4", "one", "writing"]

    def test_equal_frames_have_an_ssim_of_one_and_no_more(self, tmp_path: Path) -> None:
        """N10, by definition (Wang et al. 2004, 3.2: S(x, x) = 1): whole and cut clips tie."""
        frames = moving(8, 48, 64)
        outputs = {"all": Video(frames, 8), "one": Video(frames[:1], 8)}
        rows, _ = scored(make(outputs_beside(tmp_path, Video(frames, 8), outputs)), "ssim")
        assert rows["all"].value == rows["one"].value == 1
        assert rows["all"].frames == [1.0] * 8

    def test_the_command_says_what_it_decided_and_keeps_the_least_share(
        self, tmp_path: Path
    ) -> None:
        """N3, N5 on the terminal; a share of 0.5 that was asked for stays, and 4 of 8 reach it."""
        frames = moving(8)
        outputs = {"half": Video(frames[:4], 8), "tag": Video(frames, 24)}
        run = make(outputs_beside(tmp_path, Video(frames, 8), outputs))
        command = ["score", str(run), "--metrics", "psnr"]
        found = CliRunner().invoke(bench, command)
        assert found.exit_code == 0
        assert "note: tag, duck_00: 8 frames each, 0.333 s against 1 s: paired by number\n" in (
            found.output
        )
        assert (
            "partial: half, 1 of 1 clips cover less than 90% of their source "
            "(the least 50%: duck_00)\n"
        ) in found.output
        assert "least_share" not in json.loads((run / "run.json").read_text())
        again = CliRunner().invoke(bench, [*command, "--least-share", "0.5"])
        assert "0 scores computed" in again.output and "partial" not in again.output
        assert json.loads((run / "run.json").read_text())["least_share"] == 0.5
        assert "partial" not in CliRunner().invoke(bench, command).output
        refused = CliRunner().invoke(bench, [*command, "--least-share", "90"])
        assert refused.exit_code == 2


@pytest.mark.parametrize(
    ("edited", "remark"),
    [
        (small(48, 24), None),
        (small(48, 24000 / 1001), None),  # NTSC: 2 ms in 2 s
        (small(48, 8), "48 frames each, 6 s against 2 s: paired by number"),
        (small(24, 12), "24 frames against 48, 2 s each: paired by time"),
        (small(45, 24), "45 frames against 48, 1.88 s against 2 s: paired by time"),
        (
            small(45, 16),
            "45 frames against 48, 2.81 s against 2 s: paired by time, as the rate tags say "
            "(otherwise --align index, or span)",
        ),
        (small(1, 24), "1 frame against 48, 0.0417 s against 2 s: paired by time"),
    ],
)
def test_a_pairing_is_said_unless_counts_and_moments_are_the_same(
    edited: Video, remark: str | None
) -> None:
    """N3; seconds are frames over rate."""
    assert said_of(small(48, 24), edited) == ([remark] if remark else [])


def test_the_same_seconds_at_other_moments_are_said() -> None:
    """N4: frame 24 is shown at 0.8 s of 1.83 s, and at 1.1 s if the rate were constant."""
    times = np.arange(40) * (VARIABLE[-1] + 1 / 30) / 40
    even = Video(np.zeros((40, 8, 8, 3), np.uint8), 1 / times[1])
    varying = Video(even.frames, 30, VARIABLE)
    assert said_of(varying, even) == ["40 frames each, shown at other moments: paired by number"]


@pytest.mark.parametrize("policy", ["pts", "span", "index"])
def test_other_policies_say_what_they_did(policy: str) -> None:
    done = {"pts": "by time", "span": "by their share of the clip", "index": "by number"}[policy]
    (remark,) = said_of(small(48, 24), small(48, 8), policy)
    assert remark.endswith(f"paired {done}")


def test_a_still_source_asks_for_no_remark_on_frames() -> None:
    assert said_of(small(1, 8), small(16, 8)) == []


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((168, 96), False),
        ((84, 48), False),
        ((848, 480), False),  # 16 : 9 to whole blocks of 16 pixels: 0.6% off
        ((30, 17), False),  # 16.9 rounded to 17
        ((96, 96), True),
        ((168, 168), True),
        ((96, 168), True),
    ],
)
def test_another_shape_is_said(size: tuple[int, int], said: bool) -> None:
    """N13: aspects in the head; 168 : 96 = 1.75, or 1920 : 1080 for the sizes of 16 : 9."""
    source = small(2, 8, (1920, 1080) if size[0] in (848, 30) else (168, 96))
    remarks = said_of(source, small(2, 8, size))
    what = f"{size[0]}x{size[1]} pixels against 168x96: stretched to the source's shape"
    assert remarks == ([what] if said else [])


SD, HD = Guess("bt601", 512, 512), Guess("bt709", 1280, 720)


@pytest.mark.parametrize(
    ("source", "edited", "heads"),
    [
        (None, None, []),
        (SD, SD, []),
        (None, SD, []),
        (None, HD, ["1280x720"]),
        (HD, None, ["source of 1280x720"]),
        (HD, HD, ["source of 1280x720", "1280x720"]),
        (SD, HD, ["source of 512x512", "1280x720"]),
        (HD, SD, ["source of 1280x720", "512x512"]),
    ],
)
def test_guessed_colours_are_said_where_they_matter(
    source: Guess | None, edited: Guess | None, heads: list[str]
) -> None:
    """N9: of clips above SD size, and where source and edit got two guesses."""
    clip = small(2, 8)
    found = remarks_on(Look(clip, source), Look(clip, edited), pair_frames(clip, clip))
    assert [remark.partition(" without")[0] for remark in found] == heads


def row(method: str, edit: str, remarks: list[str], covers: float = 1.0) -> ScoreRow:
    facts = ("psnr", "ok", edit, "object", "id")
    return ScoreRow(method, edit, 0, *facts, remarks=remarks, covers=covers)  # type: ignore[arg-type]


def test_remarks_on_many_clips_are_one_line_with_a_count() -> None:
    """Three kinds: alike in all, unlike in numbers, and on sources, which all methods share."""
    source = "source of 1280x720 without a colour tag: read as BT.709"
    rows = []
    for number in range(500):
        alike, unlike = (
            "8 frames each, 1 s against 2 s: paired by number",
            (f"{number + 9} frames against 8, 1 s each: paired by time"),
        )
        rows += [row(name, f"e{number:03}", [alike, unlike, source]) for name in ("a", "b")]
    assert gathered(rows) == [
        "a, 500 clips: 8 frames each, 1 s against 2 s: paired by number",
        "a, 500 clips such as e000: 9 frames against 8, 1 s each: paired by time",
        "sources, 500 videos: source of 1280x720 without a colour tag: read as BT.709",
        "b, 500 clips: 8 frames each, 1 s against 2 s: paired by number",
        "b, 500 clips such as e000: 9 frames against 8, 1 s each: paired by time",
    ]


def test_partial_clips_are_counted_by_method() -> None:
    rows = [row("a", "x", [], 0.5), row("a", "y", [], 0.9), row("b", "x", [], 1.0)]
    assert partial(rows, 0.9) == [
        "a, 1 of 2 clips cover less than 90% of their source (the least 50%: x)"
    ]
    assert partial(rows, 0.5) == []


def write_untagged(path: Path, frames: np.ndarray) -> None:
    """Write frames as writers of RGB do: BT.601 by swscale's default, and no tag (N9)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8, options={"crf": "5"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for image in frames:
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


class TestColours:
    """N9: 720 lines by a writer of RGB. Read as BT.601, flat (200, 60, 40) comes back to 2 levels,
    so PSNR is above 42 dB; read as BT.709 red is 16 levels off, so it is below 30."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        frames = np.full((2, 720, 1280, 3), (200, 60, 40), np.uint8)
        outputs_beside(tmp_path, Video(frames, 8), {})
        write_untagged(tmp_path / "outputs" / "writer" / "duck_00.mp4", frames)
        return tmp_path

    def test_the_guess_is_said(self, folder: Path) -> None:
        rows, done = scored(make(folder), "psnr")
        assert rows["writer"].value is not None and rows["writer"].value < 30
        (line,) = done.remarks
        assert line.startswith("writer, duck_00: 1280x720 without a colour tag: read as BT.709")

    def test_a_method_can_say_its_colour_and_is_another_one_then(self, folder: Path) -> None:
        place = f"external:{folder}/outputs/writer"
        run = make(folder, f"a={place}", f"b={place}:colour=bt601")
        rows, done = scored(run, "psnr")
        assert rows["a"].value is not None and rows["b"].value is not None
        assert rows["a"].value < 30 and rows["b"].value > 42
        assert rows["b"].remarks is None and len(done.remarks) == 1
        with pytest.raises(UserError, match=r"another configuration \(colour not said\)"):
            make(folder, f"a={place}:colour=bt601")
        with pytest.raises(UserError, match="unknown colour 'bt60'"):
            make(folder, f"c={place}:colour=bt60")

    def test_a_suite_can_say_it_for_all_and_is_another_one_then(self, folder: Path) -> None:
        before = load_suite(folder).sha256
        write_suite(folder, {"duck": "duck.mp4"}, top="colour: bt601")
        suite = load_suite(folder)
        assert suite.sha256 != before
        assert Suite.from_dict(suite.to_dict()).colour == "bt601"
        rows, done = scored(make(folder), "psnr")
        assert rows["writer"].value is not None and rows["writer"].value > 42
        assert done.remarks == []

    def test_methods_get_the_source_in_the_colours_of_the_suite(self, folder: Path) -> None:
        """A source by the same writer; NumPy's own difference to what was written."""
        for top, right in (("", False), ("colour: bt601", True)):
            write_suite(folder, {"duck": "outputs/writer/duck_00.mp4"}, top)
            frames = load_suite(folder).source("duck").frames.astype(int)
            assert (np.abs(frames - (200, 60, 40)).max() <= 3) == right

    def test_another_word_is_a_problem_with_its_line(self, folder: Path) -> None:
        write_suite(folder, {"duck": "duck.mp4"}, top="colour: bt602")
        (problem,) = check_suite(folder)
        assert problem.line == 4
        assert problem.message.startswith("colour: unknown colour 'bt602', did you mean")


def test_two_guesses_of_colours_are_two_lines() -> None:
    """512 lines are read as BT.601 and 720 as BT.709, so their remarks are not of one kind."""
    found = []
    for number, guess in enumerate((HD, SD)):
        clip = small(2, 8)
        said = remarks_on(Look(clip, HD), Look(clip, guess), pair_frames(clip, clip))
        found.append(row("a", f"e{number}", said[1:]))
    assert [line.partition(": ")[0] for line in gathered(found)] == ["a, e0", "a, e1"]
