"""Settings of the baselines, so that Dreamix is not compared with badly set ones.

    python benchmarks/baseline_settings.py FOLDER [--edits 2]

The edits are those of development.py, on which Dreamix's presets are chosen too. Guidance as high
as in the public implementations of Plug-and-Play saturates a small model. Prints means over edits.
"""

import argparse
from pathlib import Path

from development import METRICS, compare

COLUMNS = {
    **{f"t2v-{w}": f"text-to-video:guidance={w}" for w in (2, 4, 6)},
    **{f"pnp-{w}": f"plug-and-play:preset=official:guidance={w}" for w in (2, 4, 10)},
    "pnp-4-const": "plug-and-play:preset=pnp-diffusers:guidance=4",
    "pnp-4-less": "plug-and-play:preset=official:guidance=4:features=0.4:attention=0.25",
}


def main() -> None:
    """Run, score, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--edits", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--backend", default="toybox")
    options = parser.parse_args()
    table = compare(options.folder, COLUMNS, options.edits, options.backend, options.workers)
    table.to_csv(options.folder / "baselines.csv", index=False)
    means = table.groupby("method")[list(METRICS)].mean()
    print(means.loc[list(COLUMNS)].round(3).to_string())


if __name__ == "__main__":
    main()
