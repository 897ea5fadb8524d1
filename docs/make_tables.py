"""Writes the tables of docs/methods.md, metrics.md and dreamix.md from what the code declares.

python docs/make_tables.py           write them
python docs/make_tables.py --check   exit 1 if they are not as they would be written
"""

import re
import sys
from pathlib import Path

from dreamix.methods.base import METHODS
from dreamix.methods.dreamix import MIDDLE, PRESETS
from evaluation.metrics.base import METRICS

ROOT = Path(__file__).resolve().parents[1]
ARROWS = {"higher": "↑", "lower": "↓", "neither": "·"}


def first_sentence(text: str) -> str:
    """Return the text up to its first full stop, without it, for a cell of a Markdown table."""
    return re.split(r"(?<! al)\.(?:\s|$)", text, maxsplit=1)[0].replace("|", r"\|")


def metrics_table() -> str:
    """Return a row per metric: axis, which way is good, what it needs, what it is."""
    lines = ["| metric | axis | | needs | what it is |", "|---|---|---|---|---|"]
    found = [METRICS.get(name) for name in METRICS.names()]
    for metric in sorted(found, key=lambda metric: (metric.axis, metric.name)):
        needs = ", ".join(metric.needs) or "-"
        text = first_sentence(metric.definition)
        arrow = ARROWS[metric.better]
        lines.append(f"| `{metric.name}` | {metric.axis} | {arrow} | {needs} | {text} |")
    return "\n".join(lines)


def methods_table() -> str:
    """Return a row per method."""
    heads = ("method", "", "what it is", "reads", "what it needs of a model")
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|---|---|"]
    for name in METHODS.names():
        method = METHODS.get(name)
        kind = "anchor" if method.anchor else ""
        told, needs = method.definition.removeprefix("Returns "), ", ".join(sorted(method.needs))
        reads = ", ".join(sorted(method.reads, reverse=True)) or "-"
        lines.append(f"| `{name}` | {kind} | {told} | {reads} | {needs or 'no model'} |")
    return "\n".join(lines)


def definitions() -> str:
    """Return the whole definition of every metric, with what it declares."""
    parts = []
    for name in METRICS.names():
        metric = METRICS.get(name)
        low, high = metric.bounds
        facts = [
            f"{metric.axis}, {metric.better} is better, from {low:g} to {high:g}, v{metric.version}"
        ]
        if metric.needs:
            facts.append(f"needs {', '.join(metric.needs)}")
        if metric.not_for:
            facts.append(f"not for {', '.join(metric.not_for)} edits")
        if metric.responds:
            facts.append("; ".join(f"{way} with {what}" for what, way in metric.responds.items()))
        parts.append(f"### `{name}`\n\n{metric.definition}\n\n*{'. '.join(facts)}.*")
    return "\n\n".join(parts).replace("neither is better", "describes only")


def presets_table() -> str:
    """Return Dreamix's settings by category of the edit."""
    lines = ["| category | noise level s | finetuning updates | alpha |", "|---|--:|--:|--:|"]
    rows = {**PRESETS, "any other": MIDDLE}
    lines += [
        f"| {name} | {p.noise:g} | {p.finetune_steps} | {p.alpha:g} |" for name, p in rows.items()
    ]
    return "\n".join(lines)


TABLES = {
    ROOT / "docs" / "methods.md": {"methods": methods_table},
    ROOT / "docs" / "metrics.md": {"metrics": metrics_table, "definitions": definitions},
    ROOT / "docs" / "dreamix.md": {"presets": presets_table},
}


def filled(path: Path) -> str:
    """Return the text of a page with its generated parts as they should be."""
    text = path.read_text()
    for name, make in TABLES[path].items():
        pattern = re.compile(rf"(<!-- {name}\b[^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
        assert pattern.search(text), f"{path} has no place for {name}"
        text = pattern.sub(lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text)
    return text


def main() -> None:
    """Write the pages, or check them."""
    stale = [path for path in TABLES if path.read_text() != filled(path)]
    if "--check" in sys.argv:
        names = ", ".join(path.name for path in stale)
        sys.exit(f"{names}: run `python docs/make_tables.py`" if stale else 0)
    for path in stale:
        path.write_text(filled(path))


if __name__ == "__main__":
    main()
