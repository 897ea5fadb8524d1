"""Traces what every pretrained backend takes and writes the table that `dreamix doctor` reads.

OMP_NUM_THREADS=2 python benchmarks/footprints.py            all backends: half an hour
OMP_NUM_THREADS=2 python benchmarks/footprints.py modelscope one of them; the others stay
"""

import argparse
import json
import time

import torch

from dreamix.backends.blueprint import published
from dreamix.backends.footprint_kinds import TABLE
from dreamix.doctor.backend import SETUPS, TraceRequest, as_published, traced


def main() -> None:
    """Trace those that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    everything = [*published()]
    torch.set_num_threads(2)  # one thread takes other convolutions
    for name in parser.parse_args().names or everything:
        began = time.perf_counter()
        plan = as_published(name)
        found = traced(TraceRequest(plan, plan.usual_size, {}), full=True)
        entry = {where: found[where].as_dict() for where in SETUPS}
        table = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
        table = {
            key: entry if key == name else table[key] for key in everything if key in {*table, name}
        }
        TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
