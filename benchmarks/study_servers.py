"""The served study of a load test, and its database: both can be killed and started again."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from postgres import Postgres, new_folder
from served_study import make_run, make_study

ROOT = Path(__file__).parents[1]
CHANGES = {
    "trials: 20": "trials: 28",
    "break_after: 12": "break_after: 12",
    "votes: 5": "votes: 1000",
    "kind: open": "kind: prolific",
}

DREAMIX = Path(sys.executable).with_name("dreamix")


@dataclass
class Server:
    """The served study, in a process of its own."""

    study: Path
    port: int
    database: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [DREAMIX, "study", "serve", self.study, "--port", str(self.port)]
        log = Path(tempfile.gettempdir()) / "study_load.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, "--database", self.database], stdout=out, stderr=out
            )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=2)
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the server does not start; see {log}")

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def megabytes(self) -> float:
        """Return the most memory that it has held so far."""
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def processor(self) -> float:
        """Return the seconds of processor time that it has used."""
        assert self.process
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def built_study(folder: Path, videos: int = 29) -> Path:
    """Return the folder of a study that is ready: 28 ratings and three checks a rater."""
    run = make_run(folder / "run", ROOT, videos=videos)
    return make_study(folder / "study", run, **CHANGES)


@contextmanager
def database(kind: str) -> Iterator[tuple[str, Postgres | None]]:
    """Give the URL of an empty database, and its server if it is PostgreSQL."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/ratings.sqlite", None
        return
    server = Postgres(new_folder())
    server.start()
    try:
        yield server.url, server
    finally:
        server.stop()
