"""What pyproject.toml cannot say: the wheel takes suites and pages along, README's links are kept.

Suites lie in datasets/ and pages in docs/, once; `dreamix/core/shipped.py` finds them in a checkout
and in an installed package, where they are below dreamix/shipped.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SHIPPED = "dreamix/shipped"  # in the wheel
TAKEN = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "datasets/README.md",
    "datasets/*/*.yaml",
    "docs/*.md",
    "docs/backends/*.md",
    "docs/hosting/*",
    "docs/recipes/*.py",
    "docs/slurm/*",
)
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


class BuildWithShipped(build_py):
    """Puts suites and pages into the package; an editable install reads them where they are."""

    def run(self) -> None:
        """Build the packages, and copy what goes along."""
        super().run()
        if not self.editable_mode:
            for source, target in self._taken().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return all files that are built."""
        outputs: list[str] = super().get_outputs(include_bytecode)
        return outputs + ([] if self.editable_mode else list(self._taken().values()))

    def _taken(self) -> dict[str, str]:
        """Return where every file goes."""
        files = sorted(path for pattern in TAKEN for path in ROOT.glob(pattern))
        return {
            str(path): str(Path(self.build_lib, SHIPPED, path.relative_to(ROOT))) for path in files
        }


def long_description(text: str, repository: str | None) -> str:
    """Return README for a page that is not beside the files it links to.

    With the address of the repository its links and pictures are absolute; without one, pictures
    are left out and a link is its text and the name of the file.
    """

    def absolute(found: re.Match[str]) -> str:
        mark, words, target, anchor = found.groups(default="")
        place = "raw" if mark else "blob"
        return f"{mark}[{words}]({repository}/{place}/HEAD/{target}{anchor})"

    def plain(found: re.Match[str]) -> str:
        mark, words, target, _ = found.groups()
        named = target in words
        return "" if mark else words if named else f"{words} (`{target}`)"

    return LINK.sub(absolute if repository else plain, text)


def arguments() -> dict[str, Any]:
    """Return what setuptools is told beside pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = (ROOT / "README.md").read_text("utf-8")
    return {
        "long_description": long_description(text, project.get("urls", {}).get("Repository")),
        "long_description_content_type": "text/markdown",
        "cmdclass": {"build_py": BuildWithShipped},
    }


if __name__ == "__main__":
    setup(**arguments())
