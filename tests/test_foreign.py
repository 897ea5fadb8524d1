"""Run folders from a stranger: names, links, sizes and kinds of file that must not be obeyed.

Each case is a kind of `../shared/cases/safety.md` (F1, F2, F11); what is right is the rule of
archives, that no path leaves the folder (Zip Slip), and the house rule of one line that names the
file.
"""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fabricated_export import drawn, write_export
from fabricated_run import fabricate
from hostile_folders import Arena, refused_or_done

from dreamix.core.arrays import read_npz
from dreamix.core.errors import UserError
from dreamix.core.places import inside
from dreamix.core.records import only_writer, read_bytes, read_json
from dreamix.core.yaml_reading import parse_yaml
from evaluation.run.folder import RunFolder
from evaluation.run.info import MOST_SEEDS, read_run_info, seed_numbers
from evaluation.run.masks_kept import read_packed_mask, write_packed_mask
from evaluation.run.merging import merge_runs
from reports.build import build_report
from reports.loading import load_run
from reports.page.clips import make_copies
from reports.people.export import read_export
from reports.summary import IntervalSettings

Act = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate(tmp_path_factory.mktemp("base") / "run", ("va",), media=True)


@pytest.fixture
def arena(tmp_path: Path) -> Arena:
    return Arena(tmp_path)


@pytest.fixture
def run(base: Path, arena: Arena) -> Path:
    return arena.fresh(base, "run")


