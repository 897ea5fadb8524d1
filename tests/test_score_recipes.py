"""Recipes of evaluators speak the protocol, whatever their model is; here it is a stand-in."""

import ast
import json
import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import av
import pytest
from small_suites import put_clip

REQUESTS = [
    {
        "id": f"ours/e-{k}/0",
        "edited": f"/clips/{k}.mp4",
        "source": "/clips/s.mp4",
        "prompt": f"p{k}",
    }
    for k in range(3)
]
TORCH = """
class Number(float):
    def mean(self): return self
    def item(self): return float(self)
class Away:
    def __enter__(self): return self
    def __exit__(self, *_): pass
class cuda:
    @staticmethod
    def is_available(): return False
def device(name): return name
def load(path, map_location): return {"weights": path}
def no_grad(): return Away()
class tensor:
    def __init__(self, held): self.held = held
    def reshape(self, *shape): return self
"""


def packages(folder: Path, **files: str) -> dict[str, str]:
    """The environment of a program that finds these modules; `a__b` is a/b.py."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent != folder:
            (path.parent / "__init__.py").touch()
        path.write_text(textwrap.dedent(text))
    return {**os.environ, "PYTHONPATH": str(folder)}


def asked(
    root: Path,
    recipe: str,
    words: list[str],
    environment: dict[str, str],
    requests: list[dict[str, str]] = REQUESTS,
) -> tuple[dict[str, Any], dict[str, Any], str, int]:
    """What it says of the metric, answers by id, its standard error and its exit code."""
    command = [sys.executable, "-S", str(root / "docs" / "recipes" / recipe), *words]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, env=environment)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    held = ((line.pop("id"), [*line.values()]) for line in said[1:])
    answers = {name: only for name, (only,) in held}
    return (said[0] if said else {}), answers, done.stderr, done.returncode


def test_recipes_are_read_by_the_oldest_python_of_their_packages(root: Path) -> None:
    """VBench's environments have Python 3.8 to 3.10."""
    found = sorted((root / "docs" / "recipes").glob("*.py"))
    assert len(found) == 5
    for path in found:
        ast.parse(path.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("recipe", "words", "package"),
    [
        ("dover_scores.py", ["DOVER"], "VQAssessment/DOVER"),
        ("vbench_scores.py", ["subject_consistency"], "pip install vbench"),
        ("videoscore2_scores.py", ["quality", "X"], "pip install transformers==4.53.2"),
        ("tdve_scores.py", ["quality", "X", "Y"], "pip install ms_swift==3.1.0"),
    ],
)
def test_without_its_package_it_says_which_in_one_line(
    root: Path, tmp_path: Path, recipe: str, words: list[str], package: str
) -> None:
    said, answers, told, code = asked(root, recipe, words, packages(tmp_path))
    assert (said, answers, code) == ({}, {}, 1)
    assert package in told and len(told.splitlines()) == 1


@pytest.mark.parametrize("recipe", ["vbench_scores.py", "videoscore2_scores.py", "tdve_scores.py"])
def test_without_a_word_it_says_which_there_are(root: Path, tmp_path: Path, recipe: str) -> None:
    _, _, told, code = asked(root, recipe, [], packages(tmp_path))
    assert code == 1 and f"{recipe}: say w" in told and "quality" in told


def test_vbench_gives_single_clips_and_names_what_it_left_out(root: Path, tmp_path: Path) -> None:
    """The stand-in gives each clip a tenth of its prompt's number, the second none, and prints."""
    vbench = """
    import json, os
    class VBench:
        def __init__(self, device, info, out): self.out = out; os.makedirs(out)
        def evaluate(self, videos_path, name, prompt_list, dimension_list, mode):
            assert mode == "custom_input"
            print("[100%] not an answer")
            rows = [
                {"video_path": os.path.join(videos_path, one), "video_results": int(text[1:]) / 10}
                for one, text in prompt_list.items()
                if text != "p1" and one in os.listdir(videos_path)
            ]
            held = {dimension_list[0]: [99, rows]}
            json.dump(held, open(os.path.join(self.out, f"{name}_eval_results.json"), "w"))
    """
    found = packages(tmp_path, vbench=vbench, torch=TORCH)
    for batch in ("200", "2"):
        said, answers, told, code = asked(
            root, "vbench_scores.py", ["subject_consistency", batch], found
        )
        assert code == 0 and "not an answer" in told
        assert (said["direction"], said["axis"], said["bounds"]) == ("higher", "quality", [0, 1])
        assert answers == {
            "ours/e-0/0": 0.0, "ours/e-1/0": "ValueError: VBench left this clip out",
            "ours/e-2/0": 0.2,
        }  # fmt: skip


