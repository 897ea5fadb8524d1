"""Reading what a judge answered: a value that it gave, or a reason; never an invented number."""

import csv
import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from chat_server import reply

from evaluation.judge.chat_answer import NoAnswer, answer_of
from evaluation.judge.reading import (
    AnswerToken,
    ModelAnswer,
    Scale,
    choice_of,
    expected_score,
    is_masked,
    json_choice,
    json_score,
    json_scores,
)

FIVE = Scale(1, 5)
HOSTILE = {
    "I refuse, there are 3 people": "refused",
    "I'm sorry, but I can't rate this. 4": "refused",
    "10 out of 10": "unreadable",
    "between 3 and 4": "unreadable",
    "In the 1st video it is so, score: 5 (1st video)": "unreadable",
    "4/5": "unreadable",
    "4": "unreadable",
    "-1": "unreadable",
    "NaN": "unreadable",
    "four": "unreadable",
    '```json\n{"score": 4}\n```': "unreadable",
    'Sure! {"score": 4}': "unreadable",
    '{"score": 4} {"score": 2}': "unreadable",
    '{"score": 4}\n{"score": 4}': "unreadable",
    '{"score": 4, "score": 2}': "unreadable",
    '{"score": 4, "other": 1}': "unreadable",
    '{"Score": 4}': "unreadable",
    '{"score": "4"}': "unreadable",
    '{"score": [4]}': "unreadable",
    '{"score": 4.5}': "unreadable",
    '{"score": true}': "unreadable",
    '{"score": null}': "unreadable",
    '{"score": NaN}': "unreadable",
    '{"score": Infinity}': "unreadable",
    '{"score": 1e999}': "unreadable",
    '{"score": 4': "unreadable",
    "[4]": "unreadable",
    '{"score": \u0664}': "unreadable",
    '{"score": -1}': "other scale",
    '{"score": 0}': "other scale",
    '{"score": 6}': "other scale",
    '{"score": 85}': "other scale",
    "": "empty",
    "  \n": "empty",
    "[" * 100_000: "unreadable",
    "\ud800": "unreadable",
}


def heard(chances: dict[str, float], text: str = "?") -> ModelAnswer:
    return answer_of(reply(text, chances))


class TestJson:
    @pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
    def test_the_declared_form_alone_is_a_score(self, n: int) -> None:
        assert json_score(ModelAnswer(f' {{"score": {n}}}\n'), FIVE) == ("ok", n, None, None)

    @pytest.mark.parametrize("text", HOSTILE)
    def test_anything_else_is_a_reason_with_its_text_and_no_number(self, text: str) -> None:
        found = json_score(ModelAnswer(text, "stop"), FIVE)
        assert (found.kind, found.value) == (HOSTILE[text], None)
        assert found.reason and len(found.reason) < 300 and found.reason.isprintable()
        if text.strip() and text.isprintable() and len(text) < 100:
            assert text.strip() in found.reason

    def test_what_the_server_says_goes_before_what_stands_in_the_text(self) -> None:
        score = '{"score": 5}'
        kinds = [
            json_score(ModelAnswer(score, finish, refusal), FIVE).kind
            for finish, refusal in (("length", None), ("content_filter", None), ("stop", "No."))
        ]
        assert kinds == ["truncated", "moderated", "refused"]


