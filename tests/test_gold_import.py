"""Ratings collected elsewhere: what a file has to be, and the export that it becomes."""

import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dreamix.core.errors import Mistakes, UserError
from evaluation.gold.base import scale_of
from evaluation.gold.cli import import_ratings
from reports.people.export import StudyExport, read_export
from reports.people.outcome import people_of
from reports.summary import IntervalSettings

LONG = """edit,method,rater,question,value
kite_1,ours,anna,SC,1
kite_1,ours,ben,SC,0.5
kite_1,theirs,anna,SC,0
kite_1,theirs,ben,SC,0
dog_2,ours,anna,SC,0.5
dog_2,ours,ben,SC,0
dog_2,theirs,anna,SC,1
dog_2,theirs,ben,SC,1
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(import_ratings, [str(one) for one in arguments])


def imported(folder: Path, text: str, *options: str, scale: str = "0:1") -> StudyExport:
    """Return the export of a CSV file with this text; what it refuses is raised."""
    path = folder / "votes.csv"
    path.write_text(text, encoding="utf-8")
    done = call("csv", path, "--scale", scale, "--out", folder / "export", *options)
    if done.exception:
        raise done.exception
    return read_export(folder / "export")


def mistakes(folder: Path, text: str | bytes, *options: str, scale: str = "0:1") -> list[str]:
    """Return the lines that refuse a file, without its path; nothing may have been written."""
    path = folder / "votes.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = call("csv", path, "--scale", scale, "--out", folder / "export", *options)
    assert isinstance(done.exception, UserError), done.output
    assert not (folder / "export").exists()
    return [line.removeprefix(f"{path}:") for line in done.exception.lines]


def test_a_long_table_becomes_an_export(tmp_path: Path) -> None:
    found = imported(tmp_path, LONG, "--licence", "MIT", "--source", "https://example.org/votes")
    assert (found.name, found.questions, found.methods) == ("votes", ["SC"], ["ours", "theirs"])
    assert (found.scale, found.threshold, found.means) == ((0, 1), 0.5, False)
    assert found.origin is not None
    assert found.origin["licence"] == "MIT" and found.origin["format"] == "csv"
    own = found.own.sort_values("line")
    assert own["value"].tolist() == [1, 0.5, 0, 0, 0.5, 0, 1, 1]
    assert own["line"].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]
    people = people_of(found, IntervalSettings(resamples=100))
    assert people.kept.scores["SC"].mos.tolist() == [0.5, 0.5]  # (.75 + .25) / 2, (0 + 1) / 2


def test_raters_get_pseudonyms_of_a_salt_that_stays(tmp_path: Path) -> None:
    found = imported(tmp_path, LONG.replace("ben", "@ben"))
    assert not found.own["rater"].str.contains("anna|ben").any()
    for path in (tmp_path / "export").iterdir():
        assert b"anna" not in path.read_bytes(), path
    salt = tmp_path / "export.salt"
    assert salt.stat().st_mode & 0o077 == 0
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "export.salt").write_bytes(salt.read_bytes())
    again = imported(tmp_path / "again", LONG.replace("ben", "@ben"))
    assert set(again.own["rater"]) == set(found.own["rater"])
    (tmp_path / "other").mkdir()
    assert not set(imported(tmp_path / "other", LONG).own["rater"]) & set(found.own["rater"])


def test_a_wide_table_says_the_same_as_a_long_one(tmp_path: Path) -> None:
    wide = "edit;method;rater;SC;PQ\nkite;ours;a;1;0.5\nkite;ours;b;0;1\n"
    long = "edit,method,rater,question,value\n" + "".join(
        f"kite,ours,{who},{what},{value}\n"
        for who, what, value in (("a", "SC", 1), ("a", "PQ", 0.5), ("b", "SC", 0), ("b", "PQ", 1))
    )
    (tmp_path / "wide").mkdir(), (tmp_path / "long").mkdir()
    first, second = imported(tmp_path / "wide", wide), imported(tmp_path / "long", long)
    assert first.questions == second.questions == ["SC", "PQ"]
    columns = ["edit", "method", "question", "value"]
    assert first.own[columns].values.tolist() == second.own[columns].values.tolist()


def test_sources_come_from_a_column_or_from_a_pattern(tmp_path: Path) -> None:
    """ImagenHub's `sample_100081_1.jpg` is an edit of image 100081."""
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    rows = "edit,method,rater,question,value,source\ns_7_1.jpg,m,a,q,1,s_7\ns_7_2.jpg,m,a,q,0,s_7\n"
    column = imported(tmp_path / "a", rows)
    bare = "\n".join(line.rpartition(",")[0] for line in rows.splitlines())
    pattern = imported(tmp_path / "b", bare, "--source-pattern", r"(.+)_\d+\.jpg")
    assert set(column.own["video"]) == set(pattern.own["video"]) == {"s_7"}


