"""The served study of a load test, and its database: both can be killed and started again."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from postgres import Postgres, new_folder
from served_study import Server as StudyServer
from served_study import make_run, make_study

ROOT = Path(__file__).parents[1]
CHANGES = {
    "trials: 20": "trials: 28",
    "break_after: 12": "break_after: 12",
    "votes: 5": "votes: 1000",
    "kind: open": "kind: prolific",
}

DREAMIX = Path(sys.executable).with_name("dreamix")


class Server(StudyServer):
    """The served study as a researcher serves it; what it costs can be asked."""

    def __init__(self, study: Path, port: int, database: str) -> None:
        super().__init__(study, port)
        self.database = database

    @property
    def command(self) -> list[str]:
        """What starts it."""
        serve = [str(DREAMIX), "study", "serve", str(self.folder), "--port", str(self.port)]
        return [*serve, "--database", self.database]

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
