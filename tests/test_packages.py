"""What packages bring: entry points are read, failures are one line, ours keep their names."""

import importlib.metadata
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from tiny_packages import install, python

from dreamix.core import packages
from dreamix.core.errors import UserError
from dreamix.core.packages import EntryPoint, Package, entries, load, noted, package_of
from dreamix.core.registry import NamedRegistry, Registry

METRIC = """
from evaluation.metrics.base import metric

@metric({name!r}, axis="quality", better="higher", bounds=(0, 1), needs=())
def {function}(sample):
    \"\"\"Half.\"\"\"
    return 0.5
"""


def metric_file(name: str) -> str:
    return METRIC.format(name=name, function=name.replace(".", "_"))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path of this process, and nothing noted."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(packages, "_noted", {})
    before = set(sys.modules)
    monkeypatch.setattr("dreamix.core.registry._registries", [])
    yield folder
    for name in set(sys.modules) - before:
        del sys.modules[name]


def things(kind: str = "thing") -> Registry[str]:
    """A registry that packages bring to; their modules find it here."""
    registry: Registry[str] = Registry(kind, "", "dreamix.things")
    sys.modules["the_registry"] = registry  # type: ignore[assignment]
    return registry


def thing(*names: str, more: str = "") -> str:
    """A module that registers these names."""
    lines = [f"the_registry.add({name!r}, __name__, __name__)" for name in names]
    return "\n".join(["import the_registry", *lines, more])


