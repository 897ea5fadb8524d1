"""Kill -9 at random instants: the same command goes on, and nothing shows that it was stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from dreamix.core.media import write_video
from dreamix.core.video import Video

METRICS = "psnr,lpips,clip_i_set,motion_mag,flicker,warp_error.self_flow"
LIGHT = "psnr,ssim,flicker"  # need no torch, which takes seconds to start
DREAMIX = Path(sys.executable).with_name("dreamix")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of moving noise with three edits each."""
    folder = tmp_path_factory.mktemp("suite")
    names = ["ant", "bee", "cow", "dog"]
    for number, name in enumerate(names):
        wide = np.random.default_rng(number).integers(0, 256, (6, 8, 24, 3), dtype=np.uint8)
        moving = np.stack(
            [np.kron(w[:, t : t + 12], np.ones((8, 8, 1))) for t, w in enumerate(wide)]
        )
        write_video(folder / f"{name}.mp4", Video(moving.astype(np.uint8), 6))
    document = {
        "name": "moving",
        "version": 1,
        "licence": "none",
        "videos": [{"id": n, "path": f"{n}.mp4", "caption": f"a {n}"} for n in names],
        "edits": [
            {"id": f"{n}_{i}", "video": n, "prompt": f"a {n}, {i}", "category": "object"}
            for n in names
            for i in range(3)
        ],
    }
    (folder / "suite.yaml").write_text(yaml.safe_dump(document))
    return folder


def commands(suite: Path, out: Path, clip: str, metrics: str = METRICS) -> list[list[str]]:
    run = [str(DREAMIX), "bench", "run", str(suite), "--out", str(out)]
    run += ["--methods", "unedited,frozen-frame,shuffled-frames", "--workers", "2"]
    score = [str(DREAMIX), "bench", "score", str(out), "--metrics", metrics, "--clip", clip]
    return [run, [*score, "--workers", "2"]]


def in_full(suite: Path, out: Path, clip: str, metrics: str = METRICS) -> float:
    began = time.monotonic()
    for command in commands(suite, out, clip, metrics):
        subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - began


def until_killed(suite: Path, out: Path, clip: str, seconds: float, metrics: str = METRICS) -> bool:
    """Run the commands for so long, then kill the process group; True if it was killed."""
    deadline = time.monotonic() + seconds
    for command in commands(suite, out, clip, metrics):
        process = subprocess.Popen(
            command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
    return False


def results(out: Path) -> dict[str, bytes]:
    """Everything that is a result: clips and scores. Sidecars and run.json also hold seconds."""
    files = [out / "scores.jsonl", out / "scores.parquet", *sorted((out / "clips").rglob("*.mp4"))]
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


@pytest.mark.slow
@pytest.mark.parametrize(("metrics", "wanted"), [(METRICS, 6), (LIGHT, 14)], ids=["all", "light"])
def test_twenty_kills_leave_no_trace(
    suite: Path, tmp_path: Path, tiny_clip: str, metrics: str, wanted: int
) -> None:
    """One run is killed at random instants until it ends, then another, until all kills are done.

    A run that ended before its instant is compared, and its time is what instants are drawn from.
    """
    lasts = in_full(suite, tmp_path / "whole", tiny_clip, metrics)
    expected = results(tmp_path / "whole")
    rng = np.random.default_rng(7)
    kills, out = 0, tmp_path / "run0"
    while kills < wanted:
        instant = rng.uniform(0.02, 0.98) * lasts
        if until_killed(suite, out, tiny_clip, instant, metrics):
            kills += 1
            continue
        assert results(out) == expected, f"killed {kills} times"
        out, lasts = tmp_path / f"run{kills}", instant
    in_full(suite, out, tiny_clip, metrics)
    assert results(out) == expected, f"killed {kills} times"
