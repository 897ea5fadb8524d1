"""Suites of other benchmarks: imported whole or not at all, and exported again."""

import csv
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from benchmark_files import SAMPLES
from console import Program, program
from small_suites import put_clip, put_frames

from dreamix.core.errors import Mistakes, UserError
from dreamix.data.suite import Suite, load_suite
from dreamix.data.suite_check import check_suite
from dreamix.suite_formats.base import FORMATS
from dreamix.suite_formats.draft import At, EditDraft, shuffled
from dreamix.suite_formats.importing import ImportChoices, ImportedSuite, import_suite
from dreamix.suite_formats.outputs import method_folders, outputs_of, write_outputs
from dreamix.suite_formats.writing import written
from evaluation.run.folder import RunFolder

FPS = 8.0


def imported(
    name: str,
    path: Path,
    out: Path,
    methods: dict[str, Path] | None = None,
    *,
    partial: bool = False,
    **told: object,
) -> ImportedSuite:
    """The suite of a file, with the outputs of methods in the benchmark's layout."""
    wanted = ImportChoices(fps=FPS if SAMPLES[name].frames else None, **told)  # type: ignore[arg-type]
    kind, found = FORMATS.get(name), methods or {}
    return import_suite(
        kind,
        path,
        out,
        wanted,
        lambda rows: outputs_of(rows, found, partial=partial),
    )


def test_every_format_has_a_sample_here() -> None:
    assert set(SAMPLES) == set(FORMATS.names())


