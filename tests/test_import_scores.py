"""Scores from elsewhere: a table becomes rows of the run, or is refused with all that is wrong."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest
from composite_data import origin
from console import Program, program
from small_suites import bring, put_clip, small_suite

from dreamix.core.errors import Mistakes, UserError
from evaluation.run.folder import RunFolder
from evaluation.schema import Cell, ScoreRow
from evaluation.score import imported_scores
from evaluation.score.composite_file import AxisEntry, Composite, Provenance, Term
from evaluation.score.composite_scores import composite_rows
from evaluation.score.imported_scores import Imported, import_scores
from evaluation.score.scoring import score_run
from evaluation.score.table import read_scores
from evaluation.settings import ModelSettings
from reports.loading import load_run
from reports.metrics.results import axis_table
from reports.summary import IntervalSettings, summarize

HEAD = "edit,method,seed,metric,value,direction,source,axis,reason\n"
EDITS = ("e-1", "e-2", "e-3")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`a` with one seed, of which the clip of e-3 is lost, and `b` with two."""
    folder = tmp_path_factory.mktemp("import")
    suite = small_suite(folder, EDITS)
    for number, edit in enumerate(EDITS):
        for seed in (0, 1):
            put_clip(folder / "o" / f"b_{edit}_{seed}.mp4", 10 * seed + number)
        if edit != "e-3":
            put_clip(folder / "o" / f"a_{edit}_0.mp4", 30 + number)
    bring(suite, folder / "run", f"external:{folder}/o/{{method}}_{{edit}}_{{seed}}.mp4")
    return folder / "run"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


def table(folder: Path, *lines: str, name: str = "scores.csv", head: str = HEAD) -> Path:
    (folder / name).write_text(head + "".join(f"{line}\n" for line in lines))
    return folder / name


def full(start: float = 0.1, metric: str = "vq") -> list[str]:
    """A row for every clip that was made, the values 0.1 apart."""
    cells = [("a", e, 0) for e in EDITS[:2]] + [("b", e, s) for e in EDITS for s in (0, 1)]
    return [
        f"{e},{m},{s},{metric},{start + 0.1 * k:.1f},higher,VBench 0.1.5,quality,"
        for k, (m, e, s) in enumerate(cells)
    ]


def rows(run: Path, metric: str = "vq") -> dict[Cell, ScoreRow]:
    found = read_scores(run / "scores.jsonl").values()
    return {row.cell: row for row in found if row.metric == metric}


def brought(run: Path, path: Path, **how: bool) -> Imported:
    return import_scores(run, path, replace_others=how.get("replace", False))


def lines_of(caught: pytest.ExceptionInfo[Mistakes]) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in caught.value.problems]


