"""How far three trips lead through the code: a prompt, a clip and a vote.

    python benchmarks/trips.py --folder SCRATCH            # this checkout
    python benchmarks/trips.py --folder SCRATCH OTHER      # another one, such as a `git worktree`

prompt  `dreamix edit`: from the command line through the model to the clip that is written
clip    `dreamix bench score`: from the clips of a run to rows of three metrics
vote    `dreamix study export` and `analyze`: from the store to tables, figures and the page

Each is run once, in a process of its own, with every call of a function of the packages noted (what
importing runs, calls within a module and other threads do not count):

modules  in which a function ran; rooms: the folders of those modules
arrows   pairs of modules of which one called the other, directly or through a library
turns    modules that call each other in both directions: there the way leads back
deepest  most modules in a row on the stack
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

PACKAGES = ("dreamix", "evaluation", "reports", "study_app")
TINY = ("--steps", "2", "--finetune-steps", "2", "--backend", "toybox")
METRICS = ("--metrics", "psnr,flicker,warp_error.self_flow")
STORE = "sqlite:///study/simulated.sqlite"
TRIPS = {
    "prompt": [["edit", "duck.mp4", "--prompt", "a blue ball", *TINY, "--out", "made.mp4"]],
    "clip": [["bench", "score", "run", *METRICS, "--workers", "1"]],
    "vote": [
        ["study", "export", "study", "--database", STORE, "--out", "export"],
        ["study", "analyze", "export", "--run", "run", "--resamples", "100", "--out", "page"],
    ],
}
SUITE = """name: trips
version: 1
licence: none
videos:
  - {id: duck, path: duck.mp4, caption: a duck}
  - {id: drake, path: drake.mp4, caption: a drake}
edits:
  - {id: duck_0, video: duck, prompt: a blue duck, category: appearance}
  - {id: drake_0, video: drake, prompt: a blue drake, category: appearance}
"""


class Trip(NamedTuple):
    """What one trip led through."""

    modules: int
    rooms: int
    arrows: int
    turns: int
    deepest: int


class Calls:
    """Notes which module calls which while it is set as the profiler."""

    def __init__(self, root: Path) -> None:
        self.root = str(root) + "/"
        self.arrows: set[tuple[str, str]] = set()
        self.modules: set[str] = set()
        self.deepest = 0
        self._stack: list[str | None] = []  # of modules; None: not ours, or at import
        self._names: dict[str, str | None] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Take note of a call, or of the end of one."""
        if event == "call":
            self._enter(frame)
        elif event == "return" and self._stack:
            self._stack.pop()

    def _enter(self, frame: FrameType) -> None:
        code = frame.f_code
        name = self._name(code.co_filename) if code.co_name != "<module>" else "import"
        if "import" in self._stack[-40:]:
            name = "import"
        ours = [one for one in self._stack if one and one != "import"]
        if name and name != "import":
            self.modules.add(name)
            if ours and ours[-1] != name:
                self.arrows.add((ours[-1], name))
            row = [
                one
                for one, before in zip([*ours, name], [None, *ours], strict=True)
                if one != before
            ]
            self.deepest = max(self.deepest, len(row))
        self._stack.append(name)

    def _name(self, file: str) -> str | None:
        if file not in self._names:
            inside = file.removeprefix(self.root)
            ours = inside != file and inside.split("/")[0] in PACKAGES
            self._names[file] = inside.removesuffix(".py") if ours else None
        return self._names[file]

    def trip(self) -> Trip:
        """Return the figures of what was noted."""
        back = {pair for pair in self.arrows if pair[::-1] in self.arrows}
        rooms = {name.rpartition("/")[0] for name in self.modules}
        return Trip(len(self.modules), len(rooms), len(self.arrows), len(back) // 2, self.deepest)


def traced(root: Path, commands: list[list[str]]) -> Trip:
    """Return what running commands of the checkout leads through, in this process."""
    sys.path.insert(0, str(root))
    from dreamix.cli import main as program

    calls = Calls(root)
    for words in commands:
        sys.argv = ["dreamix", *words]
        sys.setprofile(calls)
        try:
            program()
        except SystemExit as end:
            if end.code:
                raise
        finally:
            sys.setprofile(None)
    return calls.trip()


def prepare(root: Path, folder: Path) -> None:
    """Make a suite of two clips, a run on it, and a study of simulated raters."""
    folder.mkdir(parents=True)
    (folder / "suite.yaml").write_text(SUITE)
    code = (
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from dreamix.core.media import write_video\n"
        "from dreamix.core.video import Video\n"
        "for seed, name in enumerate(('duck', 'drake')):\n"
        "    frames = np.random.default_rng(seed).integers(0, 256, (16, 64, 64, 3), np.uint8)\n"
        "    for place in ('.', 'outputs/one', 'outputs/two'):\n"
        "        Path(place).mkdir(parents=True, exist_ok=True)\n"
        "        name = name if place == '.' else name.removesuffix('_0') + '_0'\n"
        "        clip = Video(np.roll(frames, len(place), 1), 8.0)\n"
        "        write_video(Path(place, f'{name}.mp4'), clip)\n"
    )
    call(root, folder, ["-c", code])
    methods = "external:outputs/*,unedited"
    program = ["-c", "from dreamix.cli import main; main()"]
    for words in (
        ["bench", "run", "suite.yaml", "--methods", methods, "--out", "run"],
        ["study", "new", "run", "--out", "study"],
    ):
        call(root, folder, [*program, *words])
    study = folder / "study" / "study.yaml"  # so small a study would lack ratings of every rater
    study.write_text(re.sub(r"least_ratings: \d+", "least_ratings: 2", study.read_text()))
    for words in (
        ["study", "build", "study"],
        ["study", "simulate", "study", "--seed", "1", "--raters", "12"],
    ):
        call(root, folder, [*program, *words])


def call(root: Path, folder: Path, words: list[str]) -> str:
    """Return what a Python process prints that finds the checkout's packages first."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{words[-8:]} ended with {done.returncode}")
    return done.stdout


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--folder", type=Path, required=True, help="for clips and runs; new")
    parser.add_argument("--trip", choices=TRIPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    root, folder = options.root.resolve(), options.folder.resolve()
    if options.trip:
        print(json.dumps(traced(root, TRIPS[options.trip])))
        return
    prepare(root, folder)
    print("| trip | modules | rooms | arrows | turns | deepest |\n|---|--:|--:|--:|--:|--:|")
    for name in TRIPS:
        words = [__file__, str(root), "--folder", str(folder), "--trip", name]
        found = json.loads(call(root, folder, words).splitlines()[-1])
        print(f"| {name} | {' | '.join(map(str, found))} |", flush=True)


if __name__ == "__main__":
    main()
