"""Writes what each backend takes into the blocks of docs/backends/*.md, from the shipped table.

python docs/make_backends.py            write
python docs/make_backends.py --check    exit 1 if a page says something else

A block begins with `<!-- takes NAME -->` and ends with `<!-- /takes -->`.
"""

import re
import sys
from pathlib import Path

from dreamix.backends.footprint import Footprint
from dreamix.backends.footprint_kinds import known_footprints
from dreamix.doctor.backend import as_published
from dreamix.doctor.judgement import EFFICIENCY, UPDATES
from dreamix.doctor.page import size, time

PAGES = Path(__file__).parent / "backends"
BLOCK = re.compile(r"<!-- takes (?P<name>\S+) -->\n.*?<!-- /takes -->\n", re.DOTALL)
# Products of matrices in bfloat16, dense, as the maker's data sheets have them, in TFLOP/s.
SHEETS = {"RTX 4090": 165, "A100": 312, "H100 SXM": 989}


def block(name: str) -> str:
    """Return the table of one backend."""
    found, steps = known_footprints()[name], as_published(name).usual_steps
    there, here = found["accelerator"], found["processor"]
    width, height, frames = there.size
    works = {f"edit, {steps} steps": ("edit", steps)}
    if there.finetune:
        works[f"finetuning, {UPDATES} updates of an adapter"] = ("finetune", UPDATES)
        works[f"finetuning all weights, {UPDATES} updates"] = ("full", UPDATES)
    head = ["", "GPU, offloaded", "GPU, all there", "processor", "TFLOP"]
    head += [f"min. {gpu}" for gpu in SHEETS]
    rows = [_row(title, there, here, *work) for title, work in works.items()]
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    weights = " + ".join(f"{part} {size(count)}" for part, count in there.weights.items())
    return f"**Estimated**, {frames} frames of {width}x{height}. Weights: {weights}.\n\n{table}\n"


def _row(title: str, there: Footprint, here: Footprint, work: str, times: int) -> list[str]:
    """Return peaks, operations and minutes of one kind of work."""
    phases = getattr(there, work)
    flops = phases.all_flops(times)
    offloaded = size(there.offloaded(phases)) if there.sequence else "-"
    peaks = [offloaded, size(there.together(phases)), size(here.together(getattr(here, work)))]
    spent = [time(flops / (rate * 1e12 * EFFICIENCY) / 60) for rate in SHEETS.values()]
    return [title, *peaks, f"{flops / 1e12:,.0f}", *spent]


def filled(text: str) -> str:
    """Return a page with its blocks written anew."""

    def written(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- takes {name} -->\n{block(name)}<!-- /takes -->\n"

    return BLOCK.sub(written, text)


def main() -> None:
    """Write or check all pages."""
    stale = []
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (fresh := filled(text)) != text:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(fresh, encoding="utf-8")
    if stale and "--check" in sys.argv:
        sys.exit(f"{', '.join(stale)}: run `python docs/make_backends.py`")


if __name__ == "__main__":
    main()