class TestRows:
    def test_every_clip_has_its_value_or_why_it_has_none(self, run: Path, tmp_path: Path) -> None:
        """Of nine cells: one clip was lost, one has no row, one is nan, one has its own reason."""
        lines = full()
        lines[0] = "e-1,a,0,vq,nan,higher,VBench 0.1.5,quality,"
        lines[1] = "e-2,a,0,vq,,higher,VBench 0.1.5,quality,out of memory"
        done = brought(run, table(tmp_path, *lines[:-1]))
        found = rows(run)
        assert {cell: row.value for cell, row in found.items() if row.status == "ok"} == {
            Cell("b", "e-1", 0): 0.3, Cell("b", "e-1", 1): 0.4, Cell("b", "e-2", 0): 0.5,
            Cell("b", "e-2", 1): 0.6, Cell("b", "e-3", 0): 0.7,
        }  # fmt: skip
        reasons = {cell: str(row.reason) for cell, row in found.items() if row.status != "ok"}
        assert reasons[Cell("a", "e-1", 0)] == "no score in line 2 of scores.csv"
        assert reasons[Cell("a", "e-2", 0)] == "out of memory"
        assert reasons[Cell("b", "e-3", 1)] == "scores.csv has no row of this clip"
        assert reasons[Cell("a", "e-3", 0)].startswith("no clip: ")
        assert (done.metrics, done.changed) == (["vq"], len(RunFolder(run).cells()))

    def test_the_same_file_again_changes_no_byte(self, run: Path, tmp_path: Path) -> None:
        path = table(tmp_path, *full())
        brought(run, path)
        before = {file: file.read_bytes() for file in run.rglob("*") if file.is_file()}
        again = brought(run, path)
        assert again.changed == 0 and not again.replaced and not again.removed
        assert {file: file.read_bytes() for file in run.rglob("*") if file.is_file()} == before

    def test_a_changed_file_replaces_what_it_brought_and_says_so(
        self, run: Path, tmp_path: Path
    ) -> None:
        brought(run, table(tmp_path, *full(), *full(metric="old")))
        old = RunFolder(run).info.metrics["vq"].definition_id
        done = brought(run, table(tmp_path, *full(start=5)))
        assert (done.replaced, done.removed) == (["vq"], ["old"])
        assert rows(run)[Cell("a", "e-1", 0)].value == 5.0
        assert rows(run, "old") == {}
        info = RunFolder(run).info.metrics
        assert [*info] == ["vq"] and info["vq"].definition_id != old

    def test_rows_of_another_table_are_not_replaced_unasked(
        self, run: Path, tmp_path: Path
    ) -> None:
        brought(run, table(tmp_path, *full()))
        other = table(tmp_path, *full(start=5), name="other.csv")
        with pytest.raises(UserError, match=r"vq was imported from another table, \.\./scores\.c"):
            brought(run, other)
        assert rows(run)[Cell("a", "e-1", 0)].value == 0.1
        assert brought(run, other, replace=True).replaced == ["vq"]
        assert rows(run)[Cell("a", "e-1", 0)].value == 5.0

    def test_scores_of_clips_that_were_not_made_are_counted(
        self, run: Path, tmp_path: Path
    ) -> None:
        lost = "e-3,a,0,vq,0.5,higher,VBench 0.1.5,quality,"
        done = brought(run, table(tmp_path, *full(), lost))
        assert done.without_clip == [Cell("a", "e-3", 0)]
        assert rows(run)[Cell("a", "e-3", 0)].value is None

    @pytest.mark.parametrize("cut", ["append_scores", "write_scores", "save"])
    def test_a_kill_at_any_write_loses_nothing(
        self, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
    ) -> None:
        """After the kill the same command ends with the bytes of an import that was not killed."""
        score_run(run, ["flicker"], ModelSettings())
        brought(run, table(tmp_path, *full()))
        whole = Path(shutil.copytree(run, tmp_path / "whole"))
        changed = table(tmp_path, *full(start=5))
        brought(whole, changed)

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        owner = RunFolder if cut == "save" else imported_scores
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(owner, cut, killed)
            brought(run, changed)
        load_run(run)  # a report can be made of what is there
        score_run(run, ["flicker"], ModelSettings())
        brought(run, changed)
        for name in ("scores.jsonl", "run.json"):
            assert (run / name).read_bytes() == (whole / name).read_bytes()


