"""Results of many simulated studies in one file: resumable, the same for any number of workers."""

import json
import multiprocessing
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Simulate = Callable[[str, int], dict[str, Any]]


class Share(NamedTuple):
    """A share of studies, 0 to 1."""

    value: float
    studies: int

    @property
    def error(self) -> float:
        """Monte Carlo standard error."""
        return float(np.sqrt(self.value * (1 - self.value) / max(self.studies, 1)))

    def __str__(self) -> str:
        """Return percent and its error."""
        return f"{100 * self.value:.1f} ± {100 * self.error:.1f}"


def collect(file: Path, name: str, simulate: Simulate, studies: int, workers: int) -> None:
    """Append the studies of this name that the file does not hold yet."""
    done = {row["study"] for row in rows(file, name)}
    missing = [number for number in range(studies) if number not in done]
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out, multiprocessing.get_context("spawn").Pool(workers) as pool:
        work = partial(_one, name, simulate)
        for row in pool.imap_unordered(work, missing, chunksize=10):
            out.write(json.dumps(row) + "\n")
            out.flush()


def rows(file: Path, name: str) -> list[dict[str, Any]]:
    """Return the studies of this name, in order; a last line cut short by a kill is not one."""
    if not file.exists():
        return []
    found = {}
    for line in file.read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row["name"] == name:
            found[row["study"]] = row
    return [found[number] for number in sorted(found)]


def rejected(studies: Iterable[dict[str, Any]]) -> dict[str, Share]:
    """Return how often each test has p < 0.05."""
    return _shares((test, p < 0.05) for row in studies for test, p in row["p"].items())


def covered(studies: list[dict[str, Any]], truths: dict[str, float]) -> dict[str, Share]:
    """Return how often each interval holds its truth.

    The truth is the study's own, or the one given, or the mean of the statistic over all studies.
    """
    means: dict[str, list[float]] = {}
    for row in studies:
        for name, (_, mid, _) in row["interval"].items():
            means.setdefault(name, []).append(mid)
    known = {name: float(np.nanmean(values)) for name, values in means.items()} | truths
    return _shares(
        (name, low <= row["truth"].get(name, known[name]) <= high)
        for row in studies
        for name, (low, _, high) in row["interval"].items()
    )


def _one(name: str, simulate: Simulate, number: int) -> dict[str, Any]:
    return {"name": name, "study": number, **_plain(simulate(name, number))}


def _plain(value: Any) -> Any:
    """Return the same with floats of six digits, which is what a file needs."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return float(f"{float(value):.6g}")


def _shares(marks: Iterable[tuple[str, bool]]) -> dict[str, Share]:
    found: dict[str, list[bool]] = {}
    for name, mark in marks:
        found.setdefault(name, []).append(bool(mark))
    return {name: Share(float(np.mean(each)), len(each)) for name, each in found.items()}
