"""The recipes of CONTRIBUTING.md, copied as they stand: into a package, and into the toolkit."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from small_suites import small_suite
from tiny_packages import PROGRAM, dreamix

KINDS = (
    *("method", "metric", "backend", "report subject", "suite format", "rating format"),
    "command",
)
BLOCK = r"```{}\n(.*?)```"


class Recipe(NamedTuple):
    """How to add one kind of thing."""

    path: str  # in the toolkit
    code: str
    lines: dict[str, str]  # of pyproject.toml, by the group that they stand in


Recipes = dict[str, Recipe]


def recipe(text: str, kind: str) -> Recipe:
    """The recipe under the heading `A KIND`."""
    part = re.split(r"^#+ ", text.partition(f"### A {kind}\n")[2], flags=re.MULTILINE)[0]
    path = re.search(r"Create `([^`]+)`", part)
    code = re.search(BLOCK.format("python"), part, re.DOTALL)
    assert path and code, kind
    lines = re.search(BLOCK.format("toml"), part, re.DOTALL)
    group = re.search(r'`\[(project\.entry-points\."[\w.]+")\]`', part)
    told = {group[1]: textwrap.dedent(lines[1])} if lines and group else {}
    return Recipe(path[1], textwrap.dedent(code[1]), told)


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "CONTRIBUTING.md").read_text("utf-8")


@pytest.fixture(scope="module")
def recipes(text: str) -> Recipes:
    return {kind: recipe(text, kind) for kind in KINDS}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    small_suite(folder, ("duck_00", "duck_01"))
    return folder / "suite.yaml"


@pytest.fixture(scope="module")
def package(
    text: str, recipes: dict[str, Recipe], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a package with all of them: its pyproject.toml is the one of the page."""
    folder = tmp_path_factory.mktemp("package")
    toml = re.search(
        BLOCK.format("toml"), text.partition("## A package of your own\n")[2], re.DOTALL
    )
    assert toml
    (folder / "pyproject.toml").write_text(toml[1])
    (folder / "my_package").mkdir()
    (folder / "my_package" / "__init__.py").write_text("")
    for one in recipes.values():
        (folder / "my_package" / Path(one.path).name).write_text(one.code)
    return folder


def pip(package: Path, site: Path, *options: str) -> None:
    """Install a package as a user does, without a network."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    alone = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(site)]
    done = subprocess.run([*pip, *alone, *options, str(package)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def site(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package is installed in."""
    folder = tmp_path_factory.mktemp("site")
    pip(package, folder)
    return folder


COMPARE = ("--methods", "my-editor:strength=0.5,sdedit:noise=0.5,unedited", "--backend", "my-model")
METRICS = ("--metrics", "my_metric,flicker")