class TestMistakes:
    def test_all_of_them_at_once_with_their_lines(self, run: Path, tmp_path: Path) -> None:
        path = table(
            tmp_path,
            "e-1,a,0,vq,0.5,higher,VBench,,",
            "e_2,a,0,vq,0.5,higher,VBench,,",  # an edit that is not there, in two rows
            "e_2,a,0,vq2,0.5,higher,VBench,,",
            "e-1,c,0,vq,0.5,higher,VBench,,",
            "e-1,a,7,vq,0.5,higher,VBench,,",
            "e-1,a,x,vq,0.5,higher,VBench,,",
            "e-1,b,,vq,0.5,higher,VBench,,",
            "e-1,a,0,vq,0.6,higher,VBench,,",
            'e-2,a,0,vq,"0,5",lower,VBench,,',
            "e-2,b,0,vq,inf,higher,DOVER,,",
            "e-2,b,1,psnr,1,higher,VBench,,",
            "e-2,b,1,vq,0.5,higher,VBench,,why",
            "e-2,b,1,odd/name,0.5,higher,VBench,,",
            "e-2,b,1,up,0.5,upward,VBench,quallity,",
            "e-2,b,1,bare,0.5,,,,",
            ",b,1,bare,0.5,,,",
        )
        with pytest.raises(Mistakes) as caught:
            brought(run, path)
        assert [line for line, _ in lines_of(caught)] == [
            3, 5, 6, 7, 8, 9, 10, 10, 11, 11, 12, 13, 14, 15, 15, 16, 16, 17,
        ]  # fmt: skip
        said = "\n".join(f"{line}: {message}" for line, message in lines_of(caught))
        for text in (
            "3: the run has no edit 'e_2', did you mean e-2? (2 rows)",
            "5: the run has no method 'c'",
            "6: the run has no seed of a: '7' (1 row)",
            "7: seed 'x' is not a whole number",
            "8: the run has 2 seeds of b: name one",
            "9: vq of a, e-1, seed 0 stands in line 2 already",
            "10: value '0,5' is not a finite number, written as 0.5",
            "10: direction of vq is 'lower' here and 'higher' in line 2",
            "11: value 'inf' is not a finite number",
            "11: source of vq is 'DOVER' here and 'VBench' in line 2",
            "12: psnr is a metric of ours; call this one differently",
            "13: there is a value, 0.5, and a reason why there is none",
            "14: 'odd/name' cannot name a metric: it holds /",
            "15: direction 'upward' of up is none of higher, lower and neither",
            "15: axis 'quallity' of up is none of alignment, fidelity, quality, motion and other",
            "16: no row of bare has a direction",
            "16: no row of bare has a source",
            "17: no edit in this row",
        ):
            assert text in said
        assert not (run / "scores.jsonl").exists()

    def test_minus_one_among_others_is_asked_about(self, run: Path, tmp_path: Path) -> None:
        """IVEBench writes -1 for a failure; a cosine may be -1."""
        lines = full()
        lines[1] = lines[1].replace(",0.2,", ",-1,")
        path = table(tmp_path, *lines)
        with pytest.raises(Mistakes, match=r"scores\.csv:3: vq is -1 in 1 row .*--missing=-1"):
            import_scores(run, path)
        import_scores(run, path, missing=[-1])
        row = rows(run)[Cell("a", "e-2", 0)]
        assert row.status == "failed" and "-1 in line 3" in str(row.reason)
        import_scores(run, path, missing=[])
        assert rows(run)[Cell("a", "e-2", 0)].value == -1.0
        lines[0] = lines[0].replace(",0.1,", ",-0.4,")  # other values are below zero too
        import_scores(run, table(tmp_path, *lines))

    def test_a_table_is_read_up_to_its_limit(
        self, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = table(tmp_path, *full())
        monkeypatch.setattr("evaluation.score.plan.MOST_SCORES", 8)
        with pytest.raises(UserError, match="with it the run has 9 scores, and no more than 8"):
            brought(run, path)
        with open(tmp_path / "large.csv", "wb") as file:
            file.truncate(257 << 20)
        with pytest.raises(UserError, match=r"large\.csv is larger than 256 MB"):
            brought(run, tmp_path / "large.csv")

    def test_a_file_that_is_no_table_is_one_line(self, run: Path, tmp_path: Path) -> None:
        (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
        for path, why in (
            (tmp_path / "gone.csv", "cannot read .*gone.csv: No such file"),
            (tmp_path, "is no file"),
            (tmp_path / "bytes.csv", "cannot read|lacks the column|is no UTF-16"),
            (table(tmp_path, name="b.csv", head="edit,method,value\n"), "lacks the column metric"),
            (table(tmp_path), "holds no scores"),
        ):
            with pytest.raises(UserError, match=why):
                brought(run, path)


class TestAlikeOthers:
    def test_scoring_keeps_them_and_marks_clips_made_anew(self, run: Path, tmp_path: Path) -> None:
        brought(run, table(tmp_path, *full()))
        done = score_run(run, ["flicker", "vq"], ModelSettings())
        assert done.counts == {"ok": 16, "failed": 2}
        found = rows(run)[Cell("a", "e-1", 0)]
        assert (found.value, found.covers) == (0.1, 1.0)  # how it was read is known by now
        sidecar = run / "clips" / "a" / "e-1" / "0.json"
        clip = put_clip(run / "clips" / "a" / "e-1" / "0.mp4", 77)
        digest = hashlib.sha256(clip.read_bytes()).hexdigest()
        sidecar.write_text(sidecar.read_text().replace(str(found.clip), digest))
        score_run(run, ["flicker"], ModelSettings())
        renewed = rows(run)[Cell("a", "e-1", 0)]
        assert (renewed.status, renewed.value) == ("failed", None)
        assert "is another than scores.csv was imported: import it again" in str(renewed.reason)
        assert rows(run)[Cell("a", "e-2", 0)].value == 0.2
        brought(run, tmp_path / "scores.csv")
        assert rows(run)[Cell("a", "e-1", 0)].value == 0.1

    def test_a_composite_may_rest_on_them(self, run: Path, tmp_path: Path) -> None:
        """By hand: 3 + 0.5 * (0.4 - 0.3) / 0.1 = 3.5 for the clip with 0.4."""
        brought(run, table(tmp_path, *full()))
        folder = RunFolder(run)
        facts = folder.info.metrics["vq"]
        term = Term("vq", facts.definition_id, "higher", 0.3, 0.1, 0.5)
        told = origin()
        provenance = Provenance(told.suite, told.suite_sha256, told.study, told.ratings_sha256, 3)
        one = Composite("quality", False, "id", provenance, AxisEntry(3.0, (term,)))
        made = composite_rows(
            folder, [one], read_scores(run / "scores.jsonl"), {"vq": facts.definition_id}
        )
        values = {row.cell: row.value for row in made}
        assert values[Cell("b", "e-1", 1)] == pytest.approx(3.5)
        assert values[Cell("a", "e-3", 0)] is None

    def test_reports_show_them_with_their_source(self, run: Path, tmp_path: Path) -> None:
        bare = [line.replace(",quality,", ",,") for line in full(metric="bare")]
        brought(run, table(tmp_path, *full(), *bare))
        summary = summarize(load_run(run), IntervalSettings(resamples=50))
        shown = axis_table(summary, "quality")
        assert "Computed elsewhere: vq (VBench 0.1.5)." in shown.caption
        assert [row.label for row in shown.rows] == ["a", "b"]
        assert summary.scores["b", "vq"].interval.mid == pytest.approx(0.55)  # of 0.3, 0.4 .. 0.8
        assert axis_table(summary, "other").title == "Metrics without an axis"
        assert load_run(run).metrics["vq"].definition == (
            "Imported from scores.csv, computed by VBench 0.1.5"
        )


@pytest.fixture
def dreamix(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    return program(monkeypatch, capsys)


def test_the_table_of_the_page_can_be_imported(run: Path, tmp_path: Path, root: Path) -> None:
    """With edits and a method of this run: one value, and one that is missing."""
    page = (root / "docs" / "scores.md").read_text()
    (text,) = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    text = text.replace("duck_00", "e-1").replace("duck_01", "e-2").replace("ours", "a")
    (tmp_path / "scores.csv").write_text(text)
    import_scores(run, tmp_path / "scores.csv")
    found = rows(run, "vbench_subject_consistency")
    assert found[Cell("a", "e-1", 0)].value == 0.961
    assert str(found[Cell("a", "e-2", 0)].reason).startswith("no score in line 3")


def test_the_command_says_what_it_did(run: Path, tmp_path: Path, dreamix: Program) -> None:
    path = table(tmp_path, *full())
    code, out, _ = dreamix("bench", "import-scores", run, path)
    assert code == 1  # a clip has no score: it was not made
    assert f"9 rows changed; vq of {path}: now 8 ok, 1 failed" in out
    code, out, _ = dreamix("bench", "import-scores", run, path)
    assert "0 rows changed" in out
    code, _, err = dreamix("bench", "import-scores", run, path, "--missing", "-1", "--missing=none")
    assert code == 2 and "say numbers, or none alone" in err
    code, out, err = dreamix("bench", "score", run, "--metrics", "vq,flicker")
    assert "9 scores computed; now 16 ok, 2 failed" in out