def test_dover_fuses_as_its_authors_do(root: Path, tmp_path: Path) -> None:
    """By hand: (0.2 - 0.1107) / 0.07355 * 0.6104 + (0.1 - 0.08285) / 0.03774 * 0.3896."""
    models = """
    import torch
    class DOVER:
        def __init__(self, **options): assert options == {"head": 1}
        def to(self, device): return self
        def eval(self): return self
        def load_state_dict(self, held): assert held["weights"].endswith("checkout/./w.pth")
        def __call__(self, inputs):
            assert inputs == {"technical": (3, 1, -1, 4, 4), "aesthetic": (3, 3, -1, 4, 4)}
            return [torch.Number(0.2), torch.Number(0.1)]
    """
    datasets = """
    class View:
        shape = (3, 32, 4, 4)
        def __sub__(self, other): return self
        def __truediv__(self, other): return self
        def reshape(self, shape): self.shape = shape; return self
        def transpose(self, one, other): return self
        def to(self, device): return self.shape
    def UnifiedFrameSampler(*numbers): return numbers
    def spatial_temporal_view_decomposition(path, kinds, samplers):
        assert samplers == {"technical": (1, 32, 2, 1), "aesthetic": (32, 3, 2)}
        if path.endswith("1.mp4"): raise OSError("cannot be read")
        return {name: View() for name in kinds}, None
    """
    yaml = """
    def safe_load(file):
        technical = {"clip_len": 32, "t_frag": 32, "frame_interval": 2, "num_clips": 1}
        aesthetic = {"clip_len": 32, "num_clips": 3, "frame_interval": 2}
        kinds = {"technical": technical, "aesthetic": aesthetic}
        return {"model": {"args": {"head": 1}}, "test_load_path": "./w.pth",
                "data": {"val-l1080p": {"args": {"sample_types": kinds}}}}
    """
    found = packages(
        tmp_path, torch=TORCH, dover__models=models, dover__datasets=datasets, yaml=yaml
    )
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "dover.yml").touch()
    for which, value in (
        ("fused", 1 / (1 + math.exp(-(0.0893 / 0.07355 * 0.6104 + 0.01715 / 0.03774 * 0.3896)))),
        ("technical", 0.2),
        ("aesthetic", 0.1),
    ):
        words = [str(tmp_path / "checkout"), which]
        said, answers, told, code = asked(root, "dover_scores.py", words, found)
        assert code == 0, told
        assert said["direction"] == "higher" and which in said["version"]
        assert answers["ours/e-0/0"] == pytest.approx(value)
        assert answers["ours/e-1/0"] == "OSError: cannot be read"
        assert [*answers] == [request["id"] for request in REQUESTS]


