"""Known flaws of what is installed, by pip-audit; what it could not look up is a failure too.

    python .ci/audit.py

pip-audit alone says "No known vulnerabilities found" and ends with 0 where the index knows none of
the packages. Exit code 1: flaws, or packages without an answer.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib import metadata
from typing import Any

OURS = "dreamix-toolkit"
SHOWN = 5  # packages without an answer that are named


def installed() -> dict[str, str]:
    """Return the versions of all installed packages but ours, as the index has them.

    A build of its own, such as torch 2.9.0+cpu, is looked up under its public version.
    """
    found = {
        normal(each.metadata["Name"]): each.version.partition("+")[0]
        for each in metadata.distributions()
    }
    return {name: version for name, version in sorted(found.items()) if name != OURS}


def normal(name: str) -> str:
    """Return a package's name as the index compares names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def audited(wanted: dict[str, str]) -> dict[str, Any]:
    """Return pip-audit's answer on the packages; it ends the program where there is none."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"{name}=={version}\n" for name, version in wanted.items())
        file.flush()
        command = [sys.executable, "-m", "pip_audit", "--requirement", file.name, "--no-deps"]
        command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run(command, capture_output=True, text=True)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}, no word"]
        sys.exit(f"audit: nothing was audited: {said[-1]}")
    return answer


def verdict(wanted: Iterable[str], answer: dict[str, Any]) -> tuple[list[str], int]:
    """Return what is to be said of pip-audit's JSON, and the exit code."""
    rows = {normal(row["name"]): row for row in answer["dependencies"]}
    flaws = [
        f"{name} {row['version']}: {flaw['id']}, mended in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for name, row in rows.items()
        for flaw in row.get("vulns", ())
    ]
    names = list(wanted)
    reasons = {
        name: rows[name].get("skip_reason") if name in rows else "not in pip-audit's answer"
        for name in names
    }
    unknown = {name: why for name, why in reasons.items() if why}
    told = [f"{name}: {why}" for name, why in list(unknown.items())[:SHOWN]]
    more = [f"... and {len(unknown) - SHOWN} others"] if len(unknown) > SHOWN else []
    last = f"{len(flaws)} known flaws in {len(names) - len(unknown)} packages"
    if unknown:
        last += f"; {len(unknown)} of {len(names)} packages COULD NOT BE AUDITED"
    return [*flaws, *told, *more, last], 1 if flaws or unknown or not names else 0


if __name__ == "__main__":
    versions = installed()
    lines, code = verdict(versions, audited(versions))
    print("\n".join(lines))
    sys.exit(code)
