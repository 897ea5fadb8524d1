"""A PostgreSQL server for the tests, on a free port, run by a user who is not root."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server in `folder` while the block runs; give the URL of its database."""
    bin_, port, data = programs(), free_port(), folder / "data"
    assert bin_
    _run(bin_ / "initdb", "-D", data, "-U", "rater", "--auth=trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    control = [bin_ / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    _run(*control, "-o", options, "start")
    try:
        yield f"postgresql://rater@127.0.0.1:{port}/postgres"
    finally:
        _run(*control, "-m", "immediate", "stop")


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