def test_videoscore2_is_the_mean_of_the_digits_after_the_question(
    root: Path, tmp_path: Path
) -> None:
    """A sure 3 is 3; an unsure 5 (half 5, half 3) is 4; a 4 among the reasons does not count."""
    torch = TORCH + (
        "class Row(list):\n"
        "    def float(self): return self\n"
        "    def softmax(self, axis): return self\n"
    )
    transformers = """
    TEXT = ["of 4", " I say. ", "visual quality:", " ", "3"]
    TEXT += ["; text-to-video alignment:", " ", "5", "."]
    class Ids:
        shape = (1, 2)
    class Inputs(dict):
        def to(self, device): return self
    class Sequences:
        def __getitem__(self, at): return self
        def tolist(self): return list(range(10, 10 + len(TEXT)))
    class Made:
        sequences = Sequences()
        def __init__(self):
            import torch
            self.scores = [[torch.Row([0.2] * 6)] for _ in TEXT]
            self.scores[4] = [torch.Row([0, 0, 0, 1, 0, 0])]
            self.scores[7] = [torch.Row([0, 0, 0, 0.5, 0, 0.5])]
    class AutoModelForVision2Seq:
        @classmethod
        def from_pretrained(cls, name, trust_remote_code): return cls()
        def to(self, device): return self
        def generate(self, do_sample, **how):
            assert not do_sample
            return Made()
    class Tokenizer:
        def decode(self, ids): return TEXT[ids[0] - 10]
        def encode(self, text, add_special_tokens): return [int(text)]
    class AutoProcessor:
        tokenizer = Tokenizer()
        @classmethod
        def from_pretrained(cls, name, trust_remote_code): return cls()
        def apply_chat_template(self, messages, **how):
            return messages[0]["content"][1]["text"]
        def __call__(self, text, **how):
            assert text[0].startswith("Rate p")
            return Inputs(input_ids=Ids())
    """
    found = packages(
        tmp_path,
        torch=torch,
        transformers=transformers,
        qwen_vl_utils="def process_vision_info(messages): return None, ['frames']",
    )
    (tmp_path / "checkout").mkdir()
    script = 'def main():\n    """Not this."""\n    return """Rate $t2v_prompt, please"""\n'
    (tmp_path / "checkout" / "vs2_inference.py").write_text(script)
    for which, value in (("quality", 3.0), ("alignment", 4.0)):
        words = [which, str(tmp_path / "checkout")]
        said, answers, told, code = asked(root, "videoscore2_scores.py", words, found)
        assert code == 0, told
        assert said["bounds"] == [1, 5] and said["axis"] == which
        assert set(answers.values()) == {value}
    _, answers, _, _ = asked(
        root, "videoscore2_scores.py", ["physics", str(tmp_path / "checkout")], found
    )
    assert "no score for physical/common-sense consistency:" in answers["ours/e-0/0"]


def test_tdve_asks_its_own_questions_and_reads_the_number_in_brackets(
    root: Path, tmp_path: Path
) -> None:
    swift = """
    class Holder:
        def __init__(self, **held): vars(self).update(held)
    InferRequest = RequestConfig = Holder
    class PtEngine:
        def __init__(self, weights, max_batch_size): assert weights == "W/merged/"
        def infer(self, requests, how):
            (one,) = requests
            print("query:", one.messages[0]["content"])
            words = {"/clips/0.mp4": "is good(76.0)", "/clips/1.mp4": "is pool (2)\\n"}
            content = words.get(one.videos[0], "(5) is all I say")
            return [Holder(choices=[Holder(message=Holder(content=content))])]
    """
    found = packages(tmp_path, swift__llm=swift)
    data = tmp_path / "checkout" / "stage2_dataset"
    data.mkdir(parents=True)
    example = {"messages": [{"role": "user", "content": "<video> Fit? prompt: a kite"}]}
    for name in ("text_test.json", "video_quality_test_mos.json"):
        (data / name).write_text(json.dumps([example]))
    words = ["alignment", str(tmp_path / "checkout"), "W/merged/"]
    said, answers, told, code = asked(root, "tdve_scores.py", words, found)
    assert code == 0, told
    assert said["axis"] == "alignment" and said["version"] == "TDVE-Assessor alignment merged"
    assert answers["ours/e-0/0"] == 76.0 and answers["ours/e-1/0"] == 2.0
    assert "no number in brackets ends the answer" in answers["ours/e-2/0"]
    assert "query: <video> Fit? prompt: p2" in told and "a kite" not in told
    told_otherwise = [{k: v for k, v in REQUESTS[0].items() if k != "prompt"}]
    _, answers, _, _ = asked(root, "tdve_scores.py", words, found, told_otherwise)
    assert answers == {"ours/e-0/0": "the edit has an instruction and no prompt"}


def test_tdve_shows_source_then_edit_for_structure(root: Path, tmp_path: Path) -> None:
    """Three frames of 16x16 each; a process of its own, for the recipe takes standard output."""
    code = "import sys, tdve_scores; tdve_scores.joined(*sys.argv[1:])"
    paths = [put_clip(tmp_path / "a.mp4", 1), put_clip(tmp_path / "b.mp4", 2), tmp_path / "c.mp4"]
    environment = {**os.environ, "PYTHONPATH": str(root / "docs" / "recipes")}
    command = [sys.executable, "-c", code, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    with av.open(str(paths[2])) as clip:
        frames = [*clip.decode(video=0)]
    assert len(frames) == 6 and (frames[0].width, frames[0].height) == (16, 16)