class TestReading:
    def test_it_is_what_importlib_reads(self, site: Path) -> None:
        """Of every package that has groups of ours; importlib.metadata is the judge."""
        install(site, "My-Pack.age", {"dreamix.things": {"a": "pack.a", "b.c": "pack.b:x.y"}}, {})
        install(site, "extra", {"dreamix.things": {"z": "extra : z [fast, big]"}}, {}, "2!1.0rc1")
        found = importlib.metadata.entry_points(group="dreamix.things")
        theirs = {
            (e.name, f"{e.module}:{e.attr or ''}".strip(":"), e.dist.name, e.dist.version)
            for e in found
            if e.dist
        }
        ours = {(e.name, e.place, *(e.package or ())) for e in entries("dreamix.things")}
        assert ours == theirs and len(ours) == 3

    def test_ours_are_those_of_the_checkout_whatever_was_installed(
        self, site: Path, root: Path
    ) -> None:
        """Metadata of an older state hides nothing and adds nothing."""
        install(site, "dreamix-toolkit", {"dreamix.commands": {"gone": "dreamix.gone:gone"}}, {})
        told = tomllib.loads((root / "pyproject.toml").read_text())["project"]["entry-points"]
        for group, lines in told.items():
            found = {e.name: e.place for e in entries(group) if not e.package}
            assert found == lines and "gone" not in found
        assert len(told) == 9

    def test_a_pyproject_is_read_as_tomllib_reads_it(
        self, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ours is read by lines; whoever adds one may quote and remark as TOML lets him."""
        text = """
            [project]
            name = "dreamix-toolkit"
            [project.entry-points."dreamix.things"]  # of ours
            "a.b" = "one.two:three"   # a remark
            'c'\t= 'four'
            # d = "no"
            [project.entry-points.'dreamix.others']
            e = "five"
            [tool.other]
            f = "no"
        """
        (tmp_path / "pyproject.toml").write_text(textwrap.dedent(text))
        monkeypatch.setattr(packages, "CHECKOUT", tmp_path)
        told = tomllib.loads(textwrap.dedent(text))["project"]["entry-points"]
        for group in ("dreamix.things", "dreamix.others"):
            assert {e.name: e.place for e in entries(group)} == told[group]

    def test_without_a_checkout_ours_are_those_of_the_metadata(
        self, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(packages, "CHECKOUT", tmp_path)
        install(site, "dreamix_toolkit", {"dreamix.things": {"ours": "dreamix.ours"}}, {}, "9.9")
        assert entries("dreamix.things") == [EntryPoint("ours", "dreamix.ours")]

    def test_no_word_of_ours_anywhere_is_one_line(
        self, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(packages, "CHECKOUT", tmp_path)
        install(site, "dreamix-toolkit", {"console_scripts": {"dreamix": "dreamix.cli:main"}}, {})
        with pytest.raises(UserError, match="run `pip install -e "):
            entries("dreamix.things")

    def test_a_pyproject_of_something_else_is_not_ours(
        self, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(packages, "CHECKOUT", tmp_path)
        text = '[project]\nname = "app"\n[project.entry-points."dreamix.things"]\na = "b"\n'
        (tmp_path / "pyproject.toml").write_text(text)
        install(site, "dreamix-toolkit", {"dreamix.things": {"ours": "dreamix.ours"}}, {})
        assert entries("dreamix.things") == [EntryPoint("ours", "dreamix.ours")]

    def test_a_package_on_the_path_hides_its_namesake_behind_it(
        self, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install(site, "my-pack", {"dreamix.things": {"old": "old"}}, {})
        front = install(
            tmp_path / "front", "My_Pack", {"dreamix.things": {"new": "new"}}, {}, "2.0"
        )
        monkeypatch.syspath_prepend(front)
        assert [e.name for e in entries("dreamix.things")] == ["new"]

    @pytest.mark.parametrize(
        "text",
        ["", "dreamix.", "[dreamix.things\nx", "[dreamix.things]\n= a\n# b = c\n\0\xff", "a = b"],
    )
    def test_damaged_metadata_of_a_stranger_is_no_obstacle(self, site: Path, text: str) -> None:
        install(site, "odd", {}, {"odd-1.0.dist-info/entry_points.txt": text})
        (site / "broken-1.0.dist-info").mkdir()
        (site / "file-1.0.dist-info").write_text("no folder")
        (site / "~good-1.0.dist-info").mkdir()  # what pip leaves of a removal that failed
        (site / "~good-1.0.dist-info" / "entry_points.txt").write_text("[dreamix.things]\nz = z")
        install(site, "good", {"dreamix.things": {"a": "b"}}, {})
        assert [e.name for e in entries("dreamix.things")][-1:] == ["a"]

    def test_a_package_without_metadata_is_called_as_its_folder(self, site: Path) -> None:
        install(site, "good", {"dreamix.things": {"a": "b"}}, {})
        (site / "good-1.0.dist-info" / "METADATA").unlink()
        assert entries("dreamix.things")[0].package == Package("good", "1.0")

    def test_a_module_belongs_to_the_package_that_tells_of_it(self, site: Path) -> None:
        install(site, "one", {"dreamix.things": {"a": "shared.one.deep"}}, {})
        install(site, "two", {"dreamix.things": {"a": "shared.two"}}, {})
        assert str(package_of("shared.one.deep")) == "one 1.0"
        assert str(package_of("shared.two.inner.more")) == "two 1.0"
        assert package_of("dreamix.methods.sdedit") is None
        assert package_of("nobody") is None


class TestRegistry:
    def test_modules_and_packages_are_imported_in_the_order_of_their_packages(
        self, site: Path
    ) -> None:
        files = {"bee/__init__.py": "", "bee/x.py": thing("x"), "bee/y.py": thing("y")}
        files["bee/__main__.py"] = "raise SystemExit('it was run')"
        install(site, "zoo-b", {"dreamix.things": {"all": "bee"}}, files)
        install(site, "zoo-a", {"dreamix.things": {"a": "ant"}}, {"ant.py": thing("a")})
        table = things()
        assert table.names() == ["a", "x", "y"]
        assert (table.get("y"), str(table.brought_by("y"))) == ("bee.y", "zoo-b 1.0")
        assert noted() == []

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("raise SystemExit(3)", "SystemExit: 3"),
            ("def broken(:", "SyntaxError"),
            ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ],
    )
    def test_a_package_that_fails_is_one_line_and_leaves_nothing(
        self, site: Path, more: str, said: str
    ) -> None:
        install(site, "bad", {"dreamix.things": {"b": "bad"}}, {"bad.py": thing("b", more=more)})
        install(site, "good", {"dreamix.things": {"g": "good"}}, {"good.py": thing("g")})
        table = things()
        assert table.names() == ["g"]
        (line,) = noted()
        assert line.startswith("package bad 1.0 cannot be loaded: ") and said in line
        assert line.isprintable()

    def test_what_it_had_registered_elsewhere_goes_too(self, site: Path) -> None:
        other: Registry[str] = Registry("other", "", "dreamix.others")
        text = thing("b", more="the_registry.other.add('o', 1, __name__)\nimport no_such_module")
        groups = {"dreamix.things": {"b": "bad"}, "dreamix.others": {"b": "bad"}}
        install(site, "bad", groups, {"bad.py": text})
        table = things()
        table.other = other  # type: ignore[attr-defined]
        assert (table.names(), other.names()) == ([], [])
        assert len(noted()) == 1

    def test_what_it_imported_of_others_stays(self, site: Path) -> None:
        install(site, "bad", {"dreamix.things": {"b": "bad"}}, {"bad.py": "import good\n1 / 0"})
        install(site, "good", {"dreamix.things": {"g": "good"}}, {"good.py": thing("g")})
        assert things().names() == ["g"]

    def test_ours_keep_their_names(self, site: Path) -> None:
        text = thing("ours", "more")
        install(site, "thief", {"dreamix.things": {"t": "thief"}}, {"thief.py": text})
        table = things()
        table.add("ours", "here")
        assert (table.get("ours"), table.brought_by("ours")) == ("here", None)
        assert table.get("more") == "thief"
        said = "package thief 1.0: thing 'ours' is left out: the toolkit has one of that name"
        assert noted() == [said]

    def test_also_if_the_other_is_imported_first(self, site: Path) -> None:
        install(site, "thief", {"dreamix.things": {"t": "thief"}}, {"thief.py": thing("ours")})
        table = things()
        assert table.get("ours") == "thief"
        table.add("ours", "here")
        assert table.get("ours") == "here"
        assert "'ours' is left out" in noted()[0]

    @pytest.mark.parametrize("first", ["ant", "bee"])
    def test_of_two_packages_the_first_by_name_has_it_whoever_is_imported_first(
        self, site: Path, first: str
    ) -> None:
        for name in ("ant", "bee"):
            install(
                site, f"zoo-{name}", {"dreamix.things": {"t": name}}, {f"{name}.py": thing("t")}
            )
        table = things()
        __import__(first)
        assert table.get("t") == "ant"
        assert noted() == [
            "package zoo-bee 1.0: thing 't' is left out: package zoo-ant 1.0 has one of that name"
        ]

    def test_a_name_is_imported_when_it_is_asked_for(self, site: Path) -> None:
        files = {"a.py": "found = 3", "b.py": "raise OSError('no licence')"}
        install(site, "two", {"dreamix.named": {"a": "a:found", "b": "b", "c": "a:none"}}, files)
        table: NamedRegistry[int] = NamedRegistry("thing", "dreamix.named")
        assert table.names() == ["a", "b", "c"]
        assert "a" not in sys.modules
        assert table.get("a") == 3
        with pytest.raises(
            UserError, match=r"package two 1.0 cannot be loaded: OSError: no lic.* \(b\)"
        ):
            table.get("b")
        assert [*table.each()] == [3]
        assert len(noted()) == 2

    def test_what_fails_of_ours_is_a_defect(self) -> None:
        with pytest.raises(ModuleNotFoundError):
            load(EntryPoint("x", "dreamix.no_such_module"))


@pytest.mark.slow
def test_metrics_of_a_package_are_found_and_told_apart(site: Path, tmp_path: Path) -> None:
    """The version of the package is part of what a score means; ours stay what they were."""
    groups = {"dreamix.metrics": {"half": "half"}}
    install(site, "half-a", groups, {"half.py": metric_file("half")})
    newer = install(tmp_path / "b", "half-a", groups, {"half.py": metric_file("half")}, "1.1")
    code = (
        "from evaluation.metrics.base import METRICS, definition_id as d\n"
        "for name in ('half', 'flicker'):\n"
        "    print(METRICS.brought_by(name), d(METRICS.get(name), {}, 'auto'))"
    )
    old, new, none = (python(code, place).stdout.split("\n") for place in (site, newer, tmp_path))
    assert old[0].startswith("half-a 1.0 ") and new[0].startswith("half-a 1.1 ")
    assert old[0].split()[-1] != new[0].split()[-1]
    assert old[1] == new[1] and old[1].startswith("None ")
    assert none[0] == ""  # without the package there is no such metric


@pytest.mark.slow
def test_a_family_of_a_package_is_a_backend_by_its_names(site: Path) -> None:
    """Ours come first for pipelines that ours fit; its weights are looked for on this machine."""
    family = (
        "from dreamix.backends.names import Pretrained, Weights\n"
        "from dreamix.backends.unet3d import UNet3D\n"
        "class Acme(UNet3D):\n"
        "    pipelines = ('AcmePipeline',)\n"
        "    pretrained = {'acme-1b': Pretrained(Weights('acme/never-there'))}\n"
    )
    install(site, "acme", {"dreamix.backends": {"acme-1b": "acme:Acme"}}, {"acme.py": family})
    code = (
        "from dreamix.backends.base import open_backend\n"
        "from dreamix.backends.families import family_named\n"
        "from dreamix.backends.names import stages_of\n"
        "from dreamix.doctor.page import brought\n"
        "print(stages_of('acme-1b')[0].hub, family_named('AcmePipeline').__name__)\n"
        "print(brought()[-1])\n"
        "try: open_backend('acme-1b@64x64').identity\n"
        "except Exception as error: print(error)\n"
    )
    told, doctor, missing = python(code, site).stdout.splitlines()
    assert told == "acme/never-there Acme"
    assert doctor == "of other packages, without figures: acme-1b (acme 1.0)"
    assert missing.startswith("the weights of acme/never-there are not on this machine")
