"""A whole comparison on a pretrained pipeline: run, scores and report, on random weights."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from console import program
from tiny_families import moving_clip
from tiny_pipelines import TINY

from dreamix.core.media import read_video, write_video
from evaluation.run.folder import RunFolder
from evaluation.score.table import read_scores

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
METHODS = "dreamix:finetune_steps=2:frames=2,sdedit,text-to-video,unedited"
METRICS = "psnr,ssim,lpips,flicker,clip_t,clip_i_set,motion_mag,warp_error.self_flow"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Two clips of nine frames, 48x64, with two edits each."""
    for name in ("ant", "bee"):
        write_video(tmp_path / f"{name}.mp4", moving_clip(9, 64), lossless=True)
    videos = [{"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in ("ant", "bee")]
    edits = [
        {"id": f"{n}_{i}", "video": n, "prompt": f"a {n}, {i}", "category": kind}
        for n in ("ant", "bee")
        for i, kind in enumerate(("object", "background"))
    ]
    document = {"name": "two", "version": 1, "licence": "none", "videos": videos, "edits": edits}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


@pytest.mark.parametrize("family", ["wan2.1"])  # modelscope does the same, in 14 s
def test_a_comparison_from_suite_to_page(
    family: str,
    suite: Path,
    tiny_clip: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every clip is made and scored although the model makes five frames of the source's nine at
    another size: frames are paired by the time at which they are shown. Steps and guidance are the
    family's own (here two steps), and in run.json."""
    torch.set_num_threads(1)
    pipe = TINY[family]()
    pipe.save_pretrained(suite / "model")
    side = 64 if family == "modelscope" else 32
    usual = {"steps": 2, "guidance": 5.0}
    monkeypatch.setattr(
        "dreamix.backends.pipeline_backend.PipelineBackend.usual", property(lambda _: usual)
    )
    out, run = suite / "run", program(monkeypatch, capsys)
    code, said, err = run(
        "bench", "compare", suite / "suite.yaml", "--methods", METHODS, "--metrics", METRICS,
        "--clip", tiny_clip, "--backend", f"{suite / 'model'}@{side}x{side}x5", "--workers", 1,
        "--out", out,
    )  # fmt: skip
    assert code == 0, (said, err)
    made = RunFolder(out)
    rows = [made.clip_row(cell) for cell in made.cells()]
    assert [row.status for row in rows if row] == ["ok"] * 16
    config = made.info.methods["dreamix"].config
    assert (config["steps"], config["guidance"]) == (2, 5.0)
    clip = read_video(out / "clips" / "dreamix" / "ant_0" / "0.mp4")
    assert clip.frames.shape == (5, side, side, 3)
    assert clip.duration == pytest.approx(read_video(suite / "ant.mp4").duration)
    scores = read_scores(out / "scores.jsonl").values()
    assert {row.status for row in scores} <= {"ok", "n/a"}
    assert {row.metric for row in scores if row.status == "ok"} == {*METRICS.split(",")}
    facts = json.loads((out / "clips" / "dreamix" / "ant_0" / "0.json").read_text())["facts"]
    assert facts["frames"] == 5 and facts["finetune_seconds"] > 0
    assert (out / "report" / "index.html").is_file()
