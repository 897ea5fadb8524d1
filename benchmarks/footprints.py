"""Traces what every pretrained backend takes and writes the table that `dreamix doctor` reads.

OMP_NUM_THREADS=2 python benchmarks/footprints.py            all backends: half an hour
OMP_NUM_THREADS=2 python benchmarks/footprints.py modelscope one of them; the others stay
"""

import argparse
import json
import time

import torch

from dreamix.backends.blueprint import published
from dreamix.backends.footprint import ACCELERATOR, PROCESSOR, footprint
from dreamix.backends.known_footprints import TABLE, usual_size


def main() -> None:
    """Trace those that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    plans = published()
    torch.set_num_threads(2)  # one thread takes other convolutions
    for name in parser.parse_args().names or plans:
        began = time.perf_counter()
        size = usual_size(plans[name])
        setups = {"accelerator": ACCELERATOR, "processor": PROCESSOR}
        entry = {
            key: footprint(plans[name], size, setup, full=True).as_dict()
            for key, setup in setups.items()
        }
        table = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
        table = {
            key: entry if key == name else table[key] for key in plans if key in {*table, name}
        }
        TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
