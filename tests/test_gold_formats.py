"""Formats of ratings that tools write: a small file of each shape, and damaged ones.

The shapes are those of the tools' documents and sample files; the files are made up here.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dreamix.core.errors import UserError
from evaluation.gold.base import RATING_FORMATS
from evaluation.gold.cli import import_ratings
from reports.people.export import StudyExport, read_export

Key = tuple[str, str, str]  # edit, method, question


def imported(format: str, path: Path, scale: str, *options: str) -> StudyExport:
    out = path.parent / "export"
    arguments = [format, str(path), "--scale", scale, "--out", str(out), *options]
    done = CliRunner().invoke(import_ratings, arguments)
    if done.exception:
        raise done.exception
    return read_export(out)


def values(export: StudyExport) -> dict[Key, list[float]]:
    """Return the ratings of every item, in the order of the file."""
    found: dict[Key, list[float]] = {}
    for row in export.own.itertuples():
        found.setdefault((row.edit, row.method, row.question), []).append(row.value)
    return found


def refused(format: str, path: Path, scale: str, *options: str) -> str:
    """Return the lines that refuse a file."""
    with pytest.raises(UserError) as caught:
        imported(format, path, scale, *options)
    assert not (path.parent / "export").exists()
    return "\n".join(caught.value.lines).replace(f"{path.parent}/", "")


def test_every_format_is_listed_with_what_it_reads() -> None:
    text = CliRunner().invoke(import_ratings, ["--help"]).output
    for name in RATING_FORMATS.names():
        assert f"  {name} " in text
    wanted = {"csv", "imagenhub", "label-studio", "pearmut", "potato", "rapidata", "tdve"}
    assert wanted <= set(RATING_FORMATS.names())


# ImagenHub: a file a rater, CRLF, no newline at the end, blanks after commas vary.
FIRST = "uid\tEdA\tEdB\r\ns_17_1.jpg\t[0.5, 1]\t[0,0]\r\ns_17_2.jpg\t[1,1]\t[0,0.5]"
SECOND = "uid\tEdA\tEdB\r\ns_17_1.jpg\t[0,1]\t[0, 0]\r\ns_17_2.jpg\t[1,0.5]\t[0,1]"


def imagenhub(folder: Path, first: str = FIRST, second: str = SECOND) -> Path:
    (folder / "Task_rater1.tsv").write_bytes(first.encode())
    (folder / "Task_rater2.tsv").write_bytes(second.encode())
    return folder / "Task"


def test_imagenhub(tmp_path: Path) -> None:
    found = imported("imagenhub", imagenhub(tmp_path), "0:1")
    assert values(found) == {
        ("s_17_1.jpg", "EdA", "SC"): [0.5, 0], ("s_17_1.jpg", "EdA", "PQ"): [1, 1],
        ("s_17_1.jpg", "EdB", "SC"): [0, 0], ("s_17_1.jpg", "EdB", "PQ"): [0, 0],
        ("s_17_2.jpg", "EdA", "SC"): [1, 1], ("s_17_2.jpg", "EdA", "PQ"): [1, 0.5],
        ("s_17_2.jpg", "EdB", "SC"): [0, 0], ("s_17_2.jpg", "EdB", "PQ"): [0.5, 1],
    }  # fmt: skip
    assert set(found.own["video"]) == {"s_17"} and found.own["rater"].nunique() == 2


def test_an_image_that_was_edited_once_is_its_own_source(tmp_path: Path) -> None:
    one = "uid\tEdA\nsample_0.jpg\t[0,1]\nsample_1.jpg\t[1,1]"
    found = imported("imagenhub", imagenhub(tmp_path, one, one), "0:1")
    assert set(found.own["video"]) == {"sample_0.jpg", "sample_1.jpg"}


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (SECOND.replace("[0,1]", "0,1", 1), "Task_rater2.tsv:2: EdA: '0,1' should be two answers"),
        (SECOND.replace("EdB", "EdC"), "Task_rater2.tsv:1: its methods are not those of"),
        (SECOND.rpartition("\r\n")[0], "'s_17_2.jpg' is missing in Task_rater2.tsv"),
        (SECOND.replace("[0,1]", "[0,3]", 1), "Task_rater2.tsv:2: 3 is off the scale 0 to 1"),
        (SECOND.replace("s_17_2", "s_17_1"), "rates SC of 's_17_1.jpg' by EdA again"),
        (SECOND.replace("uid", "id"), "the first column should be uid, not 'id'"),
    ],
)
def test_damaged_imagenhub(tmp_path: Path, second: str, told: str) -> None:
    assert told in refused("imagenhub", imagenhub(tmp_path, second=second), "0:1")


def test_a_folder_of_several_tasks_is_asked_for_one(tmp_path: Path) -> None:
    imagenhub(tmp_path)
    (tmp_path / "Other_rater1.tsv").write_text(FIRST)
    assert "has Other and Task: name one" in refused("imagenhub", tmp_path, "0:1")


# Rapidata: counts of votes, keys are names of files, no rater.
def compared(**more: Any) -> dict[str, Any]:
    counts = {"kite__ours.mp4": 7, "kite__theirs.mp4": 3}
    one = {"context": "a blue kite", "winner": "kite__ours.mp4", "aggregatedResults": counts}
    detail = [{"votedFor": "kite__ours.mp4", "userDetails": {"country": "PT"}}]
    return one | {"detailedResults": detail} | more


def rapidata(folder: Path, *results: Any, kind: str = "compare") -> Path:
    info = {"type": kind, "name": "kites", "instruction": "Which follows the text better?"}
    path = folder / "results.json"
    path.write_text(json.dumps({"info": info, "results": list(results), "summary": {}}, indent=1))
    return path


def test_rapidata(tmp_path: Path) -> None:
    """Shares of votes won: .7 and .3; against a third .5, 2 of 4 being ties, so .6 on average."""
    again = {"kite__ours.mp4": 1, "kite__third.mp4": 1, "Both": 2}
    path = rapidata(tmp_path, compared(), compared(aggregatedResults=again))
    found = imported("rapidata", path, "0:1")
    assert found.means and found.questions == ["kites"]
    assert values(found) == {
        ("kite", "ours", "kites"): [pytest.approx(0.6)],
        ("kite", "theirs", "kites"): [pytest.approx(0.3)],
        ("kite", "third", "kites"): [pytest.approx(0.5)],
    }
    for table in (tmp_path / "export").glob("*.csv"):
        assert "PT" not in table.read_text()


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (compared(aggregatedResults={"kite__ours.mp4": 7}), "result 1 has no counts of two clips"),
        (compared(aggregatedResults={"a.mp4": 7, "b.mp4": 3}), "does not tell edit and method"),
        (compared(aggregatedResults={"a__x.mp4": 7, "b__y.mp4": 3}), "two clips of one edit"),
        (compared(aggregatedResults={"a__x.mp4": 0, "a__y.mp4": 0}), "with votes"),
        (compared(aggregatedResults={"a__x.mp4": "7", "a__y.mp4": 3}), "has no counts"),
        ("text", "result 1 has no counts"),
    ],
)
def test_damaged_rapidata(tmp_path: Path, result: Any, told: str) -> None:
    assert told in refused("rapidata", rapidata(tmp_path, result), "0:1")


def test_other_rapidata(tmp_path: Path) -> None:
    path = rapidata(tmp_path, compared(), kind="classify")
    assert "only results of compare orders are read" in refused("rapidata", path, "0:1")
    path.write_text('{"info": {')
    assert "results.json:1: this is no JSON" in refused("rapidata", path, "0:1")
    path.write_text("[]")
    assert "it should have info and a list of results" in refused("rapidata", path, "0:1")


# Pearmut: a log of JSON lines.
def rated(
    user: str, item: Any, score: Any, name: str = "kite_1", other: Any = 35
) -> dict[str, Any]:
    answers = {"ours": {"score": score, "error_spans": []}, "theirs": {"score": other}}
    segment = {"item_id": name, "src": "a blue kite", "tgt": {"ours": "<video src='a.mp4'>"}}
    return {"user_id": user, "item_i": item, "item": [segment], "annotation": [answers]}


def pearmut(folder: Path, *lines: Any) -> Path:
    path = folder / "log.jsonl"
    path.write_text(
        "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
    )
    return path


def test_pearmut(tmp_path: Path) -> None:
    """The last line of a rater and item counts; a reset voids those before; pages do not count."""
    path = pearmut(
        tmp_path, rated("u1", 4, 10), rated("u1", 4, 80), rated("u2", 4, 60), rated("u3", 4, 1),
        {"user_id": "u3", "item_i": 4, "annotation": "__RESET__"}, rated("u1", "welcome_0", 5),
        {"user_id": "u1", "item_i": 5, "item": [{"item_id": "x"}], "annotation": [None]},
    )  # fmt: skip
    found = imported("pearmut", path, "0:100")
    assert values(found) == {
        ("kite_1", "ours", "score"): [80, 60],
        ("kite_1", "theirs", "score"): [35, 35],
    }
    assert found.own["rater"].nunique() == 2 and set(found.own["prompt"]) == {"a blue kite"}
    assert found.origin is not None
    assert "2 lines were rated again or reset later" in " ".join(found.origin["remarks"])


def test_an_id_that_pearmut_gives_twice_is_two_edits(tmp_path: Path) -> None:
    found = imported("pearmut", pearmut(tmp_path, rated("u", 1, 5), rated("u", 2, 6)), "0:100")
    assert set(found.own["edit"]) == {"kite_1 (1.0)", "kite_1 (2.0)"}


def test_sliders_of_pearmut_are_questions(tmp_path: Path) -> None:
    line = rated("u", 1, 5)
    line["annotation"] = [{"ours": {"fluency": 3, "adequacy": 4.5, "error_spans": []}}]
    found = imported("pearmut", pearmut(tmp_path, line), "0:5")
    assert found.questions == ["fluency", "adequacy"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"user_id": ', "log.jsonl:2: this line is no JSON"),
        ("[1]", "log.jsonl:2: this line should be an object"),
        (rated("u2", 4, 180), "log.jsonl:2: 180 is off the scale 0 to 100"),
        (rated("u2", 4, None), "log.jsonl:2: no score of ours on 'kite_1'"),
        (rated("u2", 4, 5) | {"annotation": []}, "1 segments in item, 0 in annotation"),
        (rated("u2", 4, 5) | {"user_id": 7}, "user_id and item_i should say who rated what"),
        (rated("u2", 4, 5) | {"annotation": [[1]]}, "should be one by model"),
        (rated("u2", 4, True), "log.jsonl:2: True is no number"),
    ],
)
def test_damaged_pearmut(tmp_path: Path, line: Any, told: str) -> None:
    assert told in refused("pearmut", pearmut(tmp_path, rated("u1", 4, 80), line), "0:100")


# Potato: the value is the label's name; edit and method are in the instance's id.
def labelled(user: str = "u1", instance: str = "kite__ours", labels: Any = None) -> dict[str, Any]:
    labels = {"alignment": {"4": "4"}, "quality": {"2": True}} if labels is None else labels
    return {"instance_id": instance, "user_id": user, "labels": labels, "spans": {}, "links": {}}


def test_potato(tmp_path: Path) -> None:
    path = pearmut(tmp_path, labelled(), labelled("u2", "kite__theirs", {"alignment": {"1": "1"}}))
    assert values(imported("potato", path, "1:5")) == {
        ("kite", "ours", "alignment"): [4],
        ("kite", "ours", "quality"): [2],
        ("kite", "theirs", "alignment"): [1],
    }


def test_potato_as_it_keeps_users(tmp_path: Path) -> None:
    for user, value in (("anna", "5"), ("ben", "3")):
        (tmp_path / "out" / user).mkdir(parents=True)
        state = {
            "user_id": user,
            "instance_id_to_label_to_value": {"kite__a": {"q": {value: value}}},
        }
        (tmp_path / "out" / user / "user_state.json").write_text(json.dumps(state))
    found = imported("potato", tmp_path / "out", "1:5")
    assert values(found) == {("kite", "a", "q"): [5, 3]}


def test_words_and_names_of_another_order(tmp_path: Path) -> None:
    path = pearmut(tmp_path, labelled("u", "ours/kite.mp4", {"q": {"Good": "Good"}}))
    found = imported(
        "potato", path, "bad<good", "--name-pattern", r"(?P<method>[^/]+)/(?P<edit>.+)\.mp4"
    )
    assert values(found) == {("kite", "ours", "q"): [2]}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (labelled(labels={"q": {"1": "1", "2": "2"}}), "log.jsonl:1: q of kite__ours: one label"),
        (labelled(labels={"q": {}}), "log.jsonl:1: no q of kite__ours"),
        (labelled(labels=[1]), "should be those of schemas"),
        (labelled(instance="kite"), "'kite' does not tell edit and method"),
        (labelled() | {"user_id": None}, "user_id and instance_id should say"),
        (labelled(labels={"q": {"great": "great"}}), "log.jsonl:1: 'great' is no number"),
        ("{", "this line is no JSON"),
    ],
)
def test_damaged_potato(tmp_path: Path, line: Any, told: str) -> None:
    assert told in refused("potato", pearmut(tmp_path, line), "1:5")


# Label Studio: a list of tasks.
def task(*results: Any, by: Any = 5, clip: str = "kite__ours.mp4", **more: Any) -> dict[str, Any]:
    one = {"id": 3, "completed_by": by, "was_cancelled": False, "ground_truth": False} | more
    data = {"video": clip, "prompt": "Make the kite blue."}
    return {"id": 12, "data": data, "annotations": [one | {"result": list(results)}]}


def result(kind: str = "rating", value: Any = 4, name: str = "align") -> dict[str, Any]:
    return {"from_name": name, "to_name": "video", "type": kind, "value": {kind: value}}


def label_studio(folder: Path, *tasks: Any) -> Path:
    path = folder / "tasks.json"
    lines = ",\n".join(json.dumps(one) for one in tasks)
    path.write_text(f"[\n{lines}\n]\n")
    return path


def test_label_studio(tmp_path: Path) -> None:
    """Skips and the owner's answers are no votes; an object of a rater has an e-mail as well."""
    path = label_studio(
        tmp_path, task(result(), result("number", 2.5, "speed")),
        task(result(value=1), by={"id": 7, "email": "anna@example.org"}, clip="kite__theirs.mp4"),
        task(result(value=5), was_cancelled=True), task(result(value=5), ground_truth=True),
    )  # fmt: skip
    found = imported("label-studio", path, "1:5")
    assert values(found) == {
        ("kite", "ours", "align"): [4],
        ("kite", "ours", "speed"): [2.5],
        ("kite", "theirs", "align"): [1],
    }
    assert found.own["line"].tolist() == [2, 2, 3]
    for table in (tmp_path / "export").iterdir():
        assert b"anna" not in table.read_bytes()


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (task(result(value=9), by=6), "tasks.json:3: 9 is off the scale 1 to 5"),
        (task(result("choices", ["a", "b"]), by=6), "tasks.json:3: align has not one choice"),
        (task(result("pairwise", "left"), by=6), "'pairwise', which is no rating: --drop align"),
        (task(result(), by=None), "should have completed_by and a list result"),
        (task(result(), by=6, clip="kite.mp4"), "tasks.json:3: data has no edit and method"),
        (task(result()), "tasks.json:3: rater '5' rates align of 'kite' by ours again"),
        ({"id": 1}, "tasks.json:3: a task should have data"),
        (task() | {"annotations": 3}, "should have a list of annotations"),
    ],
)
def test_damaged_label_studio(tmp_path: Path, second: Any, told: str) -> None:
    path = label_studio(tmp_path, task(result()), second)
    assert told in refused("label-studio", path, "1:5")


