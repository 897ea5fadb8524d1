"""The house rules that a machine can check: layers, data folders without code, light imports."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

# The contracts of import-linter in pyproject.toml say which layers there are and what a layer may
# not see although it is below; `make lint` runs it. What it lacks is held here: every module has a
# layer, imports are absolute, and the rules hold where it is not installed.
PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
# Lowest first. A module may import its own layer and those before it; the longest prefix decides.
(LAYERS,) = (tuple(found["layers"][::-1]) for found in CONTRACTS if found["type"] == "layers")
WALLS = {
    room: tuple(found["forbidden_modules"])
    for found in CONTRACTS
    if found["type"] == "forbidden"
    for room in found["source_modules"]
}
PACKAGES = ("dreamix", "evaluation", "study_app", "reports")


def modules(root: Path) -> dict[str, Path]:
    """Module name -> file."""
    files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    dotted = {".".join(path.relative_to(root).with_suffix("").parts): path for path in files}
    return {name.removesuffix(".__init__"): path for name, path in dotted.items()}


def imports(path: Path, *, types: bool = False) -> set[str]:
    """Modules of ours that a file imports when it is imported or run; types: also for types."""
    tree = ast.parse(path.read_text())
    typing_only = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in typing_only and not types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(str(node.module))
    return {name for name in found if name.split(".")[0] in PACKAGES}


def layer(module: str) -> int:
    """Number of the layer a module belongs to."""
    fits = [name for name in LAYERS if module == name or module.startswith(name + ".")]
    assert fits, f"{module} is in no layer"
    return LAYERS.index(max(fits, key=len))


def behind(module: str, wall: str) -> bool:
    return module == wall or module.startswith(wall + ".")


@pytest.mark.slow
def test_imports_go_down_only(root: Path) -> None:
    for module, path in modules(root).items():
        if module in PACKAGES:
            continue
        for target in imports(path) - set(PACKAGES):
            assert layer(target) <= layer(module), f"{module} imports {target}, which is above it"


def test_rooms_of_the_evaluation_form_no_circle_of_types_either(root: Path) -> None:
    """What is imported for its types alone is known all the same, and hides a circle."""
    for module, path in modules(root).items():
        if behind(module, "evaluation") and module != "evaluation":
            for target in imports(path, types=True) - set(PACKAGES):
                assert layer(target) <= layer(module), f"{module} names {target}, above it"


def test_modules_of_the_evaluation_hold_no_state(root: Path) -> None:
    """A worker holds what a process needs: nothing is left in a module for the next who comes."""
    for path in (root / "evaluation").rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)], path
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                held = node.value
                is_empty = isinstance(held, ast.Dict | ast.List) and not ast.unparse(held)[1:-1]
                assert not is_empty, f"{path}: {ast.unparse(node)}"


@pytest.mark.slow
def test_walls_hold(root: Path) -> None:
    for module, path in modules(root).items():
        for room, walls in WALLS.items():
            if behind(module, room):
                for target in imports(path):
                    hit = [wall for wall in walls if behind(target, wall)]
                    assert not hit, f"{module} must not import {target}"


ROOMS_OF_TOYBOX = ("dreamix/toybox/", "evaluation/toybox/")
ENTRY_POINTS = "dreamix/commands.py"  # names the commands, as pyproject.toml does
CODE = (".py", ".html", ".js", ".css", ".R", ".tex", ".yaml")  # pages to read are of any world


def test_what_holds_for_any_world_names_none(root: Path) -> None:
    """Entry points name what Toybox brings; no code outside its rooms has the word."""
    files = [
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.suffix in CODE and "toybox" in path.read_text("utf-8").lower()
    ]
    outside = [file for file in files if not file.startswith(ROOMS_OF_TOYBOX)]
    assert outside == [ENTRY_POINTS]
    assert len(files) > 20  # that is how many know themselves


def test_datasets_holds_data_only(root: Path) -> None:
    """A package called `datasets` would take the place of Hugging Face's."""
    assert not list((root / "datasets").rglob("*.py"))


# Packages that are nothing without torch; everything else imports these inside functions.
MODELS = (
    "dreamix.diffusion",
    "dreamix.toybox.cascade",
    "dreamix.toybox.training",
    "dreamix.backends",
    "evaluation.toybox.judging",
)
# Of these, what names, checks and opens models without loading one.
LIGHT = ("dreamix.backends.base", "dreamix.backends.hub", "dreamix.backends.names")


def test_torch_is_imported_inside_functions_but_in_packages_of_models(root: Path) -> None:
    for module, path in modules(root).items():
        if module not in LIGHT and any(behind(module, package) for package in MODELS):
            continue
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in getattr(node, "names", [])]
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            if isinstance(node, ast.Import | ast.ImportFrom):
                heavy = {"torch", "torchvision", "open_clip", "lpips", "transformers", "diffusers"}
                assert not heavy & {name.split(".")[0] for name in names}, module


WITHOUT_TORCH = (
    "dreamix.cli",
    "dreamix.edit_cli",
    "dreamix.single_edit",
    "dreamix.toybox.cli",
    "reports.cli",
    "study_app.cli",
    "reports.page.run_page",
    "study_app",
    "evaluation.score.truth",
    "evaluation.score.ladder",
    "evaluation.score.plan",
    "evaluation.cli",
)
# Says what an import has loaded, each in a child of one process that has what most of them need.
IN_CHILDREN = """
import importlib, os, sys
import click, cv2, matplotlib.figure, numpy, pandas, scipy.stats, yaml
for module in sys.argv[1:]:
    child = os.fork()
    if not child:
        importlib.import_module(module)
        print(module, *(name for name in ("torch", "open_clip") if name in sys.modules), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{module} cannot be imported")
"""


@pytest.fixture(scope="module")
def torch_after() -> dict[str, list[str]]:
    """Light module -> what its import alone has loaded of torch."""
    command = [sys.executable, "-c", IN_CHILDREN, *WITHOUT_TORCH]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    return {module: loaded for module, *loaded in lines}


@pytest.mark.slow
@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_light_modules_leave_torch_unloaded(module: str, torch_after: dict[str, list[str]]) -> None:
    assert torch_after[module] == []


def loaded(names: tuple[str, ...], code: str) -> list[str]:
    """Which of the modules are loaded after `code`, in a process of its own."""
    code = f"import sys\n{code}\nprint(*[m for m in {names!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_scoring_leaves_the_statistics_that_learn_composites_unloaded() -> None:
    code = "import evaluation.score.scoring, evaluation.score.plan"
    assert loaded(("scipy.stats", "scipy.optimize", "evaluation.stats.composite"), code) == []


def test_what_knows_layers_of_diffusers_by_name_does_not_import_them(root: Path) -> None:
    """Three of its modules bring all of transformers: most of the time of importing a pipeline."""
    for path in (root / "dreamix" / "diffusion").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in getattr(node, "names", [])]
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not {"diffusers", "transformers"} & {n.split(".")[0] for n in names}, path


@pytest.mark.slow
def test_a_pipeline_leaves_transformers_unloaded_until_a_model_is() -> None:
    assert loaded(("transformers", "scipy.stats"), "from dreamix import DreamixPipeline") == []


def test_help_imports_nothing_heavy() -> None:
    """`dreamix --help` is instant because it imports neither torch nor numpy."""
    code = (
        "import sys; sys.argv = ['dreamix', '--help']\n"
        "from dreamix.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'numpy', 'av', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert "bench" in done.stdout
