"""Questions of checklists: what a suite, or a world, asks about an edited clip."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class EditQuestion:
    """Something to ask about the edited clip, and the right answer: an item of a checklist."""

    question: str
    answer: bool | str  # yes or no; of a multiple choice one of the options
    options: tuple[str, ...] = ()
    id: str | None = None  # unique in its edit
    about: str | None = None  # what the benchmark files it under
    sees: str | None = None  # "both" if it is about source and edit; else the edit alone is shown

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, as JSON has them."""
        told = {**asdict(self), "options": [*self.options]}
        return {key: value for key, value in told.items() if value not in (None, [])}

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return the question of a row that has these fields."""
        return cls(**{**vars(row), "options": tuple(row.options or ())})