class TestExpectation:
    def test_it_is_the_mean_of_the_distribution_over_all_spellings(self) -> None:
        found = expected_score(heard({"5": 0.5, " 5": 0.1, "4": 0.3, "\n1": 0.05, "x": 0.05}), FIVE)
        # (.6 * 5 + .3 * 4 + .05 * 1) / .95
        assert found.kind == "ok" and found.value == pytest.approx(4.25 / 0.95)
        assert found.mass == pytest.approx(0.95)

    @pytest.mark.parametrize(("on", "kind"), [(0.91, "ok"), (0.89, "did not answer")])
    def test_below_nine_tenths_on_the_scale_it_did_not_answer(self, on: float, kind: str) -> None:
        found = expected_score(heard({"3": on, "The": 1 - on}, "The"), FIVE)
        assert (found.kind, found.value is None) == (kind, kind != "ok")
        assert found.mass == pytest.approx(on)

    def test_a_ten_is_not_a_one_nor_is_a_number_beyond_the_scale(self) -> None:
        assert expected_score(heard({"10": 0.6, "6": 0.2, "0": 0.2}), FIVE).kind == "did not answer"

    def test_a_refusal_is_called_one(self) -> None:
        assert expected_score(heard({"I": 1.0}, "I refuse, there are 3"), FIVE).kind == "refused"
        assert (
            expected_score(answer_of(reply("", {"5": 1.0}, refusal="No")), FIVE).kind == "refused"
        )
        told = answer_of(reply("", {"5": 1.0}, finish="content_filter"))
        assert expected_score(told, FIVE).kind == "moderated"

    def test_without_probabilities_no_digit_is_taken_instead(self) -> None:
        found = expected_score(answer_of(reply("5")), FIVE)
        assert (found.kind, found.value) == ("no probabilities", None)

    @pytest.mark.parametrize("odd", [math.nan, math.inf, 3.0, True, "x", None])
    def test_what_is_no_logarithm_of_a_probability_gives_no_number(self, odd: Any) -> None:
        held = reply("5", {"5": 0.6, "4": 0.39})
        held["choices"][0]["logprobs"]["content"][0]["top_logprobs"][1]["logprob"] = odd
        assert expected_score(answer_of(held), FIVE).value is None

    def test_more_than_a_whole_of_probability_is_none(self) -> None:
        tokens = (AnswerToken("5", math.log(0.8)), AnswerToken("4", math.log(0.7)))
        assert expected_score(ModelAnswer("5", first=tokens), FIVE).kind == "unreadable"

    def test_a_scale_forced_on_a_question_about_planets_is_seen(self) -> None:
        assert is_masked(heard({"3": 0.6, "4": 0.4}), FIVE)
        assert not is_masked(heard({"Earth": 0.99, "3": 0.01}), FIVE)
        assert not is_masked(answer_of(reply("3")), FIVE)

    def test_letters_are_read_alike(self) -> None:
        found = choice_of(heard({"A": 0.6, " b": 0.2, "C": 0.2}), ("A", "B", "C"))
        assert found.shares == pytest.approx({"A": 0.6, "B": 0.2, "C": 0.2})


@pytest.mark.parametrize("held", [None, [], {}, {"choices": []}, {"choices": [{"message": 4}]}])
def test_a_reply_of_another_form_is_no_answer(held: Any) -> None:
    with pytest.raises(NoAnswer):
        answer_of(held)


class TestRecorded:
    """Answers of four judges on ImagenHub, which their authors read with a guess as last resort."""

    @pytest.mark.parametrize("part", ["text", "subject"])
    def test_a_value_is_read_only_where_the_published_table_has_it(
        self, shared_dir: Path, part: str
    ) -> None:
        folder = shared_dir / "ratings" / "imagenhub"
        if not folder.is_dir():
            pytest.skip(f"no recorded answers at {folder}")
        with gzip.open(folder / f"{part}-scores.csv.gz", "rt") as file:
            rows = csv.DictReader(file)
            published = {
                (r["edit"], r["method"], r["metric"], r["question"], r["part"]): r["value"]
                for r in rows
            }
        read = gaps = 0
        with gzip.open(folder / f"{part}-answers.jsonl.gz", "rt") as file:
            for line in file:
                held = json.loads(line)
                found = _read(held)
                read, gaps = read + bool(found), gaps + (not found)
                where = held["edit"], held["method"], held["judge"], held["question"]
                for place, value in enumerate(found):
                    assert value == float(published[(*where, str(place))]), held
        # 2,863 + 2,857 + 1 + 2,835 + 2,730 of two scores each, and so on: counted in the files
        assert (read, gaps) == {"text": (11_286, 105), "subject": (3_189, 440)}[part]


def _read(held: dict[str, Any]) -> tuple[float, ...]:
    """The scores of a recorded answer; one that its authors guessed is the text they guessed at."""
    reasons = str(held["reasoning"] or "")
    _, guess, text = reasons.partition("guess_if_cannot_parse | ")
    told = {name: held[name] for name in ("score", "reasoning")}
    answer = ModelAnswer(text if guess else json.dumps(told), "stop")
    assert json_score(answer, Scale(0, 10)).value is None  # another form than ours
    prose = ModelAnswer(reasons, "stop")
    assert not json_scores(prose, Scale(0, 10), parts=2, beside=["reasoning"], whole=False).values
    return json_scores(answer, Scale(0, 10), parts=2, beside=["reasoning"], whole=False).values


@pytest.mark.parametrize(
    ("text", "kind", "shares"),
    [
        ('{"answer": "B"}', "ok", {"A": 0, "B": 1}),
        (' {"answer": "a "}\n', "ok", {"A": 1, "B": 0}),
        ('{"answer": "Both"}', "unreadable", {}),  # FiVE reads that as b
        ('{"answer": "B", "score": 1}', "unreadable", {}),
        ('{"answer": ["B"]}', "unreadable", {}),
        ("B", "unreadable", {}),
        ("I cannot say B", "refused", {}),
        ("", "empty", {}),
    ],
)
def test_an_option_in_json_is_that_option_or_none(
    text: str, kind: str, shares: dict[str, float]
) -> None:
    found = json_choice(ModelAnswer(text, "stop"), ("A", "B"))
    assert (found.kind, found.shares) == (kind, shares)