def test_seeds_are_edits_of_one_source(tmp_path: Path) -> None:
    text = "edit,method,rater,question,value,seed\nkite,m,a,q,1,0\nkite,m,a,q,0,1\n"
    found = imported(tmp_path, text)
    assert found.own["edit"].tolist() == ["kite seed 0", "kite seed 1"]
    assert set(found.own["video"]) == {"kite"}


def test_words_of_an_ordinal_scale_are_grades(tmp_path: Path) -> None:
    text = "edit,method,rater,question,value\nk,m,a,q,Good\nk,n,a,q,bad\n"
    found = imported(tmp_path, text, scale="bad<fair<good")
    assert found.scale == (1, 3) and found.own["value"].tolist() == [3, 1]
    assert found.study["scale"]["words"] == ("bad", "fair", "good")


def test_columns_and_questions_can_have_other_names(tmp_path: Path) -> None:
    text = "uid,editor,rater,question,value\nk,m,a,SC,1\n"
    found = imported(
        tmp_path, text, "--column", "edit=uid", "--column", "method=editor",
        "--question", "SC=alignment", "--success", "0.75",
    )  # fmt: skip
    assert found.questions == ["alignment"] and found.threshold == 0.75


def test_personal_columns_are_left_out_and_others_refused(tmp_path: Path) -> None:
    text = "edit,method,rater,question,value,Age,rater country,browser\nk,m,a,q,1,33,PT,Firefox\n"
    assert mistakes(tmp_path, text) == ["1: unknown column 'browser': --drop browser leaves it out"]
    found = imported(tmp_path, text, "--drop", "browser")
    assert not {"Age", "rater country", "browser"} & set(found.long)
    assert found.origin is not None
    assert found.origin["remarks"][0] == "personal columns are left out: Age and rater country"


def test_every_mistake_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        "edit,method,rater,question,value\n"
        "kite,ours,a,SC,1\n"
        "kite,ours,a,SC,0\n"  # line 3: again
        "kite,ours,b,SC,1.5\n"  # 4: off the scale
        "kite,ours,c,SC,1_0\n"  # 5: Python would read 10
        "kite,ours,d,SC\n"  # 6: a cell is missing
        "=cmd(),ours,a,SC,1\n"  # 7: a formula
        ",ours,a,SC,1\n"  # 8: no edit
        "kite,../ours,a,SC,1\n"  # 9: leads out of a folder
        "kite,ours,e,SC,nan\n"  # 10
        "kite,ours,e,success,1\n"  # 11: taken
        "kite,ours,f,SC,\n"  # 12: empty
    )
    assert mistakes(tmp_path, text) == [
        "3: rater 'a' rates SC of 'kite' by ours again, first in line 2",
        "4: 1.5 is off the scale 0 to 1 (SC)",
        "5: '1_0' is no number (SC)",
        "6: 4 cells here, 5 in the first line",
        "7: edit '=cmd()' would be a formula to a spreadsheet: call it otherwise",
        "8: no edit",
        "9: method '../ours' cannot name a file: it holds /",
        "10: no value of SC: --skip-empty takes it as not rated",
        "11: a question cannot be called success: --question success=OTHER calls it otherwise",
        "12: no value of SC: --skip-empty takes it as not rated",
    ]


