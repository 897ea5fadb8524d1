"""All that a rater reads, in one language, and which of a study's languages is meant.

A second language is one more block of study.yaml.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Direction = Literal["ltr", "rtl"]
# Living languages that are written from right to left unless their code names another script
# (Unicode CLDR 46, likely subtags; `iw` and `ji` are the old codes of Hebrew and Yiddish).
_LANGUAGES = re.compile(
    "acm|aeb|aii|ajp|apc|ar|ara|arb|arc|arq|ars|ary|arz|ayl|azb|bal|bgn|bqi|brh|ckb|dcc|div|dv|fa|"
    "fas|glk|haz|he|heb|iw|ji|kas|khw|ks|lki|lrc|luz|mzn|nqo|pbt|pbu|per|pes|pnb|prs|ps|pus|rhg|sd|"
    "sdh|skr|snd|syc|syr|ug|uig|ur|urd|uzs|yi|yid"
)
_SCRIPTS = re.compile("adlm|arab|aran|hebr|mand|mend|nkoo|rohg|samr|syrc|thaa|yezi")
_SCRIPT = re.compile(r"[a-z]{4}")
DefectKind = Literal["flicker", "identity", "left_over", "leaked", "distorted", "motion", "text"]
DEFECTS: tuple[DefectKind, ...] = get_args(DefectKind)
SEVERITIES = 3  # 3 the worst
POINTS = 5  # of every scale, 5 the best
WIDTH = POINTS - 1  # of a scale: no two methods can differ by more

Line = Annotated[str, Field(min_length=1)]
_PLACE = re.compile(r"\{(\w+)\}")


def closest_language(asked: str | None, codes: Iterable[str]) -> str | None:
    """Return the code that is meant by one that is asked for; None if none is near.

    However it is spelled (`PT_br`), then without its last parts (`ar-EG`: `ar`; RFC 4647, 3.4),
    then the first of the same language (`pt`: `pt-BR`).
    """
    known: dict[str, str] = {}
    for code in codes:
        if code == asked:
            return code
        known.setdefault(_plain(code), code)
    parts = _plain(asked or "").split("-")
    for length in range(len(parts), 0, -1):
        if found := known.get("-".join(parts[:length])):
            return found
    alike = (code for plain, code in known.items() if plain.split("-")[0] == parts[0])
    return next(alike, None)


def _plain(code: str) -> str:
    return code.strip().replace("_", "-").lower()


def direction_of(code: str, text: str) -> Direction:
    """Return the direction of a language with this code (BCP 47), of which `text` is a sample."""
    language, *rest = re.split("[-_]", code.lower())
    script = next((part for part in rest if _SCRIPT.fullmatch(part)), None)
    if script:
        return "rtl" if _SCRIPTS.fullmatch(script) else "ltr"
    known = _LANGUAGES.fullmatch(language)
    return "rtl" if known or is_right_to_left(text) else "ltr"


def is_right_to_left(text: str) -> bool:
    """Return True if most letters run from right to left (Unicode, UAX 9: classes R and AL)."""
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    return kinds.count("R") + kinds.count("AL") > kinds.count("L")


def filled(text: str, facts: Mapping[str, object]) -> str:
    """Return a text with its {places} filled; as `filled` of player/dom.js does."""
    return _PLACE.sub(lambda found: str(facts.get(found[1], found[0])), text)


def places(*names: str) -> AfterValidator:
    """Return the check that these can stand in braces in a line, and nothing else."""

    def checked(text: str) -> str:
        if wrong := [name for name in _PLACE.findall(text) if name not in names]:
            known = " and ".join(f"{{{name}}}" for name in names)
            raise ValueError(f"{{{wrong[0]}}} is filled with nothing; {known} can stand here")
        return text

    return AfterValidator(checked)


class StrictModel(BaseModel):
    """A part of study.yaml: unknown keys are mistakes, values are final."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class QuestionText(StrictModel):
    """A question and the words of its scale, from 1, the worst, to 5, the best."""

    ask: Line
    labels: Annotated[tuple[Line, ...], Field(min_length=POINTS, max_length=POINTS)]


class PairText(StrictModel):
    """A question of the pairwise design, and the words of its three answers."""

    ask: Line
    left: Line
    tie: Line
    right: Line


