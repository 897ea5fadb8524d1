"""Small files in the shape of other benchmarks' (their documented keys, words of our own).

For each format: the files, the clips they name, where outputs of a method lie, and five ways to
damage them, with the line and the words of every mistake.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from small_suites import put_clip, put_frames


class Damage(NamedTuple):
    """What is replaced by what, and what is then told on which lines."""

    old: str
    new: str
    told: dict[int, str]


class Sample(NamedTuple):
    """A benchmark's files as they should be."""

    file: str
    text: str
    clips: tuple[str, ...]
    outputs: tuple[str, ...]  # of a method, in the order of the edits
    damages: tuple[Damage, ...]
    frames: bool = False  # clips are folders of frames, which need --fps

    def write(self, folder: Path, text: str | None = None) -> Path:
        """Write the file and its clips; return the file."""
        for number, clip in enumerate(self.clips):
            put: Callable[[Path, int], Path] = put_clip if Path(clip).suffix else put_frames
            put(folder / clip, number)
        path = folder / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text if text is None else text, encoding="utf-8")
        return path

    def write_outputs(self, folder: Path, seed: int = 50) -> Path:
        """Write outputs of a method."""
        for number, place in enumerate(self.outputs):
            put: Callable[[Path, int], Path] = put_clip if Path(place).suffix else put_frames
            put(folder / place, seed + number)
        return folder


