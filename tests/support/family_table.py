"""The table of `make gpu-check`: a row for every family, a column for every check.

pytest --device auto --family-table -m check
"""

from typing import Any

import pytest
import torch
from tiny_pipelines import TINY

REAL = "real edit"
WORST = ("failed", "skipped", "ok")  # a cell says the worst of its tests
Cells = dict[tuple[str, str], list[tuple[str, str]]]  # (family, check) -> (outcome, note)


def device_of(asked: str) -> str:
    """Return the device that is meant: "auto" is an accelerator if there is one."""
    if asked != "auto":
        return asked
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_line(device: str) -> str:
    """Return what the checks run on."""
    if device == "cpu":
        return "no accelerator here: the checks run on the processor"
    return f"the checks run on {device}: {torch.cuda.get_device_name()}"


class FamilyTable:
    """Collects outcomes of tests that are marked as checks, and prints them as a table."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._cells: Cells = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any) -> Any:
        """Keep the outcome of one test."""
        report = (yield).get_result()
        mark = item.get_closest_marker("check")
        if mark and (report.when == "call" or report.outcome != "passed"):
            values = getattr(item, "callspec", None)
            params = values.params.values() if values else ()
            row = next((v for v in params if isinstance(v, str)), "all")
            self._cells.setdefault((row, mark.args[0]), []).append(_outcome(report))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table, and below it why a check did not run."""
        terminalreporter.write_line("")
        for line in self.lines():
            terminalreporter.write_line(line)

    def lines(self) -> list[str]:
        """Return the tables as Markdown: small pipelines by family, and pretrained weights."""
        cells = {key: _worst(found) for key, found in self._cells.items()}
        small = {key: cell for key, cell in cells.items() if key[1] != REAL}
        real = {key: cell for key, cell in cells.items() if key[1] == REAL}
        whys = [f"{row}, {check}: {why}" for (row, check), (_, why) in small.items() if why]
        lines = [f"{device_line(self._device)}.", "", *_table(small, "random weights")]
        lines += ["", "memory: predicted over measured, of an edit and of a finetuning.", *whys]
        if real:
            said = {key: (" ".join(cell).strip(), "") for key, cell in real.items()}
            lines += ["", *_table(said, "pretrained weights")]
        return lines


def _table(cells: dict[tuple[str, str], tuple[str, str]], title: str) -> list[str]:
    """Return a row for every family or backend, a column for every check."""
    checks = list(dict.fromkeys(check for _, check in cells))
    rows = list(dict.fromkeys(row for row, _ in cells))
    rows.sort(key=lambda row: [*TINY, row].index(row))
    head = [[title, *checks], ["---"] * (len(checks) + 1)]
    body = [[row, *(cells.get((row, check), "-")[0] for check in checks)] for row in rows]
    return [f"| {' | '.join(line)} |" for line in [*head, *body]]


def _outcome(report: Any) -> tuple[str, str]:
    """Return what became of a test and a note: a measured figure, or a reason."""
    told = dict(report.user_properties).get("note", "")
    if report.outcome == "passed":
        return f"ok {told}".strip(), ""
    if report.outcome == "skipped":
        return "skipped", str(report.longrepr[2]).removeprefix("Skipped: ")
    return "failed", str(report.longrepr).strip().splitlines()[-1][:200]


def _worst(found: list[tuple[str, str]]) -> tuple[str, str]:
    """Return the worst of several outcomes."""
    return min(found, key=lambda each: WORST.index(each[0].split()[0]))
