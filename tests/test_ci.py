"""What decides in `.ci` and `make audit`: which Python runs, what counts as audited."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def audit(root: Path) -> ModuleType:
    if not (root / ".ci" / "audit.py").exists():
        pytest.skip("no .ci here")
    spec = importlib.util.spec_from_file_location("audit_program", root / ".ci" / "audit.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fine(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [], **more}


FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}
SKIPPED = {"name": "b", "skip_reason": "not found on PyPI and could not be audited: b (1.0)"}


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        ([fine("a"), fine("b")], 0, "0 known flaws in 2 packages"),
        ([fine("a"), SKIPPED], 1, "1 of 2 packages COULD NOT BE AUDITED"),
        ([fine("a"), SKIPPED], 1, "b: not found on PyPI"),
        ([fine("a")], 1, "b: not in pip-audit's answer"),
        ([fine("a", vulns=[FLAW]), fine("b")], 1, "a 1.0: PYSEC-2026-1, mended in 1.1"),
        ([fine("a", vulns=[FLAW]), SKIPPED], 1, "1 known flaws in 1 packages; 1 of 2"),
        ([], 1, "2 of 2 packages COULD NOT BE AUDITED"),
    ],
)
def test_what_was_not_audited_is_a_failure_that_says_so(
    audit: ModuleType, rows: list[dict[str, Any]], code: int, said: str
) -> None:
    """Rows are as pip-audit 2.10 writes them with --format json."""
    lines, found = audit.verdict(["a", "b"], {"dependencies": rows, "fixes": []})
    assert found == code
    assert said in "\n".join(lines)


def test_an_index_that_knows_nothing_is_told_in_a_few_lines(audit: ModuleType) -> None:
    names = [f"p{i}" for i in range(168)]
    rows = [{"name": name, "skip_reason": "not found"} for name in names]
    lines, code = audit.verdict(names, {"dependencies": rows})
    assert code == 1 and len(lines) < 10
    assert lines[-1].endswith("168 of 168 packages COULD NOT BE AUDITED")


def test_all_that_is_installed_is_asked_after_under_the_names_of_the_index(
    audit: ModuleType,
) -> None:
    """A local version such as 2.9.0+cpu is none that an index has; ours is not on one."""
    wanted = audit.installed()
    assert {"click", "open-clip-torch", "pyyaml", "torch"} <= set(wanted)
    assert "dreamix-toolkit" not in wanted
    assert not [text for text in wanted.values() if "+" in text]


@pytest.mark.parametrize("answer", ["", "Traceback", None])
def test_no_answer_at_all_is_a_failure(
    audit: ModuleType, answer: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without network, where pip-audit ends with a traceback, or where it is not installed."""
    (tmp_path / "pip_audit.py").write_text(f"print({answer!r})" if answer is not None else "1 / 0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SystemExit, match="nothing was audited"):
        audit.audited({"a": "1.0"})


def test_the_answer_of_pip_audit_is_read(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = {"dependencies": [fine("a")], "fixes": []}
    asked = "import sys\nassert open(sys.argv[2]).read() == 'a==1.0\\n'\n"
    (tmp_path / "pip_audit.py").write_text(f"{asked}print({json.dumps(document)!r})")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert audit.audited({"a": "1.0"}) == document


def shim(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def find(root: Path, home: Path, *versions: str) -> subprocess.CompletedProcess[str]:
    """The finder, where `home` is all there is."""
    places = {"PYENV_ROOT": home / "pyenv", "UV_PYTHON_INSTALL_DIR": home / "uv", "HOME": home}
    path = f"{home / 'bin'}:/usr/bin:/bin"
    environment = {**{name: str(place) for name, place in places.items()}, "PATH": path}
    command = ["sh", str(root / ".ci" / "python"), *versions]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


HERE = "{}.{}".format(*sys.version_info[:2])
REAL = f'exec "{os.path.realpath(sys.executable)}" "$@"'
NOT_SWITCHED_ON = 'echo "pyenv: python: command not found" >&2; exit 127'


def test_a_python_is_found_that_runs_and_not_a_shim_that_does_not(
    root: Path, tmp_path: Path
) -> None:
    if not (root / ".ci" / "python").exists():
        pytest.skip("no .ci here")
    shim(tmp_path / "bin", "python9.9", NOT_SWITCHED_ON)
    shim(tmp_path / "bin", "python9.8", REAL)  # another version than its name says
    none = find(root, tmp_path, "9.9", "9.8")
    assert none.returncode == 1 and "none of these Pythons runs here: 9.9 9.8" in none.stderr
    shim(tmp_path / "bin", f"python{HERE}", NOT_SWITCHED_ON)
    shim(tmp_path / "pyenv" / "versions" / f"{HERE}.1" / "bin", "python", REAL)
    found = find(root, tmp_path, "9.9", HERE)
    assert found.returncode == 0
    assert Path(found.stdout.strip()).resolve() == Path(sys.executable).resolve()
