"""The shipped cascade in the runner: its clips depend on edit, settings and seed alone."""

from collections import Counter
from pathlib import Path

import pytest

from dreamix.data.suite import Suite, load_suite
from dreamix.methods.base import variants
from evaluation.run.making import TOGETHER
from evaluation.run.runner import run_suite, tally

METHODS = (
    "dreamix:steps=2:finetune_steps=2",
    "text-to-video:steps=2",
    "plug-and-play:steps=2:inversion=1",
)


@pytest.fixture(scope="module")
def suite(root: Path) -> Suite:
    return load_suite(root / "datasets" / "toybox")


def clips(suite: Suite, out: Path, edits: list[str], workers: int) -> dict[str, bytes]:
    """Return the clips of a run by name."""
    columns = [column for spec in METHODS for column in variants(spec)]
    run = run_suite(suite, columns, out, edits=edits, workers=workers)
    assert tally(run)[0] == {"ok": len(edits) * len(METHODS)}
    return {str(p.relative_to(out)): p.read_bytes() for p in out.glob("clips/*/*/*.mp4")}


@pytest.mark.slow
def test_workers_and_batches_leave_every_byte_as_it_is(suite: Suite, tmp_path: Path) -> None:
    """All at once by one process; by two; and the first edit alone, in a batch of its own."""
    counts = Counter(edit.video for edit in suite.edits)
    video = next(name for name, count in counts.items() if count > TOGETHER)
    edits = [edit.id for edit in suite.edits if edit.video == video]
    edits += [edit.id for edit in suite.edits if edit.video != video][:1]
    once = clips(suite, tmp_path / "one", edits, workers=1)
    assert clips(suite, tmp_path / "two", edits, workers=2) == once
    first = clips(suite, tmp_path / "first", edits[:1], workers=1)
    assert first == {name: once[name] for name in first}
