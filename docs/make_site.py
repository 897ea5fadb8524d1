"""What mkdocs is told beside mkdocs.yml: pages stay where they lie, and the code has pages too.

`make docs` builds the site. Pages keep their place in the repository, so that a link that works
there works on the site. The API reference has a page a package: every module with a public name,
from the source and its docstrings; nothing is imported.
"""

import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("dreamix", "evaluation", "study_app", "reports")
TAKEN = (
    "*.md",
    "CITATION.cff",
    "LICENSE",
    "benchmarks/README.md",
    "datasets/README.md",
    "docs/**/*.md",
    "docs/hosting/*",
    "docs/images/**/*.*",
    "docs/make_site_iframe-worker.js",
    "docs/slurm/*",
    "dreamix/**/weights/**/README.md",
    "evaluation/**/weights/**/README.md",
)
INTERNAL = ("migrations", "weights")  # folders without a name that somebody imports
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)")
ENTRY = re.compile(r"^(\w+(?:, \w+)*): +(\S.*)$")


def packages() -> dict[str, list[str]]:
    """Return the modules of every folder of code that has a public name: package -> modules."""
    found: dict[str, list[str]] = {}
    for path in (p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if not set(parts) & set(INTERNAL) and _has_public_names(path):
            names = parts[:-1] if parts[-1] == "__init__" else parts
            found.setdefault(".".join(parts[:-1]), []).append(".".join(names))
    return dict(sorted(found.items()))


def _has_public_names(path: Path) -> bool:
    return bool(re.search(r"^(?:def|class|@|[A-Za-z]\w*\s*[:=])", path.read_text("utf-8"), re.M))


def page_of(package: str, modules: list[str]) -> str:
    """Return the Markdown of a package's page."""
    blocks = "\n\n".join(f"::: {module}" for module in modules)
    return f"# {package}\n\n{blocks}\n"


def index_of(found: dict[str, list[str]]) -> str:
    """Return the first page of the reference: every module with the first line of its docstring."""
    lines = [
        "# API reference",
        "",
        "Every module with its public names. Start with what other programs use:",
        "[`DreamixPipeline`](dreamix.backends.md), the decorators of",
        "[methods](dreamix.methods.md) and [metrics](evaluation.metrics.md), and the",
        "[statistics](evaluation.stats.md). How the packages hang together:",
        "[architecture](../docs/architecture.md).",
    ]
    for package, modules in found.items():
        lines += ["", f"## [{package}]({package}.md)", "", "| module | |", "|---|---|"]
        lines += [f"| [`{m}`]({package}.md#{m}) | {_first_line(m)} |" for m in modules]
    return "\n".join(lines) + "\n"


def _first_line(module: str) -> str:
    path = ROOT / Path(*module.split("."))
    text = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")
    found = re.match(r'\s*"""(.*?)(?:"""|\n\n|\Z)', text, re.S)
    return " ".join(found[1].split()).replace("|", r"\|") if found else ""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the API reference behind the pages that mkdocs.yml names."""
    pages = [f"api/{package}.md" for package in packages()]
    config.nav = [*(config.nav or []), {"API": ["api/index.md", *pages]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the pages under their places in the repository, the reference, and the theme."""
    kept = [file for file in files if file.src_dir != config.docs_dir]
    paths = {path for pattern in TAKEN for path in ROOT.glob(pattern) if path.is_file()}
    for path in sorted(paths | {file for page in paths for file in linked_files(page)}):
        name = path.relative_to(ROOT).as_posix()
        kept.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    found = packages()
    made = {f"api/{package}.md": page_of(package, names) for package, names in found.items()}
    made["api/index.md"] = index_of(found)
    kept += [File.generated(config, name, content=text) for name, text in made.items()]
    return Files(kept)


def linked_files(page: Path) -> set[Path]:
    """Return the files of the repository that a page links to, code for example."""
    text = page.read_text("utf-8") if page.suffix == ".md" else ""
    found = {(page.parent / target).resolve() for target in LINK.findall(text)}
    return {path for path in found if path.is_file() and path.is_relative_to(ROOT)}


class FieldLists(griffe.Extension):
    """Turns the paragraphs `name: what it is` of our docstrings into sections of the reference.

    Brackets and less-than signs of prose stay what they are, for docstrings are not Markdown.
    """

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Let the prose of a docstring be prose."""
        if obj.docstring:
            parts = re.split(r"\n{2,}", obj.docstring.value)
            obj.docstring.value = "\n\n".join(
                part if part.startswith(" ") else as_prose(part) for part in parts
            )

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Give a function's paragraph of arguments its heading."""
        self._with_sections(func, "Args", {parameter.name for parameter in func.parameters})

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Give a class's paragraph of fields its heading, and every field its trailing comment."""
        self._with_sections(cls, "Attributes", set(cls.members))
        if cls.docstring:
            parts = cls.docstring.value.split("\n\n")
            place = next(
                (i for i, part in enumerate(parts) if part.startswith("Attributes:")), None
            )
            section = "Attributes:" if place is None else parts.pop(place)
            fields = [f for f in fields_of(cls) if f"\n    {f.name}: " not in section]
            entries = [f"    {field.name}: {comment_of(field)}" for field in fields]
            parts.insert(len(parts) if place is None else place, "\n".join([section, *entries]))
            cls.docstring.value = "\n\n".join(part for part in parts if part != "Attributes:")

    def _with_sections(self, found: griffe.Object, heading: str, names: set[str]) -> None:
        if found.docstring:
            parts = re.split(r"\n{2,}", found.docstring.value)
            after = [*parts[1:], ""]  # what is set in goes with the paragraph before it
            found.docstring.value = "\n\n".join(
                part if behind.startswith(" ") else as_section(part, heading, names)
                for part, behind in zip(parts, after, strict=True)
            )


def fields_of(cls: griffe.Class) -> list[griffe.Attribute]:
    """Return the public fields of a class: names with a type in its body."""
    members = [m for m in cls.members.values() if isinstance(m, griffe.Attribute)]
    typed = [m for m in members if m.annotation and "property" not in m.labels]
    return [m for m in typed if not m.name.startswith("_")]


def comment_of(field: griffe.Attribute) -> str:
    """Return what stands behind a field in its line, as prose; nothing if there is none."""
    found = re.search(r"  # (.+)$", field.source.split("\n")[0])
    return as_prose(found[1]) if found else ""


def as_prose(paragraph: str) -> str:
    """Return a paragraph in which no bracket is a link and no `<` a tag, but for code."""
    pieces = re.split(r"(`+[^`]*`+)", paragraph)
    plain = [piece.replace("[", r"\[").replace("<", "&lt;") for piece in pieces[::2]]
    return "".join(a + b for a, b in zip(plain, [*pieces[1::2], ""], strict=True))


def as_section(paragraph: str, heading: str, names: set[str]) -> str:
    """Return a paragraph as a section of Google's style if it is a list of `names`, else as it is.

    An entry is `name: what it is`, or `one, other: what they are`; its further lines are indented.
    """
    lines = paragraph.split("\n")
    told: set[str] = set()
    section = [f"{heading}:"]
    for line in lines:
        entry = ENTRY.match(line)
        if entry:
            told |= set(entry[1].split(", "))
            section += [f"    {name}: {entry[2]}" for name in entry[1].split(", ")]
        elif line.startswith(" ") and told:
            section.append(f"        {line.strip()}")
        else:
            return paragraph
    return "\n".join(section) if told and told <= names else paragraph
