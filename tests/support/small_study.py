"""A study without clips: 12 sources of two edits each, three methods, every kind of check."""

from study_app.plan import Item, Plan, ServedClip
from study_app.spec.study import Study, study_from_text
from study_app.spec.template import TEMPLATE

METHODS = ("a", "b", "c")


def item(kind: str, video: str, edit: str, method: str, language: str | None = None) -> Item:
    key = f"{kind}-{edit}-{method}-{language}"
    return Item(key, kind, video, edit, (method,), "style", "p", "l", "r", 2.0, language=language)


PLAN = Plan(
    study="s",
    declared="h",
    run="r",
    items=(
        *(
            item("rating", f"v{v}", f"v{v}_{e}", method)
            for v in range(12)
            for e in range(2)
            for method in METHODS
        ),
        *(item("training", "v0", "v0_0", what) for what in ("ideal", "unedited")),
        *(item("gold", "v1", "v1_0", what) for what in ("ideal", "unedited")),
        *(item("trap", "v2", "v2_0", answer, "en") for answer in ("2", "4")),
        item("trap", "v2", "v2_0", "2", "de"),
    ),
    left_out={},
    clips=dict.fromkeys(("l", "r", "s"), ServedClip(2.0, "0" * 64)),
)


def study(**changes: str) -> Study:
    return study_from_text(study_text(**changes), "study.yaml")


def study_text(**changes: str) -> str:
    """The study.yaml of it, with texts replaced by others."""
    text = TEMPLATE.read_text().replace("$name", "s").replace("$run", "r")
    text = text.replace("$methods", "[a, b, c]").replace("trials: 20", "trials: 9")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text
