"""A PostgreSQL server for the tests, on a free port, run by a user who is not root."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def programs() -> Path | None:
    """Return the folder of initdb and postgres; None where there is no server."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Postgres:
    """A server on data of its own in `folder`; it can be killed and started again."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Make a server; one that is not durable does not wait for the disk."""
        bin_ = programs()
        assert bin_, "no PostgreSQL is installed"
        self.folder, self.port, self.data = folder, free_port(), folder / "data"
        self.url = f"postgresql://rater@127.0.0.1:{self.port}/postgres"
        self._sync = "on" if durable else "off"
        self._control = [bin_ / "pg_ctl", "-D", self.data, "-w", "-l", folder / "log"]
        _run(bin_ / "initdb", "-D", self.data, "-U", "rater", "--auth=trust", "-E", "UTF8", "-N")

    def start(self) -> None:
        """Start it, and wait until it answers; after a kill it recovers first."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        options += f" -c fsync={self._sync}"
        _run(*self._control, "-o", options, "start")

    def stop(self) -> None:
        """Stop it without a farewell."""
        _run(*self._control, "-m", "immediate", "stop")

    def kill(self) -> None:
        """Kill every process of it (SIGKILL), as a power cut would."""
        first = (self.data / "postmaster.pid").read_text().split()[0]
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *others):
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        while Path(f"/proc/{first}").exists():  # a new one does not start before
            time.sleep(0.01)


@contextmanager
def server(folder: Path, *, durable: bool = True) -> Iterator[str]:
    """Run a server in `folder` while the block runs; give the URL of its database."""
    found = Postgres(folder, durable=durable)
    found.start()
    try:
        yield found.url
    finally:
        found.stop()


def new_folder() -> Path:
    """Return an empty folder that the server's user may write to."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    return folder


def _run(*command: object) -> None:
    """Run a program, as the user postgres if we are root, whom the server refuses."""
    words = [str(word) for word in command]
    account = {"user": "postgres", "group": "postgres", "extra_groups": ()}
    other: dict[str, Any] = account if os.geteuid() == 0 else {}
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/", **other)
