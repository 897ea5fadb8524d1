"""Seconds of an update of finetuning by how many threads it takes, alone and beside other work.

    python benchmarks/thread_waits.py [--updates 4] [--rounds 3] [--beside 0 2]

The updates are those of `dreamix edit` on the embedded model. Commands take as many threads as
cores are free when they start; the libraries by themselves take as many as there are. Processor
seconds count what threads spend in waiting too. --beside: how many processes that add numbers run
beside it, one setting after the other. 0 is an idle machine only if nothing else runs on it, so
the cores that are free stand in every row.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from dreamix.core.threads import cores, free_cores
from dreamix.diffusion.finetune import Finetuning, finetune
from dreamix.toybox.cascade.backend import open_toybox


def updates(count: int) -> Callable[[], object]:
    """Return what makes `count` mixed updates, as an edit does: a clip and frames of it."""
    model = open_toybox("toybox", None, None).model
    clip = torch.rand((1, 3, 16, 24, 40), generator=torch.Generator().manual_seed(0)) * 2 - 1
    seed = torch.Generator().manual_seed(0)
    settings = Finetuning(steps=count)
    return lambda: finetune(model.unet, model.denoiser(["sks"]), clip, settings, seed)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Let `count` processes add numbers as fast as they can during the block."""
    command = [sys.executable, "-c", "while True: sum(range(10**6))"]
    others = [subprocess.Popen(command) for _ in range(count)]
    try:
        time.sleep(0.5)  # they are there then
        yield
    finally:
        for other in others:
            other.kill()


def taken(work: Callable[[], object], threads: int) -> tuple[float, float]:
    """Return the seconds and the processor seconds of all threads that the work takes."""
    torch.set_num_threads(threads)
    began, before = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - before


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--updates", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3, help="the median of which is printed")
    parser.add_argument("--beside", type=int, nargs="+", default=[0, cores()])
    options = parser.parse_args()
    work = updates(options.updates)
    taken(work, 1)  # for warming up
    print("| beside it | cores free | threads | s / update | processor s / update |")
    print("|--:|--:|---|--:|--:|")
    for count in options.beside:
        with busy(count):
            free = free_cores()
            for threads in sorted({1, cores()}):
                rounds = [taken(work, threads) for _ in range(options.rounds)]
                seconds, processor = (
                    statistics.median(took) / options.updates for took in zip(*rounds, strict=True)
                )
                name = f"{threads}, as commands take" if threads == free else str(threads)
                print(
                    f"| {count} | {free} | {name} | {seconds:.2f} | {processor:.2f} |", flush=True
                )


if __name__ == "__main__":
    main()
