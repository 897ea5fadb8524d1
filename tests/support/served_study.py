"""A small study of rendered clips, built from a run, and its server as a process of its own."""

import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from postgres import free_port

from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.runner import run_suite
from study_app.prepare.build import build
from study_app.spec.study import STUDY_FILE
from study_app.spec.template import TEMPLATE

METHODS = ("frozen-frame", "shuffled-frames")
ANCHORS = ("ideal", "unedited")
CHANGES = {
    "trials: 20": "trials: 4",
    "break_after: 12": "break_after: 5",
    "display_height: 360": "display_height: 192",
    "votes: 5": "votes: 50",
    "training: 3": "training: 2",
    "completion_code: null": "completion_code: DONE-4711",
    "screen_out_code: null": "screen_out_code: OUT-0815",
}
SERVE = "import sys; from pathlib import Path; from study_app.app.server import serve; " + (
    "serve(Path(sys.argv[1]), port=int(sys.argv[2]), database_url=(sys.argv[3:] or [None])[0])"
)


def make_run(folder: Path, root: Path, videos: int = 5) -> Path:
    """Return a run of two methods and two anchors on one edit of each of some videos."""
    suite = load_suite(root / "datasets" / "toybox")
    names = sorted({edit.video for edit in suite.edits})[:videos]
    edits = [next(e.id for e in suite.edits if e.video == name) for name in names]
    columns = [column for name in (*METHODS, *ANCHORS) for column in variants(name)]
    run_suite(suite, columns, folder, edits=edits)
    return folder


def make_study(folder: Path, run: Path, *tongues: str, **changes: str) -> Path:
    """Return the folder of a built study: four ratings, a trap, gold, a repeat, two practices.

    tongues: codes of further languages of its texts, as texts_CODE.yaml here has them.
    """
    text = TEMPLATE.read_text().replace("$name", "small").replace("$run", str(run))
    text = text.replace("$methods", f"[{', '.join(METHODS)}]")
    for old, new in (CHANGES | changes).items():
        assert old in text, old
        text = text.replace(old, new)
    text += "".join(texts_in(tongue) for tongue in tongues)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STUDY_FILE).write_text(text)
    build(folder)
    return folder


def texts_in(tongue: str) -> str:
    """Return the texts in another language, as a block at the end of a study.yaml."""
    block = Path(__file__).with_name(f"texts_{tongue}.yaml").read_text(encoding="utf-8")
    return textwrap.indent(block, "  ")


class Server:
    """The server of a study; it can be killed and started again at the same port."""

    def __init__(self, folder: Path, port: int | None = None, database: str | None = None) -> None:
        self.folder, self.port, self.database = folder, port or free_port(), database
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        """What starts it."""
        place = [str(self.folder), str(self.port)]
        return [sys.executable, "-c", SERVE, *place, *([self.database] if self.database else [])]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_server(folder: Path, database: str | None = None) -> Iterator[Server]:
    """Give the running server of a study."""
    server = Server(folder, database=database)
    server.start()
    try:
        yield server
    finally:
        server.kill()
