"""Outputs brought in as people have them: nothing is taken for another, nothing dropped unsaid.

What is expected is written out by hand: which file is whose follows from how each folder is made.
"""

import itertools
import os
from pathlib import Path

import pytest
from small_suites import (
    bring,
    clip_bytes,
    columns_of,
    put_clip,
    put_frames,
    seeds_brought,
    small_suite,
)

from dreamix.core.errors import UserError
from dreamix.data.suite import Suite
from dreamix.methods.base import variants
from evaluation.options import method_specs, odd_seeds
from evaluation.run.runner import tally

EDITS = ("duck_00", "duck_01")


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A suite with two edits; relative paths start at its folder."""
    monkeypatch.chdir(tmp_path)
    return small_suite(tmp_path, EDITS)


def labels(suite: Suite, *specs: str) -> list[str]:
    return [column.label for column in columns_of(suite, *specs)[0]]


class TestTwoOfOneName:
    def both(self, *paths: str) -> None:
        for number, path in enumerate(paths):
            put_clip(Path(path), number)

    def refused(self, suite: Suite, spec: str, *paths: str) -> None:
        with pytest.raises(UserError) as caught:
            bring(suite, Path("run"), spec)
        for path in paths:
            assert path in str(caught.value)

    def test_folders_of_one_name_are_an_error_with_both_paths(self, suite: Suite) -> None:
        self.both("dated/1/ours/duck_00.mp4", "dated/2/ours/duck_00.mp4")
        self.refused(suite, "external:dated/*/*", "dated/1/ours", "dated/2/ours")

    def test_also_with_a_slash_at_the_end(self, suite: Suite) -> None:
        self.both("dated/1/ours/duck_00.mp4", "dated/2/ours/duck_00.mp4")
        self.refused(suite, "external:dated/*/*/", "dated/1/ours", "dated/2/ours")

    def test_also_through_a_link(self, suite: Suite) -> None:
        self.both("dated/1/ours/duck_00.mp4", "elsewhere/duck_00.mp4")
        Path("dated/2").mkdir()
        Path("dated/2/ours").symlink_to("../../elsewhere")
        self.refused(suite, "external:dated/*/*", "dated/1/ours", "dated/2/ours")

    def test_a_link_to_the_same_folder_is_no_second_method(self, suite: Suite) -> None:
        self.both("dated/1/ours/duck_00.mp4")
        Path("dated/2").symlink_to("1")
        assert labels(suite, "external:dated/*/*") == ["ours"]

    def test_also_in_two_entries(self, suite: Suite) -> None:
        self.both("a/ours/duck_00.mp4", "b/ours/duck_00.mp4")
        with pytest.raises(UserError, match=r"two methods are called 'ours' .*a/ours.*b/ours"):
            bring(suite, Path("run"), "external:a/*", "external:b/*")

    @pytest.mark.parametrize("other", ["duck_00.gif", "duck_00.MP4", "duck_00.webm"])
    def test_two_files_for_one_edit(self, suite: Suite, other: str) -> None:
        self.both("o/ours/duck_00.mp4", f"o/ours/{other}")
        self.refused(suite, "external:o/*", "duck_00.mp4", other)

    def test_a_file_and_a_folder_of_frames(self, suite: Suite) -> None:
        self.both("o/ours/duck_00.mp4")
        put_frames(Path("o/ours/duck_00"))
        self.refused(suite, "external:o/*", "o/ours/duck_00 ", "o/ours/duck_00.mp4")

    def test_a_pattern_with_a_suffix_says_which(self, suite: Suite) -> None:
        self.both("o/ours/duck_00.mp4", "o/ours/duck_00.gif")
        run = bring(suite, Path("run"), "external:o/{method}/{edit}.mp4")
        assert seeds_brought(run, "ours", "duck_00") == {0: clip_bytes(0)}

    def test_two_spellings_of_one_seed(self, suite: Suite) -> None:
        self.both("o/ours/duck_00_7.mp4", "o/ours/duck_00_007.mp4")
        self.refused(suite, "external:o/{method}/{edit}_{seed}.mp4", "_7.mp4", "_007.mp4")

    def test_rows_of_a_table(self, suite: Suite) -> None:
        Path("o.csv").write_text("method,edit,seed,path\nm,duck_00,0,a.mp4\nm,duck_00,0.0,b.mp4\n")
        self.refused(suite, "external:o.csv", "o.csv:3", "a.mp4", "line 2", "b.mp4")

    def test_names_that_would_share_a_label(self, suite: Suite) -> None:
        self.both("o/a=1/duck_00.mp4", "o/a-1/duck_00.mp4")
        self.refused(suite, "external:o/*", "o/a=1", "o/a-1")


class TestNamesThatMeet:
    @pytest.mark.parametrize(
        "pattern",
        [
            "{method}_{edit}.mp4", "{edit}_{method}.mp4", "{edit}{method}.mp4",
            "{method}{edit}.mp4", "{edit}_{method}", "x_{method}_{edit}_y.mp4",
            "{edit}/{edit}_{method}.mp4", "{method}-{edit}.mp4",
        ],
    )  # fmt: skip
    def test_known_edits_say_where_a_name_is_cut(self, suite: Suite, pattern: str) -> None:
        whose = list(enumerate(itertools.product(("tokenflow", "ours_v2"), EDITS)))
        for number, (method, edit) in whose:
            name = pattern.replace("{method}", method).replace("{edit}", edit)
            put_clip(Path("o", name if name.endswith(".mp4") else f"{name}.mp4"), number)
        run = bring(suite, Path("run"), f"external:o/{pattern}")
        for number, (method, edit) in whose:
            assert seeds_brought(run, method, edit) == {0: clip_bytes(number)}
        assert sorted(run.info.methods) == ["ours_v2", "tokenflow"]

    @pytest.mark.parametrize(
        "pattern",
        [
            "{method}_{edit}_{seed}.mp4",
            "{edit}_{seed}_{method}.mp4",
            "{method}_{edit}{seed}.mp4",
        ],
    )
    def test_seeds_too(self, suite: Suite, pattern: str) -> None:
        whose = list(enumerate(itertools.product(("a_1", "b"), EDITS, (3, 12))))
        for number, (method, edit, seed) in whose:
            name = pattern.replace("{method}", method).replace("{edit}", edit)
            put_clip(Path("o", name.replace("{seed}", str(seed))), number)
        run = bring(suite, Path("run"), f"external:o/{pattern}")
        for method, edit in itertools.product(("a_1", "b"), EDITS):
            there = {seed: clip_bytes(n) for n, (m, e, seed) in whose if (m, e) == (method, edit)}
            assert seeds_brought(run, method, edit) == there

    def test_one_edit_begins_like_another(self, tmp_path: Path) -> None:
        """a_b_c.mp4 is c of a_b or b_c of a; a_c.mp4 is c of a for sure, so c is a method."""
        suite = small_suite(tmp_path, ("a", "a_b"))
        put_clip(tmp_path / "o" / "a_c.mp4", 1)
        put_clip(tmp_path / "o" / "a_b_c.mp4", 2)
        spec = f"external:{tmp_path}/o/{{edit}}_{{method}}.mp4"
        columns, said = columns_of(suite, spec)
        assert [column.label for column in columns] == ["c"]
        assert any("'c' of edit a_b, not as 'b_c' of edit a" in line for line in said)
        run = bring(suite, tmp_path / "run", spec)
        assert seeds_brought(run, "c", "a_b") == {0: clip_bytes(2)}
        assert seeds_brought(run, "c", "a") == {0: clip_bytes(1)}

    def test_a_file_is_never_used_for_two_cells(self, tmp_path: Path) -> None:
        """b_c has outputs of its own: a_b_c.mp4 is then c of a_b or b_c of a, and nobody knows."""
        suite = small_suite(tmp_path, ("a", "a_b", "d"))
        for name in ("d_c.mp4", "d_b_c.mp4", "a_b_c.mp4"):
            put_clip(tmp_path / "o" / name)
        with pytest.raises(UserError) as caught:
            columns_of(suite, f"external:{tmp_path}/o/{{edit}}_{{method}}.mp4")
        assert "as 'b_c' of edit a or as 'c' of edit a_b" in str(caught.value)

    def test_a_cut_that_remains_open_shows_both_readings(self, suite: Suite) -> None:
        put_clip(Path("o/duck_00_ours12.mp4"))
        with pytest.raises(UserError, match="can be read in 2 ways") as caught:
            columns_of(suite, "external:o/{edit}_{method}{seed}.mp4")
        assert "'ours' of edit duck_00 with seed 12" in str(caught.value)
        assert "'ours1' of edit duck_00 with seed 2" in str(caught.value)

    def test_an_unknown_placeholder_is_named(self, suite: Suite) -> None:
        with pytest.raises(UserError, match=r"\{video\} means nothing here"):
            columns_of(suite, "external:o/{method}/{video}.mp4")


class TestSeeds:
    def table(self, *rows: str, separator: str = ",") -> None:
        lines = ["method,edit,seed,path", *rows]
        Path("o.csv").write_text("\n".join(lines).replace(",", separator) + "\n")

    @pytest.mark.parametrize("seeds", [(1, 2, 3), (42,), (-1, 7), (0, 2**63 - 1), (-(2**63) + 1,)])
    @pytest.mark.parametrize("asked", [None, 1, 3])
    def test_the_seeds_of_a_table_are_the_seeds(
        self, suite: Suite, seeds: tuple[int, ...], asked: int | None
    ) -> None:
        for number in range(len(seeds)):
            put_clip(Path(f"s{number}.mp4"), number)
        self.table(*(f"ours,{edit},{s},s{n}.mp4" for n, s in enumerate(seeds) for edit in EDITS))
        run = bring(suite, Path("run"), "external:o.csv", seeds=asked)
        assert run.info.methods["ours"].seeds == seeds
        there = {seed: clip_bytes(number) for number, seed in enumerate(seeds)}
        assert [seeds_brought(run, "ours", edit) for edit in EDITS] == [there, there]

    @pytest.mark.parametrize(
        ("text", "seed"), [("0.0", 0), ("7.", 7), ("42.000", 42), ("", 0), (" 5 ", 5)]
    )
    def test_a_whole_number_as_pandas_writes_it(self, suite: Suite, text: str, seed: int) -> None:
        put_clip(Path("a.mp4"))
        self.table(f"ours,duck_00,{text},a.mp4")
        assert columns_of(suite, "external:o.csv")[0][0].seeds == (seed,)

    @pytest.mark.parametrize("text", ["1.5", "nan", "x", "1e3", "1_0", str(2**63), "True"])
    def test_what_is_no_whole_number_is_one_line(self, suite: Suite, text: str) -> None:
        self.table(f"ours,duck_00,{text},a.mp4")
        with pytest.raises(UserError, match=r"o\.csv:2: seed '?" + text):
            columns_of(suite, "external:o.csv")

    def test_a_seed_that_one_edit_lacks_is_named(self, suite: Suite) -> None:
        put_clip(Path("a.mp4"))
        self.table("ours,duck_00,1,a.mp4", "ours,duck_00,2,a.mp4", "ours,duck_01,1,a.mp4")
        statuses, reasons = tally(bring(suite, Path("run"), "external:o.csv"))
        assert statuses == {"ok": 3, "failed": 1}
        assert "no row for ours, duck_01, seed 2" in next(iter(reasons))

    def test_another_number_of_seeds_than_asked_for_is_said(self, suite: Suite) -> None:
        put_clip(Path("a.mp4"))
        self.table(*(f"ours,duck_00,{seed},a.mp4" for seed in (1, 2, 3)))
        columns, _ = columns_of(suite, "external:o.csv", "unedited")
        assert odd_seeds(columns, 3) == odd_seeds(columns, None) == []
        assert odd_seeds(columns, 2) == [
            "ours has seeds 1, 2, 3: all 3 are taken, not the 2 of --seeds"
        ]

    @pytest.mark.parametrize("name", ["{edit}_{seed}.mp4", "s{seed}/{edit}.mp4", "{edit}/{seed}"])
    def test_seeds_of_file_names(self, suite: Suite, name: str) -> None:
        for number, seed in enumerate(("0012", "3", "-4")):
            file = name.replace("{edit}", "duck_00").replace("{seed}", seed)
            put_clip(Path("o/ours", file if file.endswith("mp4") else f"{file}.mp4"), number)
        run = bring(suite, Path("run"), f"external:o/{{method}}/{name}", edits=["duck_00"])
        there = {12: clip_bytes(0), 3: clip_bytes(1), -4: clip_bytes(2)}
        assert seeds_brought(run, "ours", "duck_00") == there

    def test_a_seed_that_is_gone_before_it_was_brought_in_is_none(self, suite: Suite) -> None:
        put_clip(Path("a.mp4"))
        self.table("ours,duck_00,1,a.mp4", "ours,duck_00,2,gone.mp4", "ours,duck_01,1,a.mp4")
        bring(suite, Path("run"), "external:o.csv")
        self.table("ours,duck_00,1,a.mp4", "ours,duck_01,1,a.mp4")
        run = bring(suite, Path("run"), "external:o.csv")
        assert run.info.methods["ours"].seeds == (1,)
        assert tally(run)[0] == {"ok": 2}

    def test_seeds_that_come_later_leave_the_first_first(self, suite: Suite) -> None:
        """Raters see the first seed; one that comes later, whatever its number, is not theirs."""
        put_clip(Path("a.mp4"))
        self.table("ours,duck_00,5,a.mp4")
        bring(suite, Path("run"), "external:o.csv")
        self.table("ours,duck_00,5,a.mp4", "ours,duck_00,1,a.mp4")
        run = bring(suite, Path("run"), "external:o.csv")
        assert run.first_cell("ours", "duck_00").seed == 5


class TestFiles:
    @pytest.mark.parametrize("suffix", [".MP4", ".Mp4", ".mP4"])
    def test_suffixes_in_any_case(self, suite: Suite, suffix: str) -> None:
        for edit in EDITS:
            put_clip(Path(f"o/ours/{edit}{suffix}"))
        for number, spec in enumerate(("o/*", "o/{method}/{edit}", "o/{method}/{edit}.mp4")):
            assert tally(bring(suite, Path(f"run{number}"), f"external:{spec}"))[0] == {"ok": 2}

    @pytest.mark.parametrize(
        "litter",
        [".DS_Store", "._duck_00.mp4", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints/x.mp4",
         "@eaDir/duck_00.mp4", "__MACOSX/duck_00.mp4", "__MACOSX/ours/duck_00.mp4"],
    )  # fmt: skip
    def test_what_systems_leave_is_no_output(self, suite: Suite, litter: str) -> None:
        for place in (Path("o/ours"), Path("o")):
            put_clip(place / litter)
        for edit in EDITS:
            put_clip(Path(f"o/ours/{edit}.mp4"))
        for number, spec in enumerate(("o/*", "o/{method}/{edit}.mp4", "*/ours")):
            columns, said = columns_of(suite, f"external:{spec}")
            assert ([column.label for column in columns], said) == (["ours"], []), number

    def test_clips_of_no_edit_are_counted_and_said(self, suite: Suite) -> None:
        for name in ("duck_00.mp4", "duck_0l.mp4", "fox.gif", "notes.txt"):
            put_clip(Path("o/ours", name))
        put_frames(Path("o/ours/goose"))
        put_clip(Path("o/stray.mp4"))
        (Path("o") / "logs").mkdir()
        for spec in ("external:o/*", "external:o/{method}/{edit}"):
            columns, said = columns_of(suite, spec)
            assert [column.label for column in columns] == ["ours"]
            assert any("3 x a clip of no edit of the suite" in line for line in said)
            assert any("duck_0l.mp4" in line and "goose" in line for line in said)
        said = columns_of(suite, "external:o/*")[1]
        assert any("1 x a clip beside the folders" in line and "stray.mp4" in line for line in said)
        assert any("no clip in o/logs" in line for line in said)

    def test_a_kind_of_file_that_is_not_read_is_said_to_be_that(self, suite: Suite) -> None:
        """Not "no edit of the suite, did you mean duck_00?": it is duck_00."""
        for name in ("duck_00.WEBP", "duck_01.mp4"):
            put_clip(Path("o/ours", name))
        said = columns_of(suite, "external:o/*")[1]
        assert len(said) == 1 and "1 x a kind of file that is not read here" in said[0]
        assert "duck_00.WEBP; mp4, webm" in said[0] and "did you mean" not in said[0]

    def test_methods_that_differ_by_case_are_refused(self, suite: Suite) -> None:
        """Their folders are one on the usual file systems of macOS and Windows."""
        put_clip(Path("a.mp4"))
        for other in ("ours", "our"):
            rows = f"Ours,duck_00,a.mp4\n{other},duck_00,a.mp4\n"
            Path(f"{other}.csv").write_text(f"method,edit,path\n{rows}")
        with pytest.raises(UserError, match="'Ours' and 'ours' differ only by case"):
            bring(suite, Path("run"), "external:ours.csv")
        assert tally(bring(suite, Path("run"), "external:our.csv"))[0]["ok"] == 2

    def test_outputs_that_are_still_to_come_are_failures(self, suite: Suite) -> None:
        Path("o/ours").mkdir(parents=True)
        assert tally(bring(suite, Path("run"), "external:o/*"))[0] == {"failed": 2}

    def test_a_hint_says_what_lies_there_instead(self, suite: Suite) -> None:
        put_clip(Path("o/ours/duck_00.avi"))
        put_clip(Path("o/ours/duck_01.mp4"))
        _, reasons = tally(bring(suite, Path("run"), "external:o/*"))
        assert "there is duck_00.avi" in next(iter(reasons))

    def test_names_of_folders_that_no_folder_here_can_have(self, suite: Suite) -> None:
        for name in ("cfg=7.5,steps=50", "with space", "tokenflow", "_old", "día"):
            for edit in EDITS:
                put_clip(Path("o", name, f"{edit}.mp4"))
        columns, said = columns_of(suite, "external:o/*")
        names = {"cfg-7.5_steps-50", "with_space", "tokenflow", "old", "día"}
        assert {column.label for column in columns} == names
        assert any("'cfg=7.5,steps=50' is called cfg-7.5_steps-50 here" in line for line in said)
        assert tally(bring(suite, Path("run"), "external:o/{method}/{edit}"))[0] == {"ok": 10}

    def test_a_comma_in_a_path_parts_no_methods(self, suite: Suite) -> None:
        put_clip(Path("o/cfg=7.5,steps=50/duck_00.mp4"))
        told = "mine=external:o/cfg=7.5,steps=50,unedited,external:o/cfg=7.5,steps=50/{edit}.mp4"
        assert method_specs((told,)) == [
            "mine=external:o/cfg=7.5,steps=50",
            "unedited",
            "external:o/cfg=7.5,steps=50/{edit}.mp4",
        ]
        assert method_specs(("unedited, ideal", "a,b")) == ["unedited", "ideal", "a", "b"]

    def test_a_name_is_for_one_method(self, suite: Suite) -> None:
        for name in ("a", "b"):
            put_clip(Path("o", name, "duck_00.mp4"))
        assert labels(suite, "mine=external:o/a") == ["mine"]
        assert labels(suite, "mine=external:o/a/{edit}.mp4") == ["mine"]
        assert labels(suite, "mine=external:pattern=o/a/{edit}.mp4") == ["mine"]
        with pytest.raises(UserError, match=r"leads to 2 methods \(a, b\)"):
            columns_of(suite, "mine=external:o/*")

    @pytest.mark.parametrize(
        "spec", ["external:o/ours/", "external:./o/ours", "external:o/../o/ours"]
    )
    def test_one_folder_alone(self, suite: Suite, spec: str) -> None:
        put_clip(Path("o/ours/duck_00.mp4"))
        assert labels(suite, spec) == ["ours"]

    def test_this_folder(self, suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
        put_clip(Path("o/ours/duck_00.mp4"))
        monkeypatch.chdir("o/ours")
        assert labels(suite, "external:.") == ["ours"]

    def test_a_link_that_leads_nowhere_is_no_output(self, suite: Suite) -> None:
        put_clip(Path("o/ours/duck_00.mp4"))
        Path("o/ours/duck_01.mp4").symlink_to("gone.mp4")
        assert tally(bring(suite, Path("run"), "external:o/*"))[0] == {"ok": 1, "failed": 1}

    @pytest.mark.skipif(os.getuid() == 0, reason="root may look into any folder")
    def test_a_folder_that_is_closed_is_one_line(self, suite: Suite) -> None:
        put_clip(Path("o/ours/duck_00.mp4"))
        Path("o/ours").chmod(0)
        with pytest.raises(UserError, match="cannot look into"):
            columns_of(suite, "external:o/*")


class TestTables:
    def write(self, text: str, name: str = "o.csv", encoding: str = "utf-8") -> str:
        put_clip(Path("a.mp4"), 1)
        Path(name).write_bytes(text.encode(encoding))
        return f"external:{name}"

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    def test_as_programs_write_them(
        self, suite: Suite, separator: str, encoding: str, newline: str
    ) -> None:
        lines = ["Method,edit, path ,note", "ours,duck_00,a.mp4,x", "ours,duck_01,a.mp4,", ",,,"]
        text = newline.join(lines).replace(",", separator)
        spec = self.write(text, encoding=encoding)
        assert tally(bring(suite, Path("run"), spec))[0] == {"ok": 2}

    @pytest.mark.parametrize("name", ["UPPER.CSV", "o.tsv", "o.Csv", "o.txt"])
    def test_by_any_usual_name(self, suite: Suite, name: str) -> None:
        spec = self.write("method,edit,path\nours,duck_00,a.mp4\n", name)
        assert labels(suite, spec) == ["ours"]

    def test_rows_of_unknown_edits_are_counted_and_said_once(self, suite: Suite) -> None:
        rows = "".join(f"ours,duck_99,a.mp4,{seed}\n" for seed in range(2))
        spec = self.write(f"method,edit,path,seed\nours,duck_00,a.mp4,0\n{rows}")
        columns, said = columns_of(suite, spec)
        assert columns[0].seeds == (0,)
        assert len(said) == 1
        assert "2 of 3 rows are of edits that the suite does not have: duck_99" in said[0]

    def test_a_cell_that_the_separator_cut_is_one_line(self, suite: Suite) -> None:
        with pytest.raises(UserError, match=r"o\.csv:2: 4 cells in this row, 3 in the first"):
            columns_of(suite, self.write("method,edit,path\nours,duck_00,a,b.mp4\n"))

    def test_a_missing_column_is_named_with_those_there_are(self, suite: Suite) -> None:
        with pytest.raises(UserError, match=r"lacks the column path: its first line has method, e"):
            columns_of(suite, self.write("method;edit;file\nours;duck_00;a.mp4\n"))

    def test_paths_as_windows_writes_them(self, suite: Suite) -> None:
        put_clip(Path("outs/x/a.mp4"), 5)
        run = bring(suite, Path("run"), self.write("method,edit,path\nm,duck_00,outs\\x\\a.mp4\n"))
        assert seeds_brought(run, "m", "duck_00") == {0: clip_bytes(5)}

    def test_a_file_without_suffix_is_looked_for(self, suite: Suite) -> None:
        put_clip(Path("b.MOV"), 5)
        run = bring(suite, Path("run"), self.write("method,edit,path\nm,duck_00,b\n"))
        assert seeds_brought(run, "m", "duck_00") == {0: clip_bytes(5)}

    def test_an_output_called_like_its_sidecar_keeps_both(self, suite: Suite) -> None:
        """An MP4 by its bytes, NAME.json by its name: as for sources, F12."""
        put_clip(Path("clip.json"), 5)
        run = bring(suite, Path("run"), self.write("method,edit,path\nm,duck_00,clip.json\n"))
        assert seeds_brought(run, "m", "duck_00") == {0: clip_bytes(5)}

    def test_a_table_that_is_not_there(self, suite: Suite) -> None:
        with pytest.raises(UserError, match=r"cannot read .*gone\.csv: No such file"):
            columns_of(suite, "external:gone.csv")

    def test_a_method_that_the_table_lacks_is_named(self, suite: Suite) -> None:
        spec = self.write("method,edit,path\nours,duck_00,a.mp4\n")
        assert labels(suite, "x=external:pattern=o.csv:method=ours") == ["x"]
        with pytest.raises(UserError, match=r"no method 'theirs' \(it has ours\)"):
            columns_of(
                suite, f"x={spec}".replace("external:", "external:pattern=") + ":method=theirs"
            )


def test_without_a_suite_any_name_is_an_edit(tmp_path: Path) -> None:
    put_clip(tmp_path / "o" / "ours" / "x_3.mp4")
    (column,) = variants(f"external:{tmp_path}/o/{{method}}/{{edit}}_{{seed}}.mp4")
    assert (column.label, column.seeds) == ("ours", (3,))