def test_uploads_to_label_studio_keep_their_names(tmp_path: Path) -> None:
    """It puts eight digits of a UUID before a name (its data_import, `upload_name_generator`)."""
    clips = ("/data/upload/3/0a1b2c3d-kite__ours.mp4", "/data/upload/3/9f8e7d6c-kite__other.mp4")
    path = label_studio(tmp_path, *(task(result(), clip=clip) for clip in clips))
    assert {(e, m) for e, m, _ in values(imported("label-studio", path, "1:5"))} == {
        ("kite", "ours"), ("kite", "other"),
    }  # fmt: skip


def test_half_an_answer_of_imagenhub_may_be_missing(tmp_path: Path) -> None:
    path = imagenhub(tmp_path, FIRST.replace("[0.5, 1]", "[nan, 1]"))
    assert "'nan' is no number (SC)" in refused("imagenhub", path, "0:1")
    found = values(imported("imagenhub", path, "0:1", "--skip-empty"))
    assert len(found["s_17_1.jpg", "EdA", "SC"]) == 1
    assert len(found["s_17_1.jpg", "EdA", "PQ"]) == 2


def test_what_is_no_list_of_tasks(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text('[{"id": 1},\n{"id": ]')
    assert "tasks.json:2: this is no JSON" in refused("label-studio", path, "1:5")
    path.write_text('{"id": 1}')
    assert "it should be a list of tasks" in refused("label-studio", path, "1:5")


# TDVE: a clip's number repeats in every category.
TDVE = (
    "category,clip,method,question,mos,prompt\n"
    "Ink painting,12,RAVE,quality,76.0,a kite\uff0c grey\n"
)


def test_tdve(tmp_path: Path) -> None:
    path = tmp_path / "mos.csv"
    path.write_text(TDVE + "Sketch,12,RAVE,quality,40.5,\n")
    found = imported("tdve", path, "0:100")
    assert found.means and values(found) == {
        ("Ink painting/12", "RAVE", "quality"): [76],
        ("Sketch/12", "RAVE", "quality"): [40.5],
    }
    assert set(found.own["video"]) == {"Ink painting/12", "Sketch/12"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TDVE + "Sketch,12,RAVE,quality,140,\n", "mos.csv:3: 140 is off the scale 0 to 100"),
        (TDVE + TDVE.splitlines()[1] + "\n", "mos.csv:3: the file rates quality of"),
        (TDVE.replace("mos", "score"), "has no column 'mos'"),
        (TDVE + "Sketch,12,RAVE\n", "mos.csv:3: 3 cells here, 6 in the first line"),
        (TDVE + "Sketch,12,RAVE,quality,,\n", "mos.csv:3: no value of quality"),
        (TDVE + "Sketch,12,RAVE,quality,good,\n", "mos.csv:3: 'good' is no number"),
    ],
)
def test_damaged_tdve(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mos.csv"
    path.write_text(text)
    assert told in refused("tdve", path, "0:100")


# Damage at random: whatever a file holds, it is read or refused in words, never a traceback.
PIECES = (
    *(b"null", b"[]", b"{}", b"-1", b"1e999", b"NaN", b"true", b'"', b",", b"\n", b"\0", b"\xff"),
    *(b"=1+1", b"../", b'"a":1,', b"\xe2\x80\xae", b"9" * 30, b";", b"\t", b"\r"),
)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return bytes of which some are cut out, put in or written over."""
    for _ in range(rng.randint(1, 3)):
        at, length = rng.randrange(len(data) + 1), rng.randint(0, 10)
        piece = rng.choice((b"", *PIECES))
        data = data[:at] + piece + data[at + length * rng.randint(0, 1) :]
    return data


def small_file(format: str, folder: Path) -> tuple[Path, Path, str]:
    """Return where to read a format, a file of it and the scale."""
    if format == "imagenhub":
        return imagenhub(folder), folder / "Task_rater2.tsv", "0:1"
    if format in ("csv", "tdve", "viescore"):
        path = folder / "votes.csv"
        path.write_text(TDVE if format == "tdve" else "edit,method,rater,q\nk,m,a,1\nk,n,a,0\n")
        return path, path, "0:100"
    made = {
        "rapidata": lambda: rapidata(folder, compared()),
        "pearmut": lambda: pearmut(folder, rated("u1", 4, 10), rated("u2", 4, 20)),
        "potato": lambda: pearmut(folder, labelled(), labelled("u2")),
        "label-studio": lambda: label_studio(folder, task(result()), task(result(), by=6)),
    }
    path = made[format]()
    return path, path, "0:100"


@pytest.mark.parametrize("format", RATING_FORMATS.names())
def test_random_damage_is_refused_in_words(tmp_path: Path, format: str) -> None:
    rng = random.Random(format)
    for turn in range(15):
        folder = tmp_path / str(turn)
        folder.mkdir()
        path, file, scale = small_file(format, folder)
        file.write_bytes(damaged(file.read_bytes(), rng))
        try:
            imported(format, path, scale)
        except UserError as error:
            assert all(line.isprintable() for line in error.lines)


def conversation(answer: str, clip: str = "/d/2video2/oil painting/edit_video/RAVE/12.mp4") -> Any:
    said = [{"role": "user", "content": "<video> .. prompt: a kite over snow"},
            {"role": "assistant", "content": answer}]  # fmt: skip
    return {"messages": said, "videos": clip}


def tdve_lists(folder: Path, *feel: Any) -> Path:
    """Structure in training, alignment in the test cut, a list of a few that nobody reads."""
    lists = {"feel_train": feel, "text_test": [conversation("it is good(60.5)")],
             "feel_small": [conversation("it is bad(1)")]}  # fmt: skip
    (folder / "lists").mkdir()
    for name, told in lists.items():
        (folder / "lists" / f"{name}.json").write_text(json.dumps(list(told), indent=1))
    return folder / "lists"


def test_lists_of_tdve(tmp_path: Path) -> None:
    """Roots differ between questions: the last four parts of a path tell the clip."""
    other = "/d/new_dataset/oil painting/edit_video/ccedit/12.mp4"
    path = tdve_lists(tmp_path, conversation("is good(76.0)"), conversation("is pool(20)", other))
    found = imported("tdve", path, "0:100")
    assert found.means and values(found) == {
        ("oil painting/12", "RAVE", "structure"): [76],
        ("oil painting/12", "ccedit", "structure"): [20],
        ("oil painting/12", "RAVE", "alignment"): [60.5],
    }
    assert set(found.own["prompt"]) == {"a kite over snow"}
    assert found.own["line"].tolist() == [2, 15, 2]


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (conversation("is good"), "feel_train.json:2: the answer should end with its score"),
        (conversation("is good(high)"), "feel_train.json:2: 'high' is no number"),
        (conversation("is good(120)"), "feel_train.json:2: 120 is off the scale 0 to 100"),
        (conversation("(7)", "12.mp4"), "feel_train.json:2: videos should be"),
        ({"videos": "a/edit_video/b/1.mp4"}, "the answer should end with its score"),
        ("text", "feel_train.json:2: videos should be"),
        ({"messages": 3.7, "videos": "a/edit_video/b/1.mp4"}, "should end with its score"),
    ],
)
def test_damaged_lists_of_tdve(tmp_path: Path, one: Any, told: str) -> None:
    assert told in refused("tdve", tdve_lists(tmp_path, one), "0:100")