@pytest.fixture(scope="module")
def run(suite: Path, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison with all that the package brings, in two worker processes."""
    out = tmp_path_factory.mktemp("runs") / "run"
    words = ("bench", "compare", suite, *COMPARE, *METRICS, "--out", out, "--workers", 2)
    done = dreamix(*words, places=(site,))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("note:") == 0
    return out


def scores(run: Path, metric: str) -> dict[str, list[float]]:
    """Values by method, in the order of the edits."""
    found: dict[str, list[float]] = {}
    for line in (run / "scores.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row.get("metric") == metric:
            found.setdefault(row["method"], []).append(row["value"])
    return found


@pytest.mark.slow
def test_method_metric_and_backend_of_a_package_are_compared(run: Path) -> None:
    """Half of grey moves a pixel by |x - 127.5| / 2: about 0.125 of the range for even noise.

    Normal noise of deviation 127.5 moves it far more; `unedited` not at all.
    """
    found = scores(run, "my_metric")
    assert found["unedited"] == [0, 0]
    assert found["my-editor"] == pytest.approx([0.125, 0.125], abs=0.01)
    assert min(found["sdedit"]) > 0.2
    assert found["sdedit"][0] != found["sdedit"][1]


@pytest.mark.slow
def test_the_run_says_which_package_brought_what(run: Path) -> None:
    info, ours = (
        json.loads((run / "run.json").read_text()),
        {"name": "my-package", "version": "1.0"},
    )
    assert info["methods"]["my-editor"]["package"] == ours
    assert info["methods"]["sdedit"]["backend"]["package"] == ours
    assert info["metrics"]["my_metric"]["package"] == ours
    assert "package" not in info["methods"]["unedited"]
    assert "package" not in info["metrics"]["flicker"]


@pytest.mark.slow
def test_the_report_subject_of_a_package_is_a_section_with_files_of_its_own(run: Path) -> None:
    page = (run / "report" / "index.html").read_text()
    assert 'id="my-package-my-subject"' in page and "How many scores there are" in page
    table = (run / "report" / "tables" / "my_package_my_scores.md").read_text()
    assert re.search(r"\| my-editor \| 4 \|", table)


@pytest.mark.slow
def test_a_report_is_made_anew_by_hand_as_well(run: Path, site: Path, tmp_path: Path) -> None:
    done = dreamix("report", run, "--no-media", "--out", tmp_path / "page", places=(site,))
    assert done.returncode == 0, done.stderr
    assert "How many scores there are" in (tmp_path / "page" / "index.html").read_text()


@pytest.mark.slow
def test_the_command_is_there_and_all_is_listed(site: Path) -> None:
    assert dreamix("hello", "you", places=(site,)).stdout == "Hello, you.\n"
    listed = dreamix("--help", places=(site,)).stdout
    assert "Greet somebody (this line is shown by `dreamix --help`)." in listed
    methods = dreamix("bench", "list", places=(site,)).stdout
    assert "Returns the source, mixed with grey (this line is shown by" in methods
    assert re.search(r"my_metric +fidelity +down", methods)
    formats = dreamix("suite", "formats", places=(site,)).stdout
    assert "My bench: CC BY 4.0" in formats and "Outputs: NAME.mp4." in formats


@pytest.mark.slow
def test_the_format_of_a_package_is_read_and_named(site: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "votes.jsonl", tmp_path / "export"
    row = {"clip": "kite", "editor": "ours", "who": 7, "grade": 4}
    path.write_text(f"{json.dumps(row)}\n{json.dumps(row | {'editor': 'theirs'})}\n")
    words = ("study", "import", "my-ratings", path, "--scale", "1:5", "--out", out)
    done = dreamix(*words, places=(site,))
    assert done.returncode == 0, done.stderr
    assert "2 ratings" in done.stdout
    assert "format: my-ratings (my-package 1.0)" in (out / "study.yaml").read_text()
    path.write_text('{"clip": "kite"}\n')
    done = dreamix(*words[:-1], tmp_path / "other", places=(site,))
    assert done.returncode == 2 and "votes.jsonl:1: clip, editor, who and grade" in done.stderr


@pytest.mark.slow
def test_another_version_does_not_go_on_with_its_clips(
    run: Path, package: Path, suite: Path, tmp_path: Path
) -> None:
    """Nor does a machine without the package; what is done already stays and is scored."""
    newer, site = tmp_path / "package", tmp_path / "site"
    shutil.copytree(package, newer)
    toml = (newer / "pyproject.toml").read_text().replace('version = "1.0"', 'version = "1.1"')
    (newer / "pyproject.toml").write_text(toml)
    pip(newer, site)
    shutil.copytree(run, tmp_path / "run")
    again = ("bench", "run", suite, *COMPARE, "--out", tmp_path / "run")
    done = dreamix(*again, places=(site,))
    assert done.returncode == 2
    assert "another package (my-package 1.0, now my-package 1.1)" in done.stderr
    for row in (tmp_path / "run" / "clips" / "my-editor").rglob("*.json"):
        row.unlink()
    more = ("bench", "run", suite, "--methods", "frozen-frame", "--out", tmp_path / "run")
    for places, here in (((site,), "my-package 1.1"), ((), "not installed")):
        done = dreamix(*more, places=places)
        assert done.returncode == 2
        assert f"comes with my-package 1.0 and is {here} here" in done.stderr


@pytest.mark.slow
def test_an_editable_installation_is_found_too(package: Path, tmp_path: Path) -> None:
    """In an environment of its own, as `pip install -e .` wants one; it sees what we see."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (folder,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    outside = [path for path in sys.path if path.endswith("site-packages")]
    (folder / "outside.pth").write_text("\n".join(outside))
    there = tmp_path / "venv" / "bin" / "python"
    copy = shutil.copytree(package, tmp_path / "package")
    pip = [there, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "-e", str(copy)]
    done = subprocess.run([*pip, "--no-build-isolation"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    root = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [there, "-c", PROGRAM, "hello", "you"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.stdout == "Hello, you.\n", done.stderr


@pytest.fixture(scope="module")
def toolkit(
    root: Path, recipes: dict[str, Recipe], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the toolkit in which every recipe was followed; weights are linked."""
    folder = tmp_path_factory.mktemp("toolkit")
    light = shutil.ignore_patterns("weights", "__pycache__")
    for name in ("dreamix", "evaluation", "reports", "study_app"):
        shutil.copytree(root / name, folder / name, ignore=light)
        for weights in root.glob(f"{name}/**/weights"):
            (folder / weights.relative_to(root)).symlink_to(weights)
    (folder / "datasets").symlink_to(root / "datasets")
    toml = (root / "pyproject.toml").read_text()
    for one in recipes.values():
        (folder / one.path).write_text(one.code)
        for group, line in one.lines.items():
            assert toml.count(f"[{group}]\n") == 1
            toml = toml.replace(f"[{group}]\n", f"[{group}]\n{line}")
    (folder / "pyproject.toml").write_text(toml)
    return folder


@pytest.mark.slow
def test_every_kind_is_one_file_in_the_toolkit_and_a_line_at_most(
    toolkit: Path, suite: Path, recipes: Recipes, tmp_path: Path
) -> None:
    named = {kind for kind, one in recipes.items() if one.lines}
    assert named == {"backend", "command"}
    assert dreamix("hello", "you", places=(toolkit,)).stdout == "Hello, you.\n"
    out = tmp_path / "run"
    words = ("bench", "compare", suite, *COMPARE, *METRICS, "--out", out)
    done = dreamix(*words, places=(toolkit,))
    assert done.returncode == 0, done.stderr
    assert {*scores(out, "my_metric")} == {"my-editor", "sdedit", "unedited"}
    assert 'id="my-subject"' in (out / "report" / "index.html").read_text()
    assert '"package"' not in (out / "run.json").read_text()


def test_the_example_package_says_what_the_page_says(text: str, package: Path) -> None:
    """Its groups are those that CONTRIBUTING.md has a recipe for, and there are no others."""
    told = tomllib.loads((package / "pyproject.toml").read_text())["project"]["entry-points"]
    assert sorted(told) == [
        "dreamix.backends",
        "dreamix.commands",
        "dreamix.methods",
        "dreamix.metrics",
        "dreamix.rating_formats",
        "dreamix.report_subjects",
        "dreamix.suite_formats",
    ]


@pytest.mark.slow
def test_shards_of_a_run_are_made_and_joined(
    suite: Path, site: Path, run: Path, tmp_path: Path
) -> None:
    """They know the same package, and a part of another version does not fit."""
    out = tmp_path / "run"
    for shard in ("1/2", "2/2"):
        words = ("bench", "run", suite, *COMPARE, "--out", out, "--shard", shard)
        assert dreamix(*words, places=(site,)).returncode == 0
    (part,) = tmp_path.glob("run.shard-*")  # one video: the other shard has nothing to do
    done = dreamix("bench", "merge", out, part, places=(site,))
    assert done.returncode == 0, done.stderr
    assert clips(out) == clips(run)
    text = (part / "run.json").read_text()
    (part / "run.json").write_text(text.replace('"version": "1.0"', '"version": "0.9"'))
    done = dreamix("bench", "merge", out, part, places=(site,))
    assert done.returncode == 2
    assert "another package (my-package 1.0, now my-package 0.9)" in done.stderr


def clips(run: Path) -> dict[str, bytes]:
    """What was made, by path."""
    return {str(path.relative_to(run)): path.read_bytes() for path in run.glob("clips/**/*.mp4")}


@pytest.mark.slow
def test_workers_of_a_cluster_make_the_same(
    suite: Path, site: Path, run: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    words = ("bench", "run", suite, *COMPARE, "--out", tmp_path / "run", "--executor", "ray:local")
    done = dreamix(*words, places=(site,))
    assert done.returncode == 0, done.stderr
    assert clips(tmp_path / "run") == clips(run)
