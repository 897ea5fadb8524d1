"""The unit for systemd and the Dockerfile, as they are written: what they run does run.

Neither systemd nor Docker has to run here: the unit is checked by `systemd-analyze` and its command
started on a file system that is as closed as the unit asks; of the Dockerfile all commands are run.
"""

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
import urllib.request
from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path
from zipfile import ZipFile

import pytest
from postgres import free_port
from proxied import program, running

pytestmark = pytest.mark.slow

DREAMIX = Path(sys.executable).with_name("dreamix")
UNIT = "docs/hosting/dreamix-study.service"


def settings_of(text: str) -> dict[str, list[str]]:
    """What the lines of a unit set."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in text.splitlines():
        if "=" in line and not line.startswith(("#", "[")):
            found[line.partition("=")[0]].append(line.partition("=")[2])
    return found


def instructions(text: str) -> list[tuple[str, str]]:
    """(name, rest) of the instructions of a Dockerfile."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [tuple(line.split(" ", 1)) for line in lines if not line.startswith("#")]  # type: ignore[misc]


@pytest.fixture
def study(built_study: Path, tmp_path: Path) -> Path:
    """A study that was never served, whatever others did with the one that is shared."""
    served = shutil.ignore_patterns("ratings.sqlite*", ".served*")
    return shutil.copytree(built_study, tmp_path / "study", ignore=served)


def answers(port: int, path: str = "/health") -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return int(answer.status)


def test_systemd_understands_the_unit(root: Path, tmp_path: Path) -> None:
    """Nothing is said of it, neither an unknown setting nor a command that is not there."""
    unit = tmp_path / "dreamix-study.service"
    text = (root / UNIT).read_text()
    for wrong in ("ProtectSytem=strict", None):
        told = text.replace("ProtectSystem=strict", wrong) if wrong else text
        unit.write_text(told.replace("/srv/venv/bin/dreamix", str(DREAMIX)))
        command = [program("systemd-analyze"), "verify", str(unit)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (found.returncode, bool(found.stdout + found.stderr)) == (0, wrong is not None)


def test_the_unit_serves_where_only_the_study_can_be_written(
    root: Path, study: Path, tmp_path: Path
) -> None:
    """As with `ProtectSystem=strict`: all is read-only, but for the study and /tmp."""
    unit = settings_of((root / UNIT).read_text())
    assert unit["ProtectSystem"] == ["strict"] and unit["ReadWritePaths"] == ["/srv/study"]
    port, temporary = free_port(), tmp_path / "tmp"
    temporary.mkdir()
    started = unit["ExecStart"][0].replace("/srv/venv/bin/dreamix", str(DREAMIX))
    started = started.replace("/srv/study", str(study)).replace("8501", str(port))
    closed = " && ".join(
        [
            "mount --make-rprivate /",
            *(f"mount --bind {path} {path}" for path in (study, temporary)),
            "mount -o bind,remount,ro /",
            f"umask {unit['UMask'][0]}",
            f"cd {study}",
            f"exec {started}",
        ]
    )
    unshare = [program("unshare"), "-m"]
    tried = subprocess.run(
        [*unshare, "mount", "--make-rprivate", "/"], check=False, capture_output=True
    )
    if tried.returncode:
        pytest.skip("no mounts of its own can be made here")
    before = {path.name for path in study.iterdir()}
    command = [*unshare, "sh", "-c", closed]
    with running(command, port, tmp_path / "log", HOME=str(study), TMPDIR=str(temporary)):
        assert answers(port) == 200 and answers(port, "/") == 200
        written = {path for path in study.iterdir() if path.name not in before}
    assert {path.name for path in written} >= {"ratings.sqlite", "ratings.sqlite-README.txt"}
    assert {path.name.partition("-")[0] for path in written} <= {"ratings.sqlite", ".served"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in written if path.exists())


def test_the_command_and_the_health_check_of_the_image_run(
    root: Path, study: Path, tmp_path: Path
) -> None:
    """The check is right while the study is served, and says so once it is not."""
    made = instructions((root / "docs/hosting/Dockerfile").read_text())
    command = json.loads(next(rest for name, rest in made if name == "CMD"))
    check = json.loads(
        next(rest for name, rest in made if name == "HEALTHCHECK").partition("CMD ")[2]
    )
    assert ("EXPOSE", "8501") in made and "8501" in command
    port = free_port()
    started = [part.replace("8501", str(port)) for part in command]
    assert started[:3] == ["dreamix", "study", "serve"]
    started = [str(DREAMIX), *(str(study) if part == "/study" else part for part in started[1:])]
    checked = [sys.executable, *(part.replace("8501", str(port)) for part in check[1:])]
    with running(started, port, tmp_path / "log", HOME="/nonexistent"):
        for _ in range(3):  # as often as Docker does before it says unhealthy
            done = subprocess.run(checked, check=False, capture_output=True)
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stderr
    assert subprocess.run(checked, check=False, capture_output=True).returncode != 0


def test_the_image_is_made_of_what_its_context_has(root: Path, tmp_path: Path) -> None:
    """The wheel from a copy without what .dockerignore leaves out has all data of the packages, and
    the extras that are installed exist."""
    if not (root / ".git").exists():
        pytest.skip("no git here to say which files belong to the project")
    made = instructions((root / "docs/hosting/Dockerfile").read_text())
    install = next(rest for name, rest in made if name == "RUN" and '".[' in rest)
    wanted = next(part for part in shlex.split(install) if part.startswith(".["))[2:-1].split(",")
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert set(wanted) <= set(project["optional-dependencies"]) and {"study", "postgres"} <= {
        *wanted
    }
    left_out = (root / "docs/hosting/Dockerfile.dockerignore").read_text().split("\n")
    patterns = [line for line in left_out if line and not line.startswith("#")]
    files = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True
    )
    context = [name for name in files.stdout.splitlines() if not is_left_out(name, patterns)]
    assert any(is_left_out(name, patterns) for name in files.stdout.splitlines())
    for name in context:
        (tmp_path / "context" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "context" / name).write_bytes((root / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    place = [str(tmp_path / "context"), "-w", str(tmp_path / "wheels")]
    subprocess.run([*command, *place], check=True, capture_output=True, env={**os.environ})
    (wheel,) = (tmp_path / "wheels").iterdir()
    with ZipFile(wheel) as packed:
        inside = {name for name in packed.namelist() if ".dist-info" not in name}
    packages = ("dreamix/", "evaluation/", "reports/", "study_app/")
    assert {name for name in files.stdout.splitlines() if name.startswith(packages)} <= inside


def is_left_out(name: str, patterns: list[str]) -> bool:
    """Whether a file, or a folder that it is in, is among what .dockerignore names."""
    parts = name.split("/")
    starts = ["/".join(parts[: k + 1]) for k in range(len(parts))]
    return any(
        fnmatch(start, pattern.removeprefix("**/")) for start in starts for pattern in patterns
    )
