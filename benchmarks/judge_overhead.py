"""Seconds that 1,000 judgements cost over waiting for the judge.

    python benchmarks/judge_overhead.py [--clips 250] [--together 10] [--seconds 1]

A server of its own process answers each request after so many seconds, as many at once as are sent.
"waiting" is what the same requests would take if nothing but the server took time: rounds of
`together` requests for each of the four questions, and the canary's. "ours" is `dreamix bench score
--judge` on a run without scores, from its start to its end: clips decoded, stills packed, requests
sent, judgements and scores on disk, table sorted.
"""

import argparse
import math
import multiprocessing
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml
from program_metrics import CALL, moving

from dreamix.core.media import write_video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.runner import run_suite

QUESTIONS, CANARY, PROBES = 4, 6, 1


def serve(told: Connection, seconds: float) -> None:
    """Answer until all is done, then tell how many there were."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    from chat_server import chat_server, is_probe, reply

    def same(body: dict[str, Any]) -> dict[str, Any]:
        if is_probe(body):
            return reply("Earth", {"Earth": 1.0})
        return reply("4", {"4": 0.75, "3": 0.25})

    with chat_server(same, seconds, keeps=False) as server:
        told.send(server.url)
        told.recv()
        told.send((server.requests, server.most_together))


def run_of(folder: Path, clips: int) -> Path:
    """Return a run of so many clips, of which no two are the same."""
    write_video(folder / "v.mp4", moving(0))
    edits = [
        {"id": f"e-{n}", "video": "v", "prompt": f"edit {n}", "category": "style"}
        for n in range(clips)
    ]
    for number, edit in enumerate(edits):
        write_video(folder / "ours" / f"{edit['id']}.mp4", moving(1 + number))
    videos = [{"id": "v", "path": "v.mp4"}]
    suite = {"name": "many", "version": 1, "licence": "none", "videos": videos, "edits": edits}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    columns = variants(f"ours=external:pattern={folder}/ours/{{edit}}.mp4")
    run_suite(load_suite(folder), columns, folder / "run")
    return folder / "run"


def main() -> None:
    """Print the seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=250)
    parser.add_argument("--together", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.0)
    wanted = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, wanted.seconds), daemon=True
    )
    process.start()
    spec = f"q=openai:{ours.recv()}#made-up"
    with tempfile.TemporaryDirectory() as folder:
        run = run_of(Path(folder), wanted.clips)
        call = [*CALL, "bench", "score", str(run), "--judge", spec]
        began = time.monotonic()
        done = subprocess.run([*call, "--judge-together", str(wanted.together)], check=False)
        spent = time.monotonic() - began
    ours.send("end")
    requests, together = ours.recv()
    rounds = QUESTIONS * math.ceil(wanted.clips / wanted.together) + CANARY + PROBES
    waiting = rounds * wanted.seconds
    print(f"exit {done.returncode}; {requests} requests, at most {together} at once")
    print(f"waiting {waiting:.1f} s, ours {spent:.1f} s, over {spent / waiting - 1:+.1%}")


if __name__ == "__main__":
    main()