class Quiz(StrictModel):
    """A question about the instructions; `answer` is the number of the right option, from 1."""

    ask: Line
    options: Annotated[tuple[Line, ...], Field(min_length=2, max_length=6)]
    answer: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _has_its_answer(self) -> "Quiz":
        if self.answer > len(self.options):
            raise ValueError(f"answer {self.answer} is not one of its {len(self.options)} options")
        return self


class Buttons(StrictModel):
    """What buttons and labels say."""

    next: Line
    back: Line
    agree: Line
    decline: Line
    plays: Line
    again: Line  # check the device once more
    replay: Line
    pause: Line
    play: Line
    does_not_play: Line
    skip: Line  # the trial that does not play
    source: Line
    edit: Line
    left: Line
    right: Line
    prompt: Line
    progress: Annotated[Line, places("done", "total")]
    submit: Line
    leave: Line
    done: Line  # back to the recruiting platform


OPENING = "This page is loading. Over a slow connection it takes a few seconds."


class Notes(StrictModel):
    """What the page and the player say meanwhile."""

    opening: Line = OPENING
    loading: Line
    loading_slow: Line = "The connection is slow: the clips are still on their way."
    load_failed: Annotated[Line, places("why")]
    watched: Annotated[Line, places("percent")]
    answer_all: Line
    keys: Line
    pair_keys: Line
    saving: Line
    slow: Line  # the server does not answer
    skip: Line  # before a trial that does not play is left out
    leave: Line  # before the study is left
    practice: Line  # in place of the progress
    comment: Line  # above the field
    yours: Line  # marks a rater's own answer
    expected: Line  # marks the answer that is expected


MOST_MARKS = "There is room for {most} faults. Remove one if this one matters more."


class DefectWords(StrictModel):
    """What the panel says in which raters mark where an edit is broken."""

    ask: Line
    how: Line
    which: Line  # of a pair
    start: Line
    end: Line
    place: Line  # button
    place_how: Line  # while the box is drawn
    whole: Line  # button that takes the box away
    what: Line
    kinds: dict[DefectKind, Line]
    how_bad: Line
    severities: Annotated[tuple[Line, ...], Field(min_length=SEVERITIES, max_length=SEVERITIES)]
    add: Line
    remove: Line
    most: Annotated[Line, places("most")] = MOST_MARKS
    marked: Annotated[Line, places("start", "end", "kind", "severity")]


FULL = """## All places are taken at the moment
Other people are rating right now. If one of them stops, there will be a place for you: use the same
link again in an hour, or check again now."""

SLOW = (
    "The clip has not arrived yet: your connection is slow. Please wait a little and check again, "
    "or use another connection."
)
NO_PLAY = (
    "Too many clips do not play on this device, so the study ends here for you. Thank you for your "
    "time; your answers so far have been saved."
)


class Texts(StrictModel):
    """Every screen in one language; Markdown, but for labels."""

    language: Line  # its own name, such as "English"
    dir: Direction | None = None  # ltr or rtl; without it, as the language is written
    title: Line
    welcome: Line
    consent: Line
    declined: Line
    device: Line
    device_unfit: Line
    device_narrow: Annotated[Line, places("width", "least")]
    device_phone: Line
    device_slow: Line = SLOW
    device_plays_not: Annotated[Line, places("why")]
    device_said_not: Line  # the rater says that it does not play
    instructions: Line
    pair_instructions: Line
    training: Line
    training_feedback: Annotated[Line, places("expected")]
    quiz_intro: Line
    quiz_wrong: Line
    quiz_failed: Line
    watch_first: Line
    paused: Line
    resume: Line
    comment: Line
    thanks: Line
    code: Line  # above the completion code
    early_code: Line  # above the code of those who end early
    redirect: Annotated[Line, places("seconds")]
    full: Line = FULL
    closed: Line
    on_hold: Line  # the researcher paused the study
    no_play: Line = NO_PLAY
    left: Line
    unknown_link: Line
    trouble: Line  # the page itself failed
    trap: Line  # burnt into a clip, with {answer}
    buttons: Buttons
    notes: Notes
    questions: dict[str, QuestionText]
    pair_questions: dict[str, PairText]
    quiz: tuple[Quiz, ...]
    pair_quiz: tuple[Quiz, ...]
    defects: DefectWords | None = None  # needed where `defects.ask` is on