def test_a_number_too_long_is_told_as_it_is_written(tmp_path: Path) -> None:
    """Python reads 9's by the thousand as infinity."""
    head = "edit,method,rater,question,value\n"
    (line,) = mistakes(tmp_path, f"{head}k,m,a,q,{'9' * 5000}\n")
    assert line == f"2: '{'9' * 59}... is off the scale 0 to 1 (q)"


MISSING = ("", "nan", "-nan", "NaN", "NA", "n/a", "#N/A", "None", "null", "-", "missing")


def test_words_for_no_value_are_not_rated(tmp_path: Path) -> None:
    """As pandas, R, C, Excel and Python write it; a grade of the scale is a grade first."""
    head = "edit,method,rater,question,value\n"
    rows = "".join(f"k{n},m,a,q,{word}\n" for n, word in enumerate(MISSING))
    assert len(mistakes(tmp_path, head + rows)) == len(MISSING)
    assert len(imported(tmp_path, f"{head}{rows}k,m,a,q,1\n", "--skip-empty").own) == 1
    (tmp_path / "words").mkdir()
    words = imported(
        tmp_path / "words", f"{head}k,m,a,q,none\nk,m,b,q,All\n", scale="none<some<all"
    )
    assert words.own["value"].tolist() == [1, 3]


def test_every_vote_says_whose_it_is(tmp_path: Path) -> None:
    text = "edit,method,rater,question,value\nk,m,,q,1\nk,n,a,q,0\n"
    (line,) = mistakes(tmp_path, text)
    assert line.startswith("2: no rater") and "--drop rater" in line
    assert imported(tmp_path, text, "--drop", "rater").means


def test_an_edit_has_one_category_whichever_row_tells_it(tmp_path: Path) -> None:
    """A trial is one row of the wide table, though only one of its questions tells the category."""
    head = "edit,method,rater,question,value,category\n"
    found = imported(tmp_path, f"{head}k,m,a,SC,1,\nk,m,a,PQ,0,style\nk,n,a,SC,1,\n")
    assert len(found.wide) == 2 and set(found.wide["category"]) == {"style"}
    other = f"{head}k,m,a,SC,1,style\nk,m,a,PQ,0,object\n"
    (tmp_path / "other").mkdir()
    told = mistakes(tmp_path / "other", other)
    assert told == ["3: edit 'k' has category 'object' here and 'style' in line 2"]


def test_names_that_differ_by_case_are_pointed_out_and_raters_stay_unnamed(tmp_path: Path) -> None:
    head = "edit,method,rater,question,value\n"
    rows = "".join(f"k,{m},{who},q,1\n" for m in ("Ours", "ours") for who in ("Ann", "ann"))
    origin = imported(tmp_path, head + rows).origin
    assert origin is not None
    assert (
        "methods that differ only by case are told apart, such as Ours and ours"
        in (origin["remarks"])
    )
    assert "raters that differ only by case are told apart" in origin["remarks"]


def test_an_edit_has_one_source(tmp_path: Path) -> None:
    text = "edit,method,rater,question,value,source\nk,m,a,q,1,s\nk,n,a,q,1,t\n"
    assert mistakes(tmp_path, text) == ["3: edit 'k' has source 't' here and 's' in line 2"]


