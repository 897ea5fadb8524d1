"""Measures the shape of the code: how many modules, how deep, how tangled, how loosely typed.

    python benchmarks/house.py              # this checkout
    python benchmarks/house.py OTHER        # another one, such as a `git worktree` of an old commit
    python benchmarks/house.py --list       # and which modules, imports and names are meant

Reads the source only; nothing is imported. What each line counts:

modules             files of the four packages, tests and benchmarks left out
upward imports      from a package to one above it: reports and study_app stand on evaluation,
                    that on dreamix; imports inside functions count, so do those for types only
cycles              groups of modules that import each other, directly or around several corners
longest chain       most modules in a row of which each imports the next; a cycle counts as one
Any                 annotated arguments of functions whose annotation is `Any`
one importer        modules that exactly one other module imports
names twice         class names that more than one class has
comments            lines that hold nothing but a comment, of all lines
long functions      over 60 lines; long files: over 350
"""

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGES = {"dreamix": 0, "evaluation": 1, "reports": 2, "study_app": 2}  # name -> floor
LONG_FUNCTION, LONG_FILE = 60, 350  # lines
Graph = dict[str, set[str]]  # module -> modules it imports


class Source(NamedTuple):
    """One module: its text and its syntax tree."""

    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Lines of the file."""
        return self.text.count("\n")


class Measure(NamedTuple):
    """One figure, and what it counts."""

    name: str
    value: str
    meant: list[str]


def modules(root: Path) -> dict[str, Source]:
    """Return the modules of the packages under `root` by their dotted names."""
    paths = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    found = {}
    for path in paths:
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        text = path.read_text("utf-8")
        found[name] = Source(text, ast.parse(text))
    return found


def imported(source: Source) -> Iterator[str]:
    """Yield the dotted names that a module imports: `from a import b` as a.b."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(found: dict[str, Source]) -> Graph:
    """Return which modules each imports; `from a import b` means module a.b, or else a."""

    def module(name: str) -> str | None:
        return next((n for n in (name, name.rpartition(".")[0]) if n in found), None)

    graph = {name: {module(target) for target in imported(found[name])} for name in found}
    return {name: {t for t in targets if t and t != name} for name, targets in graph.items()}


def upward(graph: Graph) -> list[tuple[str, str]]:
    """Return imports of a package that stands above the importing one."""
    floor = {name: PACKAGES[name.partition(".")[0]] for name in graph}
    return sorted((a, b) for a in graph for b in graph[a] if floor[a] < floor[b])


def reachable(graph: Graph, start: str) -> set[str]:
    """Return every module that `start` imports, directly or not."""
    seen: set[str] = set()
    waiting = [*graph[start]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def cycles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that reach each other: strongly connected, two and more."""
    reach = {name: reachable(graph, name) for name in graph}
    groups = {tuple(sorted(n for n in reach[a] if a in reach[n])) for a in graph if a in reach[a]}
    return sorted(map(list, groups))


def longest_chain(graph: Graph) -> list[str]:
    """Return the longest row of modules of which each imports the next."""
    group = {name: circle[0] for circle in cycles(graph) for name in circle}
    alias = {name: group.get(name, name) for name in graph}
    folded: Graph = {}
    for name, targets in graph.items():
        folded.setdefault(alias[name], set()).update(alias[t] for t in targets)

    @cache
    def chain(name: str) -> tuple[str, ...]:
        below = [chain(target) for target in sorted(folded[name]) if target != name]
        return (name, *max(below, key=len, default=()))

    return list(max(map(chain, sorted(folded)), key=len))


def arguments(found: dict[str, Source]) -> Iterator[tuple[str, str]]:
    """Yield (module, annotation) of every annotated argument."""
    for name, source in found.items():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                yield from ((name, ast.unparse(a.annotation)) for a in args if a.annotation)


def functions(found: dict[str, Source]) -> Iterator[tuple[str, int]]:
    """Yield (module:function, lines) of every function."""
    for name, source in found.items():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def class_names(found: dict[str, Source]) -> Counter[str]:
    """Return how many classes have each name."""
    nodes = (node for source in found.values() for node in ast.walk(source.tree))
    return Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))


def measures(root: Path) -> list[Measure]:
    """Return every figure of the code under `root`."""
    found = modules(root)
    graph = import_graph(found)
    up, circles, chain = upward(graph), cycles(graph), longest_chain(graph)
    annotated = [*arguments(found)]
    loose = Counter(name for name, annotation in annotated if annotation == "Any")
    importers = Counter(target for targets in graph.values() for target in targets)
    single = [name for name in found if importers[name] == 1]
    twice = sorted(name for name, count in class_names(found).items() if count > 1)
    lines = sum(source.lines for source in found.values())
    texts = [line.strip() for source in found.values() for line in source.text.splitlines()]
    comments = sum(text.startswith("#") for text in texts)
    long = [f"{name} {size}" for name, size in functions(found) if size > LONG_FUNCTION]
    files = [f"{name} {source.lines}" for name, source in found.items() if source.lines > LONG_FILE]
    return [
        Measure("modules", f"{len(found):,}", []),
        Measure("lines", f"{lines:,}", []),
        Measure("upward imports", str(len(up)), [f"{a} -> {b}" for a, b in up]),
        Measure("cycles", str(len(circles)), [", ".join(circle) for circle in circles]),
        Measure("longest chain", str(len(chain)), [" -> ".join(chain)]),
        Measure("Any", f"{loose.total() / len(annotated):.1%}", [*loose]),
        Measure("one importer", str(len(single)), single),
        Measure("names twice", str(len(twice)), twice),
        Measure("comments", f"{comments / lines:.1%}", []),
        Measure("long functions", str(len(long)), long),
        Measure("long files", str(len(files)), files),
    ]


def main() -> None:
    """Print the figures, and on request what they count."""
    parser = argparse.ArgumentParser(description="Measure the shape of the code.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--list", action="store_true", help="name what is counted")
    options = parser.parse_args()
    for measure in measures(options.root):
        print(f"{measure.name:16}{measure.value:>8}")
        if options.list:
            print(*(f"    {line}" for line in measure.meant), sep="\n")


if __name__ == "__main__":
    main()
