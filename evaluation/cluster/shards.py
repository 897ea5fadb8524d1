"""A run in parts that know nothing of each other: `--shard 2/8` makes the second of eight.

A source video is in one shard with all its edits, so that no finetuning is done twice. Which one
follows from the suite and from n alone: neither --edits nor what is done already changes it.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dreamix.core.errors import UserError
from dreamix.data.suite import Suite
from dreamix.remote.place_type import address_of

FINETUNING = 7  # edits that cost as much as finetuning on a video: 30.7 s and 4.45 s, benchmarks


class Shard(NamedTuple):
    """Part `number` of `parts`, counted from 1."""

    number: int
    parts: int


def shard_of(text: str) -> Shard:
    """Return the shard that `--shard i/n` means; i counts from 1."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UserError(f"--shard {text}: it is i/n with i from 1 to n, such as 1/8 ... 8/8")
    return Shard(int(found[1]), int(found[2]))


def folder_of(out: Path, shard: Shard) -> Path:
    """Return the run folder of a shard of the run at `out`: a folder has one writer.

    Raises:
        UserError: if `out` is elsewhere and does not name the part: an address has one writer too.
    """
    ending = f".shard-{shard.number}-of-{shard.parts}"
    if out.name.endswith(ending):
        return out
    if address := address_of(out):
        raise UserError(f"name the part that is made: --out {address}{ending}")
    return out.with_name(f"{out.name}{ending}")


def absent(suite: Suite, folders: Iterable[Path]) -> list[Shard]:
    """Return the shards that are not among run folders, though they have something to do.

    The folders tell by their names how many parts there are; without such names, nothing is absent.
    """
    found = [re.search(r"\.shard-(\d+)-of-(\d+)$", path.resolve().name) for path in folders]
    there = {Shard(int(name[1]), int(name[2])) for name in found if name}
    busy = len(suite.videos)  # those beyond have nothing to do
    wanted = {Shard(i, parts) for _, parts in there for i in range(1, min(parts, busy) + 1)}
    return sorted(shard for shard in wanted - there if videos_of(suite, shard))


def videos_of(suite: Suite, shard: Shard) -> set[str]:
    """Return the videos of a shard: the dearest first, each to the shard with the least to do."""
    weights = dict.fromkeys((edit.video for edit in suite.edits), FINETUNING)
    for edit in suite.edits:
        weights[edit.video] += 1
    loads, chosen = [0] * min(shard.parts, len(weights)), set()
    for video in sorted(weights, key=lambda name: (-weights[name], name)):
        least = loads.index(min(loads))
        loads[least] += weights[video]
        if least == shard.number - 1:
            chosen.add(video)
    return chosen
