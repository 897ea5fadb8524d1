"""What is installed is what is checked out: wheel and sdist against the list that git keeps."""

import email
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from email.message import Message
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from imported import OURS, declared, distributions, imported, normal

BUILD = "import setuptools.build_meta as back; print(back.{}({!r}, {}))"
STORED = {"--build-option": ["--compression=stored"]}  # 37 MB of weights do not get smaller


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[str]:
    """Paths of the files that git keeps and that are there."""
    if not (root / ".git").exists() or not shutil.which("git"):
        pytest.skip("no git here to say which files belong to the project")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    names = done.stdout.decode().strip("\0").split("\0")
    return [name for name in names if (root / name).exists()]


@pytest.fixture(scope="module")
def copied(root: Path, tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of them, so that nothing else can get in."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in tracked:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, folder / name)
    return folder


def built(folder: Path, what: str, out: Path, settings: object = None) -> Path:
    """The file that setuptools builds from a folder, as pip has it do."""
    code = BUILD.format(f"build_{what}", str(out), settings)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(copied: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(copied, "wheel", tmp_path_factory.mktemp("wheel"), STORED)


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip would put into site-packages."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def metadata(unpacked: Path) -> Message:
    (file,) = unpacked.glob("*.dist-info/METADATA")
    return email.message_from_string(file.read_text("utf-8"))


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def is_page(name: str) -> bool:
    """Pages, and what they tell a reader to copy; pictures and programs that draw them stay out."""
    drawn = name.startswith(("docs/images/", "docs/make_", "docs/run_")) or name.endswith(".sh")
    tops = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "benchmarks/README.md")
    return name in tops or (name.startswith(("docs/", "datasets/")) and not drawn)


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_packages_and_no_other(
    tracked: list[str], unpacked: Path
) -> None:
    packages = {name for name in tracked if name.split("/")[0] in OURS}
    found = {name for name in files_in(unpacked) if ".dist-info/" not in name}
    pages = {f"dreamix/shipped/{name}" for name in tracked if is_page(name)}
    assert found - pages == packages
    assert found - packages == pages


def test_every_package_is_marked_as_typed(unpacked: Path) -> None:
    assert all((unpacked / package / "py.typed").is_file() for package in OURS)


def program(unpacked: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`dreamix` of the unpacked wheel, called in `folder`."""
    code = "import sys; from dreamix.cli import main; sys.argv[0] = 'dreamix'; main()"
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_an_installed_program_finds_its_suites_and_pages(unpacked: Path, tmp_path: Path) -> None:
    """datasets/README.md says that the quick suite has 6 videos and 12 edits."""
    checked = program(unpacked, tmp_path, "bench", "check", "toybox-quick")
    assert checked.stdout == "toybox-quick: 6 videos, 12 edits, no problems\n"
    listed = program(unpacked, tmp_path, "docs").stdout
    assert str(unpacked / "dreamix" / "shipped" / "docs") in listed
    assert program(unpacked, tmp_path, "docs", "suites").stdout.startswith("# Suites\n")


def test_the_metadata_say_which_pythons_and_whose(metadata: Message, root: Path) -> None:
    from dreamix import __version__

    assert metadata["Version"] == __version__ == version("dreamix-toolkit")
    assert metadata["Author"]
    lines = metadata.get_all("Classifier") or []
    pythons = {line.rpartition(" ")[2] for line in lines if ":: Python :: 3." in line}
    assert pythons == {"3.11", "3.12", "3.13"}


LINK = re.compile(r"\]\(([^)]+)\)")


def test_no_link_on_the_page_of_the_index_leads_nowhere(metadata: Message, root: Path) -> None:
    """There is no file beside that page, so every target has to be an address or a heading."""
    text = metadata.get_payload()
    assert isinstance(text, str) and text.startswith("# Dreamix toolkit")
    assert all(target.startswith(("http", "#")) for target in LINK.findall(text))
    assert "docs/metrics.md" in text  # the words of a link stay


@pytest.fixture(scope="module")
def long_description(root: Path) -> Callable[[str, str | None], str]:
    spec = importlib.util.spec_from_file_location("setup_program", root / "setup.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[str, str | None], str] = module.long_description
    return found


@pytest.mark.parametrize(
    ("link", "absolute", "plain"),
    [
        ("[how](docs/a.md#b)", "[how](https://x/y/blob/HEAD/docs/a.md#b)", "how (`docs/a.md`)"),
        (
            "[`docs/a.md`](docs/a.md)",
            "[`docs/a.md`](https://x/y/blob/HEAD/docs/a.md)",
            "`docs/a.md`",
        ),
        ("![T](docs/t.png)", "![T](https://x/y/raw/HEAD/docs/t.png)", ""),
        ("[other](https://a/b)", "[other](https://a/b)", "[other](https://a/b)"),
        ("[below](#below)", "[below](#below)", "[below](#below)"),
    ],
)
def test_links_are_absolute_where_the_repository_has_an_address(
    long_description: Callable[[str, str | None], str], link: str, absolute: str, plain: str
) -> None:
    assert long_description(link, "https://x/y") == absolute
    assert long_description(link, None) == plain


# Where an extra is needed; the commands there say so in one line.
EXTRAS = {
    "study_app/": {"study", "postgres"},
    "dreamix/backends/": {"hub"},
    "dreamix/remote/": {"s3", "gcs", "https"},
    "dreamix/diffusion/adapting.py": {"eightbit"},
    "evaluation/features/conse.py": {"offline"},
    "evaluation/cluster/ray_": {"cluster"},
}


@pytest.mark.slow
def test_every_package_that_is_imported_is_declared(root: Path) -> None:
    """One that comes only with another package goes away when that one drops it."""
    groups = declared(root)
    for package in OURS:
        for path in (root / package).rglob("*.py"):
            place = str(path.relative_to(root))
            extras = {e for where, some in EXTRAS.items() if place.startswith(where) for e in some}
            allowed = groups[""].union(*(groups[extra] for extra in extras))
            for module in imported(path):
                assert distributions(module) & allowed, f"{place} imports {module}"


def test_every_package_that_tests_import_is_declared(root: Path) -> None:
    known = set().union(*declared(root).values())
    ours = {path.stem for path in (root / "tests" / "support").glob("*.py")}
    for path in (root / "tests").rglob("*.py"):
        for module in imported(path) - ours:
            assert distributions(module) & known, f"{path.name} imports {module}"


# Majors that are not the newest one allowed, and why.
OLDER = {"av": "PyAV 19 needs Python 3.12: .ci/smoke runs it"}


def test_an_upper_bound_lets_in_nothing_that_was_not_run(root: Path) -> None:
    """A bound above the version of today promises what nobody tried: `av<20` broke at 19."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for line in (line for group in groups for line in group if "<" in line):
        name, bound = re.split(r"[>=<~!]", line)[0], int(line.rpartition("<")[2].split(".")[0])
        try:
            major = int(version(name).partition(".")[0])
        except PackageNotFoundError:
            continue  # an extra that is not installed here
        assert major == bound - 1 or normal(name) in OLDER, f"{line}, and {version(name)} is here"


@pytest.mark.slow
def test_the_sdist_is_whole_and_gives_the_same_wheel(
    tracked: list[str], copied: Path, unpacked: Path, tmp_path: Path
) -> None:
    """Packagers build from the sdist and run its tests."""
    with tarfile.open(built(copied, "sdist", tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    made = {name for name in files_in(folder) if "egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert files_in(folder) - made == set(tracked)
    with zipfile.ZipFile(built(folder, "wheel", tmp_path, STORED)) as archive:
        assert set(archive.namelist()) == files_in(unpacked)
    tests = ["tests/test_suite.py", "tests/test_cli.py", "tests/test_packaging.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [*command, *tests], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