def placed(info: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Return run.json whose methods are brought in by a pattern that this configuration has."""
    for entry in info["methods"].values():
        entry |= {"config": config, "beside": {"pattern": "../outputs/*"}}
    return info


def change(path: Path, act: Act) -> None:
    held = json.loads(path.read_text())
    path.write_text(json.dumps(act(held) or held))


def merged(arena: Arena, run: Path) -> str:
    """Return in which line a merge is refused; nothing is written for that, here or elsewhere."""
    line = refused_or_done(lambda: merge_runs(arena.place / "out", [run]))
    assert line, "it was merged"
    arena.check("run")
    return line


def reported(arena: Arena, run: Path) -> str:
    line = refused_or_done(lambda: load_run(run))
    assert line, "it was read"
    arena.check("run")
    return line


def sidecar(run: Path) -> Path:
    return run / "clips" / "alpha" / "va_motion" / "0.json"


# ---- names (F1, F2) ------------------------------------------------------------------------------

OUT = "../../victims"


def relabelled(name: str) -> Act:
    return lambda info: {**info, "methods": {name: info["methods"]["alpha"]}}


@pytest.mark.parametrize(
    "name", [OUT, "/etc", "..", "", ".hidden", "a\\b", "a\0b", "x" * 300, "a\nb"]
)
def test_a_label_is_no_path(arena: Arena, run: Path, name: str) -> None:
    change(run / "run.json", relabelled(name))
    for line in (merged(arena, run), reported(arena, run)):
        assert "run.json: methods" in line and "cannot name a file" in line


@pytest.mark.parametrize("name", ["0/../../../stray", "../x", "/x", "CON/..", "a\nb"])
def test_a_metric_is_no_path(arena: Arena, run: Path, name: str) -> None:
    facts = json.loads((run / "run.json").read_text())["metrics"]["lpips"]
    change(run / "run.json", lambda info: {**info, "metrics": {name: {**facts, "name": name}}})
    assert "cannot name a file" in reported(arena, run)


@pytest.mark.parametrize("name", [".x", "../victims", "/x", "a b", "x" * 101, "con"])
@pytest.mark.parametrize("what", ["edit", "video"])
def test_an_id_of_the_suite_is_no_path(arena: Arena, run: Path, name: str, what: str) -> None:
    def act(suite: dict[str, Any]) -> None:
        suite["edits"][0]["id" if what == "edit" else "video"] = name
        if what == "video":
            suite["videos"][0]["id"] = name

    change(run / "suite.json", act)
    for line in (merged(arena, run), reported(arena, run)):
        assert "suite.json" in line and "unsafe" in line


FILES = [f"{OUT}/mine.txt", "/etc/passwd", "1.mp4", "0.json", "0.JSON", "", "..", "0.mp4/x", "x\0"]


@pytest.mark.parametrize("name", FILES)
def test_the_file_of_a_clip_is_the_one_beside_it(arena: Arena, run: Path, name: str) -> None:
    """1.mp4 is the clip of another seed, 0.json the sidecar itself."""
    change(sidecar(run), lambda row: row | {"file": name})
    assert "0.json: file is" in merged(arena, run)
    assert "0.json: file is" in reported(arena, run)


@pytest.mark.parametrize("name", [*FILES[:2], "vb.mp4", "va.json", ".va.mp4"])
def test_the_file_of_a_source_is_its_own(arena: Arena, run: Path, name: str) -> None:
    change(run / "sources" / "va.json", lambda kept: kept | {"file": name})
    assert "va.json: file is" in merged(arena, run)


def test_a_sidecar_of_another_cell_is_refused(arena: Arena, run: Path) -> None:
    change(sidecar(run), lambda row: row | {"edit": "va_style"})
    assert "not of the clip it is beside" in merged(arena, run)


def test_a_damaged_clip_is_found_before_anything_is_written(arena: Arena, run: Path) -> None:
    change(sidecar(run), lambda row: row | {"size": 4, "sha256": "0" * 64})
    sidecar(run).with_suffix(".mp4").write_bytes(b"else")
    assert "is not what its sidecar says" in merged(arena, run)
    assert not (arena.place / "out").exists()


# ---- links and kinds of file ---------------------------------------------------------------------

PLACES = {
    "run.json": "run.json",
    "suite.json": "suite.json",
    "sidecar": "clips/alpha/va_motion/0.json",
    "clip": "clips/alpha/va_motion/0.mp4",
    "method": "clips/alpha",
    "clips": "clips",
    "source": "sources/va.mp4",
    "source's sidecar": "sources/va.json",
    "sources": "sources",
    "masks": "sources/masks",
    "mask": "sources/masks/va.npz",
    "features": "features",
    "finetuned": "finetuned",
    "weights": "finetuned/x.safetensors",
    "scores": "scores.jsonl",
}


@pytest.mark.parametrize("what", PLACES)
def test_a_link_does_not_lead_out(arena: Arena, run: Path, what: str) -> None:
    """The same file or folder at the other end of the link is not taken either."""
    place, moved = run / PLACES[what], arena.place / "moved"
    place.parent.mkdir(exist_ok=True, parents=True)
    place.rename(moved) if place.exists() else moved.mkdir()
    place.symlink_to(moved)
    assert "leads out of" in (refused_or_done(lambda: merge_runs(arena.place / "out", [run])) or "")
    assert not (arena.place / "out").exists()


def test_links_within_a_folder_and_to_a_folder_are_followed(arena: Arena, run: Path) -> None:
    clips = run / "clips"
    clips.rename(run / "elsewhere")
    clips.symlink_to("elsewhere")
    (arena.place / "link").symlink_to(run)
    assert load_run(arena.place / "link").clips
    assert inside(run, "clips", "alpha").is_dir()


@pytest.mark.parametrize("what", ["run.json", "suite.json", "sidecar", "clip", "source", "scores"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_nothing_but_a_file_is_waited_for(arena: Arena, run: Path, what: str, kind: str) -> None:
    place = run / PLACES[what]
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("/dev/zero")
    read = (lambda: merge_runs(arena.place / "out", [run])) if what != "scores" else None
    refused_or_done(read or (lambda: load_run(run)))  # within its time
    refused_or_done(lambda: make_copies(load_run(run), arena.place / "page" / "media"))
    arena.check("run", "out", "page")


@pytest.mark.parametrize("name", ["clips", "clips/alpha", "clips/alpha/va_motion", "sources"])
def test_a_file_in_the_place_of_a_folder_is_one_line(arena: Arena, run: Path, name: str) -> None:
    """`exists` looks past it, `stat` does not: found by the fuzz."""
    shutil.rmtree(run / name)
    (run / name).write_text("no folder")
    refused_or_done(lambda: make_copies(load_run(run), arena.place / "page" / "media"))
    refused_or_done(lambda: merge_runs(arena.place / "out", [run]))
    arena.check("run", "out", "page")


def test_a_lock_is_not_a_way_out(arena: Arena) -> None:
    folder = arena.place / "run"
    folder.mkdir()
    (folder / ".lock").symlink_to(arena.victims / "mine.txt")
    with pytest.raises(UserError, match="cannot write"), only_writer(folder):
        pass
    arena.check("run")


@pytest.mark.parametrize("name", ["media", "tables", "figures", "methods"])
def test_a_report_replaces_nothing_behind_a_link(arena: Arena, run: Path, name: str) -> None:
    """Clips that a report does not show are removed from its media: not from a folder of films."""
    out = run / "report"
    out.mkdir()
    (out / name).symlink_to(arena.victims / "deep")
    assert refused_or_done(lambda: build_report(run, out, IntervalSettings(resamples=10)))
    arena.check("run")


# ---- shape and size (F11) ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "act", "field"),
    [
        ("sidecar", lambda row: row | {"zzz": 1}, "0.json: zzz is unknown"),
        ("sidecar", lambda row: [1], "0.json: should be an object"),
        ("sidecar", lambda row: row | {"seconds": "2"}, "0.json: seconds"),
        ("sidecar", lambda row: row | {"seed": True}, "0.json: seed"),
        ("sidecar", lambda row: row | {"sha256": "../x"}, "0.json: sha256"),
        ("sidecar", lambda row: row | {"facts": {"finetune_seconds": "a"}}, "finetune_seconds"),
        ("run.json", lambda info: info | {"methods": [1]}, "run.json: methods"),
        ("run.json", lambda info: [1], "run.json: should be an object"),
        (
            "run.json",
            lambda info: {k: info[k] for k in info if k != "methods"},
            "methods is missing",
        ),
        ("run.json", lambda info: info | {"format": 9}, "has run format 9"),
        ("run.json", lambda info: info | {"edits": info["edits"] * 2}, "edits holds one twice"),
        ("run.json", lambda info: info | {"edits": ["va_none"]}, "va_none of run.json is not in"),
        ("run.json", lambda info: info | {"least_share": 2}, "run.json: least_share"),
        ("run.json", lambda info: placed(info, {}), ".beside has 'pattern', which is no place"),
        ("run.json", lambda info: placed(info, {"pattern": 1}), ".beside has 'pattern', which is"),
        ("suite.json", lambda suite: suite | {"edits": suite["edits"][:1] * 2}, "stands twice"),
        (
            "suite.json",
            lambda suite: suite | {"name": "other"} | {"videos": []},
            "which is no video",
        ),
        ("suite.json", lambda suite: suite | {"version": [1]}, "suite.json: version"),
    ],
)
def test_damage_is_one_line_with_file_and_field(
    arena: Arena, run: Path, file: str, act: Act, field: str
) -> None:
    change(run / PLACES[file], act)
    for line in (merged(arena, run), reported(arena, run)):
        assert field in line


def test_an_altered_prompt_is_refused_by_report_and_merge_alike(arena: Arena, run: Path) -> None:
    change(run / "suite.json", lambda suite: suite["edits"][0].update(prompt="other"))
    assert "altered" in merged(arena, run) and "altered" in reported(arena, run)


@pytest.mark.parametrize("seeds", [-1, 0, True, 10**7, 1.0, "1", [], [0, 0], [None], [2**63], {}])
def test_seeds_that_cannot_be_are_refused(arena: Arena, run: Path, seeds: Any) -> None:
    change(run / "run.json", lambda info: info["methods"]["alpha"].update(seeds=seeds))
    assert "methods.alpha.seeds" in merged(arena, run)


def test_seeds_are_any_integers_or_how_many(run: Path) -> None:
    assert seed_numbers(3) == (0, 1, 2) and len(seed_numbers(MOST_SEEDS)) == MOST_SEEDS
    change(run / "run.json", lambda info: info["methods"]["alpha"].update(seeds=[-5, 7, 2**40]))
    info = read_run_info(run)
    assert info.methods["alpha"].seeds == (-5, 7, 2**40)
    assert json.loads(json.dumps(info.to_dict()))["methods"]["alpha"]["seeds"] == [-5, 7, 2**40]
    seeds = [cell.seed for cell in RunFolder(run).cells() if cell.method == "alpha"]
    assert sorted(set(seeds)) == [-5, 7, 2**40]


@pytest.mark.slow
def test_a_grid_without_end_is_refused(arena: Arena, run: Path) -> None:
    """2,000 methods of 1,000 seeds on 3 edits would be 6 million clips."""
    method = json.loads((run / "run.json").read_text())["methods"]["alpha"] | {"seeds": 1000}
    change(run / "run.json", lambda i: i | {"methods": {f"m{n}": method for n in range(2000)}})
    assert "asks for 6000000 clips" in reported(arena, run)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b"[" * 70 + b"]" * 70, "nested more than 64"),
        (b"9" * 5000, "4300 digits"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": 1e400}', "too large a number"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'"\\ud800"', "surrogates"),
        ("{}".encode("utf-16"), "utf-8"),
        (b"", "Expecting value"),
    ],
)
def test_json_with_two_meanings_or_no_end_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(UserError, match=why):
        read_json(tmp_path / "a.json")


def test_a_mark_of_windows_editors_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}')
    assert read_json(tmp_path / "a.json") == {"a": "\N{GRINNING FACE}"}


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room
    with pytest.raises(UserError, match="larger than 64 MB"):
        read_bytes(tmp_path / "a.json")


def bomb(name: str, shape: tuple[int, ...], data: bytes, dtype: str = "|u1") -> bytes:
    """Return a .npz with one array that says of itself what it likes."""
    header = io.BytesIO()
    about = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", header.getvalue() + data)
    return held.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        bomb("bits", (1 << 40,), b""),
        bomb("bits", (1 << 28,), bytes(1 << 20)),
        bomb("bits", (-1,), b""),
        bomb("bits", (1,), b"\x80\x04N.", "|O"),
        b"PK\3\4 no zip",
        b"",
    ],
)
def test_arrays_are_numbers_of_a_size(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(UserError, match="cannot be read"):
        read_npz(tmp_path / "a.npz")


def test_masks_are_read_as_written_and_nothing_else_is(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((3, 5, 7)) > 0.5
    write_packed_mask(tmp_path / "a.npz", mask)
    assert (read_packed_mask(tmp_path / "a.npz") == mask).all()
    np.savez(tmp_path / "b.npz", bits=np.zeros(3, np.uint8), shape=(1 << 20, 1 << 20, 1 << 20))
    with pytest.raises(UserError, match="is no mask"):
        read_packed_mask(tmp_path / "b.npz")


def test_a_few_lines_of_yaml_do_not_unfold_to_gigabytes() -> None:
    """Nine levels of nine aliases are 9^9 values ("billion laughs")."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    for text in ("\n".join(lines), "a: &a [*a]", "[" * 100_000, "a: 1\na: 2", "1" * 5000):
        with pytest.raises(UserError):
            parse_yaml(text, "study.yaml")
    shared = "a: &a {b: 1}\nc: {<<: *a, d: 2}\n"
    assert parse_yaml(shared, "study.yaml") == {"a": {"b": 1}, "c": {"b": 1, "d": 2}}


def test_text_of_an_export_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    """A flipped bit in a Parquet file leaves a letter that is no UTF-8: found by the fuzz."""
    path = write_export(tmp_path, drawn((0.5, 0.0)), raters=3, sources=2) / "plan.parquet"
    table = pq.read_table(path).to_pydict()
    broken = pa.array([b"\xf2" for _ in table["video"]]).view(pa.string())
    kept = {name: pa.array(held) for name, held in table.items()}
    pq.write_table(pa.table(kept | {"video": broken}), path)
    with pytest.raises(UserError, match=r"plan.parquet cannot be read.*UTF-?8"):
        read_export(tmp_path)
