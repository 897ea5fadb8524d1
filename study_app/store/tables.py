"""The tables of a study. Times are milliseconds since 1970, UTC.

A rater's row holds all that is needed to go on after any interruption. What identifies a person
stands in `Rater.platform_id` and `Rater.session`, and nowhere else.
"""

from typing import Annotated, Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    ForeignKey,
    Integer,
    String,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up Integer keys only
Key = Annotated[int, mapped_column(Number, primary_key=True)]
OfRater = Annotated[int, mapped_column(Number, ForeignKey("rater.id"), index=True)]
OfTrial = Annotated[int, mapped_column(Number, ForeignKey("trial.id"))]
Long = Annotated[str, mapped_column(Text)]


class TableBase(DeclarativeBase):
    """All tables of a study."""

    type_annotation_map = {dict[str, Any]: JSON, int: Number, str: String(200)}  # noqa: RUF012


class Setting(TableBase):
    """What is known of the study itself, such as the hash of its analysis plan."""

    __tablename__ = "setting"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Long]


class Rater(TableBase):
    """One person, or one simulated rater, and how far they are."""

    __tablename__ = "rater"
    __table_args__ = (UniqueConstraint("platform", "platform_id"),)
    id: Mapped[Key]
    token: Mapped[str] = mapped_column(unique=True)  # in the URL; nobody can guess it
    platform: Mapped[str]
    platform_id: Mapped[str | None]
    session: Mapped[str | None]  # the platform's, of this visit
    platform_study: Mapped[str | None]  # which of the platform's studies sent them
    simulated: Mapped[bool]
    language: Mapped[str]
    screen: Mapped[str]  # of `study_app.flow`
    number: Mapped[int | None] = mapped_column(unique=True)  # of the list, in order of dealing
    quiz_failures: Mapped[int]
    created: Mapped[int]
    seen: Mapped[int]  # the last sign of life
    consent_version: Mapped[str | None]
    consented: Mapped[int | None]
    finished: Mapped[int | None]
    rejected: Mapped[int | None]
    comment: Mapped[Long | None]
    device: Mapped[dict[str, Any] | None]

    @hybrid_property
    def began(self) -> int:
        """When the time of a rater begins: with their consent."""
        return self.created if self.consented is None else self.consented

    @began.inplace.expression
    @classmethod
    def _began(cls) -> ColumnElement[int]:
        return func.coalesce(cls.consented, cls.created)


class Trial(TableBase):
    """One place of a rater's list. Those that were released belong to nobody any more."""

    __tablename__ = "trial"
    __table_args__ = (UniqueConstraint("rater_id", "place"),)
    id: Mapped[Key]
    rater_id: Mapped[OfRater]
    place: Mapped[int]
    kind: Mapped[str]  # training, rating, trap, gold or repeat
    item: Mapped[str] = mapped_column(index=True)  # of the plan
    swapped: Mapped[bool]  # pairwise: the second method of the item stands left
    state: Mapped[str] = mapped_column(index=True)  # dealt, rated, unplayable or released
    opened: Mapped[int | None]
    answered: Mapped[int | None]
    declared: Mapped[str | None]  # hash of the declaration under which it was rated


class Answer(TableBase):
    """One question of one trial."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("trial_id", "question"),)
    id: Mapped[Key]
    trial_id: Mapped[OfTrial]
    question: Mapped[str]
    value: Mapped[int]


class Playback(TableBase):
    """How the clips of a trial were played: the ledger that says whether they were watched."""

    __tablename__ = "playback"
    trial_id: Mapped[int] = mapped_column(Number, ForeignKey("trial.id"), primary_key=True)
    coverage: Mapped[float]
    ledger: Mapped[dict[str, Any]]


class Mark(TableBase):
    """Where a rater marked that a clip of a trial is broken."""

    __tablename__ = "mark"
    id: Mapped[Key]
    trial_id: Mapped[int] = mapped_column(Number, ForeignKey("trial.id"), index=True)
    clip: Mapped[str]  # edit; of a pair the side on which it stood
    start_s: Mapped[float]
    end_s: Mapped[float]
    x: Mapped[float | None]  # of a box, in shares of width and height; none: the whole picture
    y: Mapped[float | None]
    width: Mapped[float | None]
    height: Mapped[float | None]
    kind: Mapped[str]
    severity: Mapped[int]  # 1 to 3


class Event(TableBase):
    """What else happened: refreshes, second tabs, failures to play."""

    __tablename__ = "event"
    id: Mapped[Key]
    rater_id: Mapped[OfRater]
    at: Mapped[int]
    kind: Mapped[str]
    data: Mapped[dict[str, Any] | None]


class Exclusion(TableBase):
    """A reason to leave a rater out of the analysis."""

    __tablename__ = "exclusion"
    __table_args__ = (UniqueConstraint("rater_id", "rule"),)
    id: Mapped[Key]
    rater_id: Mapped[OfRater]
    rule: Mapped[str]
    reason: Mapped[Long]
    automatic: Mapped[bool]
    at: Mapped[int]