# By hand from the samples: id, prompt, instruction, caption, category, tags, origin's category.
EXPECTED = {
    "ivebench": (
        "7", "A blue kite over a beach.", "Make the kite blue.", "A red kite over a beach.",
        "subject-editing", ("colour", "color-change"), "subject editing / color change",
    ),
    "editversebench": (
        "0", "A gondola on a canal.", "Turn the rowing boat into a gondola.",
        "A rowing boat on a canal.", "object-change", (), "object change",
    ),
    "openve-bench": (
        "0003_local_add_put_a", None, "Put a lamp on the desk, by the book.", None,
        "object", ("addition",), "local_add",
    ),
    "five": (
        "0042_kite/edit3_FiVE/0", "A blue kite", None, "A red kite", "appearance", ("colour",),
        "color alteration",
    ),
    "covebench": (
        "900", "A blue kite.", "Make the kite blue.", "A red kite.", "covebench-subject",
        ("subject-attribute-modification", "color-change"), "Subject",
    ),
    "v2vbench": (
        "kite-surf/0", "A blue kite over a beach, watercolour", None, None, "unstated", (), None,
    ),
    "tgve": (
        "DAVIS_480p/kite-surf/style", "A man surfs, watercolour style.", None,
        "A man surfs.", "style", (), "Style Change Caption",
    ),
    "csv": (
        "gold", None, "Make it gold.", None, "appearance", ("colour", "material"), "appearance",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_an_imported_suite_holds_what_the_files_say(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    suite = imported(name, sample.write(tmp_path / "bench"), tmp_path / "out").suite
    assert check_suite(tmp_path / "out", suite.media_root) == []
    first, video = suite.edits[0], suite.videos[suite.edits[0].video]
    origin = first.origin or {}
    found = (origin["id"], first.prompt, first.instruction, video.caption, first.category)
    assert (*found, first.tags, origin.get("category")) == EXPECTED[name]
    assert len(suite.edits) == len(sample.outputs)
    assert origin["file"] == Path(sample.file).name
    assert suite.licence == (FORMATS.get(name).licence or "not stated")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_damaged_file_is_refused_with_every_mistake_on_its_line(
    name: str, tmp_path: Path
) -> None:
    sample = SAMPLES[name]
    assert len(sample.damages) >= 5
    for number, (old, new, told) in enumerate(sample.damages):
        assert old in sample.text, (name, old)
        path = sample.write(tmp_path / f"{number}", sample.text.replace(old, new))
        out = tmp_path / f"out{number}"
        with pytest.raises(UserError) as refused:
            imported(name, path, out)
        assert not out.exists(), "nothing is written"
        problems = refused.value.problems if isinstance(refused.value, Mistakes) else []
        lines = {problem.line: problem.message for problem in problems} or {0: str(refused.value)}
        assert lines.keys() == told.keys(), (name, old, refused.value.lines)
        for line, words in told.items():
            assert words in lines[line], (name, old)


# By hand: the table of an export is what was imported, but for what a format has no field for.
WRITTEN = ("covebench", "ivebench", "editversebench", "openve-bench", "v2vbench", "tgve", "csv")


def asked(suite: Suite) -> list[tuple[object, ...]]:
    """What a suite asks, whatever its ids and origins."""
    return [
        (
            *(e.prompt, e.instruction, e.category, e.to_phrase, e.questions, e.references),
            suite.videos[e.video].caption,
        )
        for e in suite.edits
    ]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_suite_that_is_exported_and_imported_again_asks_the_same(
    name: str, tmp_path: Path
) -> None:
    sample = SAMPLES[name]
    path = sample.write(tmp_path / "bench")
    before = imported(name, path, tmp_path / "out").suite
    write = FORMATS.get(name).write
    assert write is not None
    path.write_text(write(before))
    again = imported(name, path, tmp_path / "again").suite
    assert asked(again) == asked(before)
    assert [edit.id for edit in again.edits] == [edit.id for edit in before.edits]


def test_an_exported_table_has_no_formula_and_says_the_same(tmp_path: Path) -> None:
    """OWASP's beginnings of formulas, at the start of a cell and after what may separate cells."""
    path, prompt = SAMPLES["csv"].write(tmp_path / "bench"), '=HYPERLINK("x"), more;@now'
    rows = [*csv.DictReader(path.read_text().splitlines())]
    path.write_text(f'video,prompt\n{rows[0]["video"]},"{prompt.replace(chr(34), chr(34) * 2)}"\n')
    before = imported("csv", path, tmp_path / "out").suite
    assert [edit.prompt for edit in before.edits] == [prompt]
    write = FORMATS.get("csv").write
    assert write is not None
    path.write_text(table := write(before))
    assert '"\'=HYPERLINK(""x""), more;\'@now"' in table
    assert asked(imported("csv", path, tmp_path / "again").suite) == asked(before)


def test_a_suite_that_does_not_fit_a_format_is_one_line(tmp_path: Path) -> None:
    csv_suite = imported("csv", SAMPLES["csv"].write(tmp_path / "b"), tmp_path / "out").suite
    for name, words in (
        ("ivebench", "has no caption"),
        ("editversebench", "edit duck_ef9acab2 has no instruction"),
        ("tgve", "is in none of the folders"),
    ):
        write = FORMATS.get(name).write
        assert write is not None
        with pytest.raises(UserError, match=words):
            write(csv_suite)
    toybox = load_suite(Path("toybox-quick"))
    openve = FORMATS.get("openve-bench").write
    assert openve is not None
    with pytest.raises(UserError, match="has no file as its source"):
        openve(toybox)


@pytest.mark.parametrize("name", ["editversebench", "covebench", "ivebench"])
def test_no_edit_is_lost_where_ids_of_several_origins_meet(name: str, tmp_path: Path) -> None:
    """The second and third are called 2, as the number of the third edit from 0 is."""
    clips = "".join(f"{k}.mp4,p{k},i{k},c,{key}\n" for k, key in enumerate("a2bc"))
    for k in range(4):
        put_clip(tmp_path / f"{k}.mp4", k)
    (tmp_path / "r.csv").write_text(f"video,prompt,instruction,caption,id\n{clips}")
    suite = imported("csv", tmp_path / "r.csv", tmp_path / "out").suite
    ids = {"a": None, "2": "2", "b": "2", "c": None}
    edits = [replace(one, origin={"id": ids[one.id]} if ids[one.id] else None)
             for one in suite.edits]  # fmt: skip
    text = written(FORMATS.get(name), replace(suite, edits=tuple(edits)))
    (tmp_path / "x.json").write_text(text)
    again = imported(name, tmp_path / "x.json", tmp_path / "again").suite
    assert [edit.prompt for edit in again.edits] == ["p0", "p1", "p2", "p3"]
    assert [edit.id for edit in again.edits] == ["0", "2", "1", "3"]


def test_two_edits_of_one_source_do_not_fit_openve_bench(tmp_path: Path) -> None:
    suite = of_table(tmp_path, "video,instruction,id\na.mp4,x,one\na.mp4,y,two\n").suite
    with pytest.raises(UserError, match="edits one and two are of one source, a"):
        written(FORMATS.get("openve-bench"), suite)


def test_all_edits_that_do_not_fit_a_format_are_named_at_once(tmp_path: Path) -> None:
    suite = imported("openve-bench", SAMPLES["openve-bench"].write(tmp_path), tmp_path / "o").suite
    with pytest.raises(UserError) as refused:
        written(FORMATS.get("ivebench"), suite)
    assert str(refused.value) == "; ".join(
        f"edit {edit.id} has no caption, which the format needs" for edit in suite.edits
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_outputs_in_the_layout_of_a_benchmark_are_found(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    folders = {
        name: sample.write_outputs(tmp_path / name, seed)
        for name, seed in (("mine", 50), ("other", 70))
    }
    out = tmp_path / "out"
    made = imported(name, sample.write(tmp_path / "bench"), out, folders)
    with write_outputs(out, made.outputs).open() as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == 2 * len(sample.outputs)
    for edit, place in zip(made.suite.edits, sample.outputs, strict=True):
        (found,) = [r for r in rows if (r["method"], r["edit"]) == ("mine", edit.id)]
        assert (out / found["path"]).resolve() == (folders["mine"] / place).resolve()


def test_an_output_that_is_missing_or_there_twice_is_refused_with_its_row(tmp_path: Path) -> None:
    sample = SAMPLES["openve-bench"]
    path, folder = sample.write(tmp_path / "bench"), sample.write_outputs(tmp_path / "mine")
    (folder / sample.outputs[0]).rename(folder / "elsewhere.mp4")
    second = sample.outputs[1]
    (folder / second.replace(".mp4", ".webm")).write_bytes((folder / second).read_bytes())

    mine = {"mine": folder}
    with pytest.raises(Mistakes) as refused:
        imported("openve-bench", path, tmp_path / "out", mine)
    lines = {problem.line: problem.message for problem in refused.value.problems}
    assert "mine has no output for 0003_local_add_put_a" in lines[2]
    assert "mine has two outputs for 0004_subtitle_edit_add" in lines[3]
    (folder / second).unlink()
    made = imported("openve-bench", path, tmp_path / "out", mine, partial=True)
    assert [edit for _, edit, _ in made.outputs] == ["0004_subtitle_edit_add"]


def test_two_edits_of_one_source_have_one_output_in_ivebench(tmp_path: Path) -> None:
    sample = SAMPLES["ivebench"]
    path = sample.write(tmp_path / "b", sample.text.replace("0008.mp4", "0007.mp4"))
    folder = sample.write_outputs(tmp_path / "mine")
    imported("ivebench", path, tmp_path / "without")
    with pytest.raises(Mistakes, match="outputs for 8 and 7 would both be called 0007"):
        imported("ivebench", path, tmp_path / "with", {"mine": folder})


def of_table(folder: Path, text: str, *, clip: str = "a.mp4") -> ImportedSuite:
    """The suite of a table with one clip."""
    put_clip(folder / clip) if "." in clip else put_frames(folder / clip)
    (folder / "r.csv").write_text(text, encoding="utf-8")
    return import_suite(
        FORMATS.get("csv"), folder / "r.csv", folder / "out", ImportChoices(fps=FPS)
    )


def test_words_of_other_scripts_stay_apart(tmp_path: Path) -> None:
    """Style and background in Chinese are two categories, large and small letters one."""
    head = "video,instruction,category,tags\n"
    words = (("风格", "动作"), ("背景", "动作 颜色"), ("Größe", ""), ("GRÖSSE", ""), ("k" * 51, ""))
    rows = "".join(f"a.mp4,{n},{one},{tags}\n" for n, (one, tags) in enumerate(words))
    suite = of_table(tmp_path, f"{head}{rows}a.mp4,9,{'k' * 52},\n").suite
    first, second, *sized, long, longer = (edit.category for edit in suite.edits)
    assert len({first, second, sized[0], long, longer}) == 5 and sized[0] == sized[1]
    assert (suite.categories[first], suite.categories[second]) == ("风格", "背景")
    assert suite.edits[1].tags[:1] == suite.edits[0].tags and len(suite.edits[1].tags) == 2


def test_lines_in_mistakes_are_those_of_the_users_file(tmp_path: Path) -> None:
    text = "video,instruction,id\na.mp4,gold,Dup\n\na.mp4,blue,dup\na.mp4,gold,c\n"
    with pytest.raises(Mistakes) as refused:
        of_table(tmp_path, text)
    lines = {problem.line: problem.message for problem in refused.value.problems}
    assert "differs only by case from 'Dup' (line 2)" in lines[4]
    assert "the same video and instruction as on line 2" in lines[5]


@pytest.mark.parametrize("forms", [("Ent\u00e9", "Ente\u0301"), ("Ente\u0301", "Ent\u00e9")])
def test_clips_and_outputs_are_found_in_either_unicode_form(
    tmp_path: Path, forms: tuple[str, str]
) -> None:
    """A Mac keeps accents as signs of their own; a table typed elsewhere does not."""
    there, told = forms
    made = of_table(tmp_path, f"video,prompt\n{told}.mp4,x\n", clip=f"{there}.mp4")
    assert [video.path for video in made.suite.videos.values()] == [f"{there}.mp4"]
    put_clip(tmp_path / "mine" / f"{there}.mp4")
    asked = EditDraft("e", "c", output=told)
    found = outputs_of({"e": (At(tmp_path, 1), asked)}, {"m": tmp_path / "mine"}, partial=False)
    assert found == [("m", "e", str(tmp_path / "mine" / f"{there}.mp4"))]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"commit": "x\x1b[31m"}, r"--commit 'x\\x1b\[31m': write one line of text"),
        ({"licence": "a\nb"}, "--licence 'a"),
        ({"media_root": Path("nowhere")}, "--media-root nowhere: there is no such folder"),
    ],
)
def test_a_wrong_option_is_no_mistake_of_the_file(
    tmp_path: Path, told: dict[str, object], says: str
) -> None:
    put_clip(tmp_path / "a.mp4")
    (tmp_path / "r.csv").write_text("video,prompt\na.mp4,x\n")
    with pytest.raises(UserError, match=says):
        imported("csv", tmp_path / "r.csv", tmp_path / "out", **told)


@pytest.mark.parametrize(
    ("names", "says"),
    [(("a/b",), "'a/b': it holds /"), (("Mine", "mine"), "Mine and mine differ only by case")],
)
def test_methods_of_outputs_have_names_that_a_run_can_have(
    tmp_path: Path, names: tuple[str, ...], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        method_folders([f"{name}={tmp_path}" for name in names])


def test_one_clip_has_one_frame_rate(tmp_path: Path) -> None:
    with pytest.raises(Mistakes, match=r"r\.csv:3: fps 9 here and 8 in a row before: a has one"):
        of_table(tmp_path, "video,prompt,fps\na,x,8\na,y,9\n", clip="a")


def test_a_name_of_any_length_has_an_id(tmp_path: Path) -> None:
    """V2VBench's ids are names and places with a hash, 100 letters at most."""
    name = "k" * 95
    put_frames(tmp_path / "frames" / name)
    path = tmp_path / "config.yaml"
    path.write_text(SAMPLES["v2vbench"].text.replace("kite-surf", name))
    ids = [edit.id for edit in imported("v2vbench", path, tmp_path / "out").suite.edits]
    assert len({*ids}) == 2 and all(len(one) <= 100 for one in ids)


def test_an_edit_put_in_before_others_is_noticed_at_the_next_import(tmp_path: Path) -> None:
    sample, out = SAMPLES["v2vbench"], tmp_path / "out"
    path = sample.write(tmp_path / "b")
    before = imported("v2vbench", path, out).suite
    assert imported("v2vbench", path, out).suite == before
    path.write_text(
        sample.text.replace("      - prompt: A blue", "      - prompt: A\n      - prompt: A blue")
    )
    with pytest.raises(Mistakes) as refused:
        imported("v2vbench", path, out)
    lines = {problem.line: problem.message for problem in refused.value.problems}
    assert [*lines] == [4, 5]
    assert "kite-surf/0 asked for something else" in lines[4]
    assert load_suite(out, before.media_root) == before


def test_frames_need_a_rate_that_the_user_tells(tmp_path: Path) -> None:
    path = SAMPLES["v2vbench"].write(tmp_path / "b")
    with pytest.raises(Mistakes, match="--fps is needed: frames/kite-surf states no frame rate"):
        import_suite(FORMATS.get("v2vbench"), path, tmp_path / "out", ImportChoices())


def test_right_answers_stand_in_no_fixed_place(tmp_path: Path) -> None:
    """In the files the right option is nearly always the last one."""
    places = [shuffled(("red", "blue"), str(task), "Q1").index("blue") for task in range(200)]
    assert 70 < sum(places) < 130
    assert shuffled(("red", "blue"), "7", "Q1") == shuffled(("blue", "red"), "7", "Q1")


def test_clips_are_copied_where_the_terms_allow_it_alone(tmp_path: Path) -> None:
    free, held = SAMPLES["ivebench"], SAMPLES["openve-bench"]
    out = tmp_path / "out"
    suite = imported("ivebench", free.write(tmp_path / "a"), out, copy=True).suite
    assert suite.media_root == out.resolve() and (out / "0007.mp4").is_file()
    with pytest.raises(UserError, match="the terms of OpenVE-Bench allow no copies"):
        imported("openve-bench", held.write(tmp_path / "b"), tmp_path / "no", copy=True)
    with pytest.raises(UserError, match="OpenVE-Bench states its terms"):
        imported("openve-bench", tmp_path / "b" / held.file, tmp_path / "no", licence="CC0")


@pytest.fixture
def suite_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    return program(monkeypatch, capsys)


def test_a_folder_of_clips_and_a_spreadsheet_make_a_suite(
    suite_command: Program, tmp_path: Path
) -> None:
    sample = SAMPLES["csv"]
    sample.write(tmp_path)
    (tmp_path / "requests.csv").unlink()
    odd = put_clip(tmp_path / "two\nlines.mp4")
    code, _, err = suite_command("suite", "init", tmp_path)
    assert code == 2 and "no suite can name, 'two\\nlines.mp4': rename them" in err
    odd.unlink()
    code, said, _ = suite_command("suite", "init", tmp_path)
    assert code == 0 and "requests.csv: 1 clip; fill it in" in said
    assert (tmp_path / "requests.csv").read_bytes().startswith(b"\xef\xbb\xbfvideo,"), "Excel"
    empty = (tmp_path / "requests.csv").read_text("utf-8-sig").splitlines()
    assert empty[1].startswith("clips/duck.mp4,")
    code, _, err = suite_command("suite", "init", tmp_path)
    assert code == 2 and "needs `prompt` or `instruction`" in err
    filled = empty[1].replace("clips/duck.mp4,,", "clips/duck.mp4,A duck on the moon.,")
    (tmp_path / "requests.csv").write_text(f"{empty[0]}\n{filled}\n")
    code, said, _ = suite_command("suite", "init", tmp_path, "--licence", "CC0")
    assert code == 0 and "1 video, 1 edit" in said
    suite = load_suite(tmp_path)
    assert (suite.licence, suite.edits[0].prompt) == ("CC0", "A duck on the moon.")
    by_hand = (tmp_path / "suite.yaml").read_text().replace("  format: csv\n", "")
    (tmp_path / "suite.yaml").write_text(by_hand)
    code, _, err = suite_command("suite", "init", tmp_path)
    assert code == 2 and "was not made of CSV: use another folder" in err
    assert (tmp_path / "suite.yaml").read_text() == by_hand


def test_the_command_line_imports_lists_and_exports(suite_command: Program, tmp_path: Path) -> None:
    sample = SAMPLES["openve-bench"]
    path, out = sample.write(tmp_path / "b"), tmp_path / "out"
    sample.write_outputs(tmp_path / "o" / "mine")
    code, said, err = suite_command(
        "suite", "import", "openve-bench", path, "--out", out, "--commit", "223572d",
        "--outputs", tmp_path / "o" / "*",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "2 videos, 2 edits" in said and "--media-root" in said and "outputs.csv" in said
    assert load_suite(out, tmp_path / "b").origin["commit"] == "223572d"
    code, said, _ = suite_command("suite", "export", "csv", out, "--out", tmp_path / "x.csv")
    assert code == 0 and (tmp_path / "x.csv").read_text().count("\n") == 3
    assert "note: 2 edits have `tags`" not in said, "CSV has a place for them"
    code, said, _ = suite_command(
        "suite", "export", "openve-bench", out, "--out", tmp_path / "y.csv"
    )
    assert code == 0 and "note: 2 edits have `tags`, which OpenVE-Bench has no place for" in said
    code, _, err = suite_command("suite", "export", "five", out, "--out", tmp_path / "x.json")
    assert code == 2 and "FiVE cannot be written; these can: covebench, csv" in err
    code, said, _ = suite_command("suite", "formats")
    assert code == 0 and all(name in said for name in SAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLES)
def test_an_imported_suite_runs_through_compare_to_a_page(
    name: str, suite_command: Program, tmp_path: Path
) -> None:
    sample = SAMPLES[name]
    sample.write_outputs(tmp_path / "outputs" / "mine")
    path, out, run = sample.write(tmp_path / "bench"), tmp_path / "out", tmp_path / "run"
    fps = ["--fps", FPS] if sample.frames else []
    given = ["--out", out, "--outputs", tmp_path / "outputs" / "*", *fps]
    code, said, err = suite_command("suite", "import", name, path, *given)
    assert (code, err) == (0, "")
    command = shlex.split(said.rpartition("next: dreamix ")[2])
    command[command.index("runs/mine")] = str(run)
    metrics = ["--metrics", "psnr,flicker", "--workers", "1"]
    code, said, err = suite_command(*command, *metrics)
    assert code == 0, err
    folder = RunFolder(run)
    rows = [folder.clip_row(cell) for cell in folder.cells()]
    assert [row.status if row else "" for row in rows] == ["ok"] * 2 * len(sample.outputs)
    page = (run / "report" / "index.html").read_text()
    begun = [re.split(r"[<\"]", edit.request)[0] for edit in folder.suite.edits]
    assert all(words in page for words in begun), "what stands before signs that JSON escapes"
