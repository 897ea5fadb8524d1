"""`dreamix docs`: the pages of the toolkit, which come with an installed package too."""

from pathlib import Path

import click

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.shipped import shipped

# Page -> file of the repository; those in docs/ are called as their files are.
NAMED = {
    "readme": "README.md",
    "contributing": "CONTRIBUTING.md",
    "changes": "CHANGELOG.md",
    "security": "SECURITY.md",
    "suites": "datasets/README.md",
    "benchmarks": "benchmarks/README.md",
}


@click.command()
@click.argument("name", metavar="[PAGE]", required=False)
def docs(name: str | None) -> None:
    """Print a page of the documentation, such as suites or metrics; without PAGE, list them."""
    found = pages()
    if name is None:
        width = max(map(len, found))
        for each, path in found.items():
            click.echo(f"{each:{width}}  {title(path)}")
        click.echo(f"\n`dreamix docs PAGE` prints one; they lie in {shipped('docs')}")
        return
    if name not in found:
        raise UserError(f"no page {name!r}{near_misses(name, [*found])}; `dreamix docs` lists them")
    click.echo(found[name].read_text("utf-8"), nl=False)


def pages() -> dict[str, Path]:
    """Return the pages by name."""
    folder = shipped("docs")
    files = sorted(folder.glob("*.md")) + sorted(folder.glob("*/*.md"))
    named = {page: shipped(file) for page, file in NAMED.items()}
    return named | {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}


def title(path: Path) -> str:
    """Return the first heading of a page."""
    lines = path.read_text("utf-8").splitlines()
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), path.stem)