IVE = """\
[{"id": 7, "src_video_name": "0007.mp4", "category": "subject editing",
  "subcategory": "color change",
  "source_prompt": "A red kite over a beach.", "edit_prompt": "Make the kite blue.",
  "target_prompt": "A blue kite over a beach.", "target_phrase": "blue kite"},
 {"id": 8, "src_video_name": "0008.mp4", "category": "style editing",
  "subcategory": "Ukiyo-e (print)",
  "source_prompt": "A boat.", "edit_prompt": "Turn it into a print.",
  "target_prompt": "A boat, as a print."}]
"""
EDITVERSE = """\
{"0": {"<text>": "<video1> Turn the rowing boat into a gondola.",
       "<video1>": "videos/boat.mp4", "<video1> link": "https://example.org/1",
       "direction": "horizontal", "type": "object change",
       "source_prompt": "A rowing boat on a canal.",
       "target_prompt": "A gondola on a canal."},
 "10": {"<text>": "<video1> Put the hat of <image1> on the rower.",
       "<video1>": "videos/boat.mp4", "<image1>": "images/hat.png",
       "direction": "horizontal", "type": "reference insertion"}}
"""
OPENVE = """\
original_video,prompt,edited_type
OpenVE-Bench/videos/0003_local_add_put_a.mp4,"Put a lamp on the desk, by the book.",local_add
OpenVE-Bench/videos/0004_subtitle_edit_add.mp4,"Write ""Good night"" at the bottom.",subtitle_edit
"""
FIVE = """\
[{"editing_type_id": 3, "video_name": "0042_kite",
  "source_prompt": "A [red] kite", "target_prompt": "A [blue] kite",
  "save_dir": "3_A [blue] kite",
  "multiple_choice_question": "What colour is the kite? \\na) red \\nb) blue",
  "source_yes_no_question": "Is the kite red in the image?",
  "target_yes_no_question": "Is the kite blue in the image?"},
 {"editing_type_id": 3, "video_name": "0042_kite",
  "source_prompt": "A [red] kite", "target_prompt": "A [black] kite",
  "save_dir": "3_A [black] kite"}]
"""
COVE = """\
[{"id": 900, "editing_instruction": "Make the kite blue.",
  "original_description": "A red kite.", "target_video_description": "A blue kite.",
  "summary_of_changes": "checked",
  "evaluation_groups": [{"target_element": "Kite", "description": "..", "questions": [
    {"id": "Q1", "type": "AB-MCQ", "dimension": "Execution Accuracy", "difficulty": "Simple",
     "question": "Which colour is the kite in Video B?",
     "options": {"A": "red", "B": "blue"}, "expected_answer": "B"},
    {"id": "Q2", "type": "Single-TF", "dimension": "Physical Logic",
     "question": "Does the kite keep its shape?", "expected_answer": "True"},
    {"id": "Q3", "type": "Score-MCQ", "question": "How well?", "expected_answer": "5"}],
    "category": [{"Question IDs": ["Q1"], "Level 1": "Subject"}]}],
  "videoA_path": "data/kite.mp4",
  "category": [{"Level 1": "Subject", "Level 2": "Subject Attribute Modification",
                "Level 3": "Color Change"}]},
 {"id": 901, "editing_instruction": "Add snow and zoom in.",
  "original_description": "A red kite.", "target_video_description": "A red kite in snow.",
  "evaluation_groups": [{"questions": []}], "videoA_path": "data/kite.mp4",
  "category": [{"Level 1": "Subject"}, {"Level 1": "Camera"}]}]
"""
V2V = """\
data:
  - video_id: kite-surf
    edit:
      - prompt: A blue kite over a beach, watercolour
      - prompt: A red kite over snow
"""
TGVE_HEAD = (
    "Video name,Our GT caption,Style Change Caption,Object Change Caption,"
    "Background Change Caption,Multiple Changes Caption\n"
)
TGVE = (
    TGVE_HEAD
    + """\
DAVIS Videos:,,,,,
kite-surf,A man surfs.," A man surfs, watercolour style.",A dog surfs.,A man on lava.,"A dog, ink."
,,,,,
Youtube Videos:,,,,,
boat,A boat.,A boat in ink.,A swan.,A boat on sand.,A swan in ink.
"""
)
PLAIN = """\
video,instruction,prompt,category,tags,id
clips/duck.mp4,Make it gold.,,appearance,colour material,gold
clips/duck.mp4,,A duck on the moon.,Other Place,,
"""
COVE_DAMAGES = (
    Damage('"id": 901', '"id": 900', {15: "900 stands twice (first on line 1)"}),
    Damage("data/kite.mp4", "data/kit.mp4", {1: "no clip", 15: "no clip"}),
    Damage(
        '"expected_answer": "B"', '"expected_answer": "C"', {1: "question Q1 of task 900 has no"}
    ),
    Damage('"Single-TF"', '"Single"', {8: "type"}),
    Damage(
        '"editing_instruction": "Add snow and zoom in."', '"editing": 3',
        {15: "needs the key `editing_instruction`"},
    ),
)  # fmt: skip
SAMPLES = {
    "ivebench": Sample(
        "ivebench_prompt_short.json",
        IVE,
        ("0007.mp4", "0008.mp4"),
        ("0007.mp4", "0008.mp4"),
        (
            Damage('"id": 8', '"id": 7', {5: "7 stands twice (first on line 1)"}),
            Damage("0008.mp4", "0009.mp4", {5: "no clip 0009.mp4"}),
            Damage('"Make the kite blue."', '""', {3: "edit_prompt is empty"}),
            Damage(
                '"source_prompt": "A boat.",', '"caption": 3,', {5: "needs the key `source_prompt`"}
            ),
            Damage('"A boat, as a print."}]', '"A boat, as a print."}', {8: "not JSON"}),
        ),
    ),
    "editversebench": Sample(
        "test.json",
        EDITVERSE,
        ("videos/boat.mp4",),
        ("0/generate.mp4", "10/generate.mp4"),
        (
            Damage('"10"', '"0"', {6: "the key `0` is repeated (first on line 1)"}),
            Damage('"<image1>": "images/hat.png",', "", {6: "refers to <image1>"}),
            Damage('"type": "object change"', '"type": ["x"]', {3: "must be text, got a list"}),
            Damage('"images/hat.png"', '"../../hat.png"', {6: "leaves the suite's folder"}),
            Damage(
                '"<text>": "<video1> Turn the rowing boat into a gondola.",',
                "",
                {1: "needs the key `<text>`"},
            ),
        ),
    ),
    "openve-bench": Sample(
        "openve.csv",
        OPENVE,
        ("videos/0003_local_add_put_a.mp4", "videos/0004_subtitle_edit_add.mp4"),
        ("0003_local_add_put_a_edited.mp4", "0004_subtitle_edit_add_edited.mp4"),
        (
            Damage("prompt,", "prompts,", {0: "lacks the column prompt"}),
            Damage(
                "0004_subtitle_edit_add",
                "0003_local_add_put_a",
                {3: "stands twice (first on line 2)"},
            ),
            Damage("videos/0004", "videos/0005", {3: "no clip"}),
            Damage(',"Put a lamp on the desk, by the book."', ",", {2: "no prompt in this row"}),
            Damage(",subtitle_edit\n", ",subtitle_edit,more\n", {3: "4 cells in this row"}),
        ),
    ),
    "five": Sample(
        "edit_prompt/edit3_FiVE.json",
        FIVE,
        ("images/0042_kite",),
        ("0042_kite/3_A [blue] kite", "0042_kite/3_A [black] kite.mp4"),
        (
            Damage("b) blue", "c) blue", {1: "needs a question and the lines a) and b)"}),
            Damage('"A [black] kite"', '""', {8: "target_prompt is empty"}),
            Damage(
                '3, "video_name": "0042_kite',
                '3, "video_name": "0043',
                {1: "no clip", 7: "no clip"},
            ),
            Damage('"save_dir": "3_A [black] kite"', '"dir": 1', {7: "needs the key `save_dir`"}),
            Damage("A [black] kite", "A [blue] kite", {7: "the same video and prompt"}),
        ),
        frames=True,
    ),
    "covebench": Sample(
        "data/checklist.json", COVE, ("data/kite.mp4",), ("900.mp4", "901.mp4"), COVE_DAMAGES
    ),
    "v2vbench": Sample(
        "config.yaml",
        V2V,
        ("frames/kite-surf",),
        ("kite-surf/0.mp4", "kite-surf/1.mp4"),
        (
            Damage("data:", "date:", {1: "there is no data"}),
            Damage("A red kite over snow", "", {5: "prompt is empty"}),
            Damage("A red kite over snow", "[a, b]", {5: "must be text, got a list"}),
            Damage("video_id: kite-surf", "video_id: kite", {4: "no clip", 5: "no clip"}),
            Damage(
                "A red kite over snow",
                "A blue kite over a beach, watercolour",
                {5: "the same video and prompt"},
            ),
        ),
        frames=True,
    ),
    "tgve": Sample(
        "LOVEU-TGVE-2023_Dataset.csv",
        TGVE,
        ("DAVIS_480p/480p_videos/kite-surf.mp4", "youtube_480p/480p_videos/boat.mp4"),
        tuple(
            f"{video}/{kind}"
            for video in ("DAVIS_480p/kite-surf", "youtube_480p/boat")
            for kind in ("style", "object", "background", "multiple")
        ),
        (
            Damage("DAVIS Videos:,,,,,\n", "", {2: "stands under no subset"}),
            Damage("Youtube Videos:", "Vimeo Videos:", {5: "is none of", 6: "under no subset"}),
            Damage("boat,A boat.,", "ship,A boat.,", {6: "no clip"}),
            Damage("boat,A boat.,", "boat,,", {6: "caption"}),
            Damage("Object Change Caption", "Object Caption", {0: "lacks the column"}),
        ),
    ),
    "csv": Sample(
        "requests.csv",
        PLAIN,
        ("clips/duck.mp4",),
        ("gold.mp4", "duck_ef9acab2.mp4"),
        (
            Damage(",,A duck on the moon.", ",,", {3: "needs `prompt` or `instruction`"}),
            Damage("Other Place,,", "Other Place,,gold", {3: "gold stands twice"}),
            Damage("clips/duck.mp4,,", "../duck.mp4,,", {3: "leaves the suite's folder"}),
            Damage("clips/duck.mp4,Make", "clips/goose.mp4,Make", {2: "no clip clips/goose.mp4"}),
            Damage("video,", "film,", {0: "lacks the column video"}),
        ),
    ),
}
