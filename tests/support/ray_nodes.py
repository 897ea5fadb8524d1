"""A Ray cluster of several nodes on this machine, for tests: all its processes end with it.

Each node is a `ray start --block` in a session of its own: killing all its processes is what
pulling the plug of a machine is. A token keeps it apart from any other Ray here; it is set when
this is imported, because Ray reads it once in a process, when whoever comes first imports Ray.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from tempfile import mkdtemp

import psutil

from evaluation.cluster.ray_worker import RayWorker

RAY = Path(sys.executable).with_name("ray")
QUICK = {  # a node is found dead after 1.5 s, not after 15
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_failure_threshold": "3",
}
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
os.environ.update(TOKEN)
ALONE = ["--num-cpus=1", "--num-gpus=0", "--object-store-memory=100000000", "--block"]
PORTS = ["--node-ip-address=127.0.0.1", "--min-worker-port=0", "--max-worker-port=0"]


class Nodes:
    """A head with one processor, and nodes like it that come and go."""

    def __init__(self, extra: dict[str, str]) -> None:
        self.folder = Path(mkdtemp(prefix="ray-"))  # short: sockets have at most 107 characters
        self.env = QUICK | extra | TOKEN
        self.env |= {"RAY_TMPDIR": str(self.folder), "RAY_USAGE_STATS_ENABLED": "0"}
        self.started: list[subprocess.Popen[bytes]] = []
        self.address = f"127.0.0.1:{_free_port()}"
        port = self.address.rpartition(":")[2]
        head = ["--head", f"--port={port}", f"--temp-dir={self.folder}"]
        self._start([*head, "--include-dashboard=false", "--dashboard-port=0"])

    def add(self) -> subprocess.Popen[bytes]:
        """Return the process of one more node."""
        return self._start([f"--address={self.address}"])

    def pull_the_plug(self, node: subprocess.Popen[bytes]) -> None:
        """Kill all processes of a node at once."""
        for process in _family(node.pid):
            process.kill()
        node.wait()

    def stop(self) -> None:
        """End every process of the cluster, and remove what it wrote."""
        families = [one for node in self.started for one in _family(node.pid)]
        for process in families:
            process.kill()
        psutil.wait_procs(families, timeout=10)
        for node in self.started:
            node.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def workers(self) -> list[psutil.Process]:
        """Return the processes of the workers of this cluster."""
        found = [process for node in self.started for process in _family(node.pid)]
        title = f"ray::{RayWorker.__name__}"
        return [process for process in found if _name(process).startswith(title)]

    def processes(self) -> list[str]:
        """Return the command lines of all that runs for this cluster."""
        found = psutil.process_iter(["cmdline"])
        lines = (" ".join(process.info["cmdline"] or ()) for process in found)
        return [line for line in lines if str(self.folder) in line]

    def _start(self, options: list[str]) -> subprocess.Popen[bytes]:
        log = self.folder / f"node{len(self.started)}.log"
        command = [str(RAY), "start", *options, *PORTS, *ALONE]
        with log.open("wb") as out:
            node = subprocess.Popen(
                command, env=os.environ | self.env, stdout=out, stderr=out, start_new_session=True
            )
        self.started.append(node)
        deadline = time.monotonic() + 60
        while "Ray runtime started" not in log.read_text():
            if node.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"a node did not start: {log.read_text()}")
            time.sleep(0.05)
        return node


def _family(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _name(process: psutil.Process) -> str:
    """Return the command line of a process; Ray writes the name of its actor there."""
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port