def test_a_missing_cell_of_a_wide_table_is_a_mistake_or_not_rated(tmp_path: Path) -> None:
    text = "edit,method,rater,SC,PQ\nk,m,a,1,\nk,n,a,0,1\n"
    assert mistakes(tmp_path, text) == ["2: no value of PQ: --skip-empty takes it as not rated"]
    assert len(imported(tmp_path, text, "--skip-empty").own) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"edit,method,rater,question,value\nk,m,a,q,1\nk\xe9,m,a,q,1\n",
         "3: byte 0xe9 is not UTF-8: save the file as UTF-8"),
        ("edit,method,question\n", "1: there is no column value; --column value=THEIRS says"),
        ("edit,edit,method,rater,question,value\n", "1: two columns are called 'edit'"),
        ("", "its first line should name its columns"),
        ("edit,method,rater,question,value\n", "holds no rating"),
        ('edit,method,rater,question,value\n"k,m,a,q,1\n', "2: 1 cells here, 5 in the first line"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_ratings_is_refused(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    assert told in " ".join(mistakes(tmp_path, text))


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.gold.files.MOST_BYTES", 20)
    assert "is larger than 20 bytes" in mistakes(tmp_path, LONG)[0]


def test_without_raters_values_are_means(tmp_path: Path) -> None:
    text = "edit,method,question,mos\nk,m,q,62.5\nk,n,q,40\n"
    found = imported(tmp_path, text, scale="0:100")
    assert found.means and set(found.own["rater"]) == {"panel"}
    assert not (tmp_path / "export.salt").exists()


def test_nothing_is_overwritten_and_nothing_left_of_what_failed(tmp_path: Path) -> None:
    imported(tmp_path, LONG)
    with pytest.raises(UserError, match="is not empty"):
        imported(tmp_path, LONG)
    assert {path.name for path in tmp_path.iterdir()} == {"votes.csv", "export", "export.salt"}


@pytest.mark.parametrize("text", ["5:1", "1-5", "good", "a<a", "1:1e999", ""])
def test_a_scale_has_two_ends_or_grades(text: str) -> None:
    with pytest.raises(UserError, match="is no scale"):
        scale_of(text)


def test_the_tables_are_checked_by_their_sums_and_hold_no_formula(tmp_path: Path) -> None:
    text = LONG.replace("value\n", "value,prompt\n").replace("1\n", "1,=1+1\n", 1)
    text = "\n".join(line + ("," * (5 - line.count(","))) for line in text.splitlines())
    imported(tmp_path, text)
    table = (tmp_path / "export" / "ratings_long.csv").read_text()
    assert "'=1+1" in table and '"=1+1' not in table
    names = {
        line.split("  ")[1]
        for line in (tmp_path / "export/SHA256SUMS").read_text().split("\n")[:-1]
    }
    assert names == {path.name for path in (tmp_path / "export").iterdir()} - {"SHA256SUMS"}


def test_mistakes_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    rows = "".join(f"k,m,r{k},q,7\n" for k in range(60))
    path.write_text("edit,method,rater,question,value\n" + rows)
    done = call("csv", path, "--scale", "0:1", "--out", tmp_path / "export")
    assert isinstance(done.exception, Mistakes) and len(done.exception.problems) == 60


def test_votes_of_a_program_say_so_everywhere(tmp_path: Path) -> None:
    found = imported(tmp_path, LONG, "--simulated")
    assert found.simulated and found.own["simulated"].all()
    assert found.own["rater"].str.startswith("simulated-").all()
    tables = [path.name for path in (tmp_path / "export").iterdir() if path.suffix == ".parquet"]
    assert tables and all(name.startswith("simulated_") for name in tables)
    assert "**SIMULATED.**" in (tmp_path / "export" / "README.md").read_text()


def test_names_that_look_alike_are_one_name(tmp_path: Path) -> None:
    """An accent as a letter's own, and as a sign behind it: one edit, one rater."""
    text = "edit,method,rater,question,value\n"
    for form in ("NFC", "NFD"):
        edit, rater = (unicodedata.normalize(form, name) for name in ("café", "Zoë"))
        method = "ours" if form == "NFC" else "theirs"
        text += f"{edit},{method},{rater},SC,1\n"
    own = imported(tmp_path, text).own
    assert own["edit"].nunique() == own["rater"].nunique() == 1
    assert set(own["edit"]) == {"caf\u00e9"}
