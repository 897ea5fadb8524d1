"""study.yaml: what it holds, and reading it; all that is wrong in it is told at once, by line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from dreamix.core.errors import Mistakes, UserError
from dreamix.core.names import why_no_path
from dreamix.core.yaml_reading import Document, Limits, Place, parse_document, read_document
from dreamix.core.yaml_typed import Findings, refuse
from study_app.spec.texts import (
    DEFECTS,
    DefectKind,
    DefectWords,
    Direction,
    Quiz,
    StrictModel,
    Texts,
    closest_language,
    direction_of,
)

AXES: tuple["Axis", ...] = ("alignment", "fidelity", "quality")
Axis = Literal["alignment", "fidelity", "quality"]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
STUDY_FILE = "study.yaml"
LIMITS = Limits()


def _some_place(path: Path) -> Path:
    if why := why_no_path(str(path)):
        raise ValueError(why)
    return path


FilePath = Annotated[Path, AfterValidator(_some_place)]  # relative to study.yaml


def _listed(given: object) -> object:
    """Return one or several places, as a file says them, as several."""
    return (given,) if isinstance(given, str | Path) else given or ()


class Checks(StrictModel):
    """Trials of a list besides those that are rated for their own sake, and what they ask."""

    training: Count = 3
    traps: Count = 1
    gold: Count = 1
    repeats: Count = 1
    gold_tolerance: Annotated[int, Field(ge=0, le=3)] = 1
    quiz_tries: Positive = 2
    font: Annotated[tuple[FilePath, ...], BeforeValidator(_listed)] = ()  # of the words in traps


class PlaybackRules(StrictModel):
    """When a clip counts as watched: the union of the played parts, at a normal speed, seen."""

    coverage: Share = 0.95
    fastest_rate: Annotated[float, Field(ge=1, le=4)] = 1.25
    most_unplayable: Share = 0.3  # of a list; beyond that the study ends for the rater


class DeviceRules(StrictModel):
    """What a rater needs: pixels of the window and of clips, and whether phones will do."""

    least_width: Positive = 320
    least_height: Positive = 200  # of a clip on the screen; the page scrolls instead
    phones: bool = True


class DefectRules(StrictModel):
    """Whether raters are asked where an edit is broken, and which kinds of faults they can name."""

    ask: bool = False
    kinds: Annotated[tuple[DefectKind, ...], Field(min_length=1)] = DEFECTS


class ExclusionRules(StrictModel):
    """Pre-declared reasons to leave a rater out of the analysis; 0 turns a rule off.

    They never decide payment: that is a list of its own.
    """

    failed_traps: Count = 1
    failed_gold: Count = 2
    failed_playback: Count = 1  # answers to clips that were not watched
    straight_line: Share = 0.15  # at or below this variance of all ratings
    unplayable: Share = 0.3  # share of trials that did not play
    least_ratings: Count = 5


class Recruiting(StrictModel):
    """Where raters come from, and the codes they leave with."""

    kind: Literal["open", "prolific", "mturk", "invited"] = "open"
    completion_code: str | None = None
    screen_out_code: str | None = None
    completion_url: str | None = None

    @model_validator(mode="after")
    def _has_codes(self) -> "Recruiting":
        if self.kind == "prolific" and not self.completion_code:
            raise ValueError(f"{self.kind} needs a completion_code")
        return self


class StudySize(StrictModel):
    """How many ratings are wanted, and how many one rater gives."""

    edits: Positive | None = None  # at most, drawn from all that fit
    votes: Positive = 5  # of every edit by every method
    trials: Positive = 20  # of one rater, checks and training not counted
    raters: Positive | None = None  # at most, whatever the votes say
    break_after: Positive | None = 12  # trials
    lease_minutes: Positive = 60  # without a sign of life, after which trials go to others


class AdaptiveRules(StrictModel):
    """When methods are compared enough: votes then go to those that are not, see docs/study.md."""

    first: Annotated[int, Field(ge=10)] = 20  # raters of both methods, before which nothing is
    planned: Annotated[int, Field(ge=10)] = 40  # raters at which intervals are narrowest
    ahead: Annotated[float, Field(ge=0, le=4)] = 0.0  # points beyond which one is surely ahead
    alike: Annotated[float, Field(ge=0, le=4)] = 0.25  # points within which they are surely alike
    level: Annotated[float, Field(ge=0.1, le=0.999)] = 0.95  # of all intervals together
    clips: Literal["sample", "fixed"] = "sample"  # about clips like these, or these alone
    questions: tuple[Axis, ...] = ()  # that decide; none: all


class Study(StrictModel):
    """A study as its file says."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=60)]
    version: str = "1"
    run: FilePath  # the run folder
    seed: Count = 0
    design: Literal["absolute", "pairwise"] = "absolute"
    methods: Annotated[tuple[str, ...], Field(min_length=1)]
    edits: tuple[str, ...] = ("*",)  # patterns of edit ids
    questions: Annotated[tuple[Axis, ...], Field(min_length=1)] = AXES
    request: Literal["prompt", "instruction"] = "prompt"  # what raters read where there are both
    display_height: Annotated[int, Field(ge=120, le=1080, multiple_of=2)] = 360
    size: StudySize = StudySize()
    checks: Checks = Checks()
    playback: PlaybackRules = PlaybackRules()
    device: DeviceRules = DeviceRules()
    defects: DefectRules = DefectRules()
    exclusion: ExclusionRules = ExclusionRules()
    adaptive: AdaptiveRules | None = None
    recruiting: Recruiting = Recruiting()
    consent_version: str = "1"
    retention_days: Positive = 365
    analysis: str  # the plan, in words; its hash is kept before the first vote
    texts: Annotated[dict[str, Texts], Field(min_length=1)]

    def methods_of(self, kind: str) -> int:
        """Return how many methods an item of a kind shows: two are compared in pairs."""
        return 2 if self.design == "pairwise" and kind == "rating" else 1

    def closest_language(self, asked: str | None) -> str:
        """Return the language of the texts that is asked for; the first if there is none like it.

        asked: of a link, or of a rater whose language may have been taken out since.
        """
        return closest_language(asked, self.texts) or next(iter(self.texts))

    def tag(self, asked: str | None) -> str:
        """Return a language of the texts as HTML names it (BCP 47)."""
        return self.closest_language(asked).replace("_", "-")

    def words(self, language: str | None) -> Texts:
        """Return the texts in the language that is asked for."""
        return self.texts[self.closest_language(language)]

    def direction(self, language: str | None) -> Direction:
        """Return which way the language that is asked for is written."""
        code = self.closest_language(language)
        words = self.texts[code]
        return words.dir or direction_of(code, words.title + words.welcome)

    @property
    def least_height(self) -> int:
        """How many pixels high a clip is at least, never more than `display_height`."""
        return min(self.device.least_height, self.display_height)

    def instructions(self, language: str) -> str:
        """Return what a rater is to do in this design."""
        words = self.words(language)
        return words.instructions if self.design == "absolute" else words.pair_instructions

    def quiz(self, language: str) -> tuple[Quiz, ...]:
        """Return the questions about the instructions of this design."""
        words = self.words(language)
        return words.quiz if self.design == "absolute" else words.pair_quiz

    @field_validator("methods")
    @classmethod
    def _check_methods(cls, methods: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("design") == "pairwise" and len(methods) < 2:
            raise ValueError("a pairwise study compares at least two")
        if len(set(methods)) < len(methods):
            raise ValueError("one stands there twice")
        return methods

    @field_validator("adaptive")
    @classmethod
    def _check_adaptive(
        cls, adaptive: AdaptiveRules | None, info: ValidationInfo
    ) -> AdaptiveRules | None:
        if adaptive is None:
            return None
        if info.data.get("design") == "pairwise":
            raise ValueError("votes on one edit at a time can be dealt adaptively, pairs cannot")
        if len(info.data.get("methods", (1, 2))) < 2:
            raise ValueError("there is one method, and nothing to decide")
        asked = info.data.get("questions", AXES)
        if strange := [one for one in adaptive.questions if one not in asked]:
            raise ValueError(f"the study does not ask for {strange[0]}")
        return adaptive

    @field_validator("texts")
    @classmethod
    def _check_texts(cls, texts: dict[str, Texts], info: ValidationInfo) -> dict[str, Texts]:
        """Refuse every language that does not say what the study asks, or asks another quiz."""
        first = next(iter(texts.values()))
        refuse(
            ((language, *place), why)
            for language, words in texts.items()
            for place, why in _lacking(language, words, first, info.data)
        )
        return texts


def _lacking(
    language: str, words: Texts, first: Texts, settings: dict[str, Any]
) -> Iterator[tuple[Place, str]]:
    """Yield what a language lacks, by place; settings that are wrong themselves ask for nothing."""
    if (design := settings.get("design")) is None:
        return
    prefix = "" if design == "absolute" else "pair_"
    asked, quiz = getattr(words, f"{prefix}questions"), f"{prefix}quiz"
    for axis in settings.get("questions", ()):
        if axis not in asked:
            yield (f"{prefix}questions",), f"{language} does not ask for {axis}"
    if (defects := settings.get("defects")) is not None and defects.ask:
        yield from _lacking_defects(language, words.defects, defects.kinds)
    right, wanted = (
        [(len(one.options), one.answer) for one in getattr(texts, quiz)] for texts in (words, first)
    )
    if right != wanted:
        yield (quiz,), f"the quiz of {language} has other options or answers"


def _lacking_defects(
    language: str, words: DefectWords | None, kinds: tuple[DefectKind, ...]
) -> Iterator[tuple[Place, str]]:
    if words is None:
        yield (), f"{language} has no `defects`, which defects.ask needs"
        return
    for kind in kinds:
        if kind not in words.kinds:
            yield ("defects", "kinds"), f"defects of {language} has no word for {kind}"


def read_study(folder: Path) -> Study:
    """Return the study in `folder`.

    Raises:
        UserError: if the file is missing or has mistakes.
    """
    path = folder / STUDY_FILE
    if not path.is_file():
        raise UserError(
            f"{folder} has no {STUDY_FILE}: `dreamix study new RUN --out {folder}` writes one"
        )
    return _study(read_document(path, LIMITS))


def study_from_text(text: str, where: str) -> Study:
    """Return the study that YAML says; `where` names the file in what a `UserError` tells."""
    return _study(parse_document(text.encode(errors="surrogatepass"), where, LIMITS))


def _study(document: Document) -> Study:
    found = Findings(document)
    if isinstance(document.value, dict):
        study = found.read_as(Study)
        if study is not None and not found.problems:
            return study
    elif not found.problems:
        found.add((), "a study is a list of settings, `name: value` in each line")
    raise Mistakes(found.problems)
