"""Reads study.yaml; what is wrong in it is one line: where, what, and what is allowed."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.core.yaml_reading import parse_yaml, read_yaml
from study_app.spec.study import Study

FILE = "study.yaml"


def read_study(folder: Path) -> Study:
    """Return the study in `folder`; a file that cannot be one is a `UserError`."""
    path = folder / FILE
    if not path.is_file():
        raise UserError(
            f"{folder} has no {FILE}: `dreamix study new RUN --out {folder}` writes one"
        )
    return _study(read_yaml(path), str(path))


def study_from_text(text: str, where: str) -> Study:
    """Return the study that YAML says; `where` names the file in what a `UserError` tells."""
    return _study(parse_yaml(text, where), where)


def _study(found: Any, where: str) -> Study:
    if not isinstance(found, dict):
        raise UserError(f"{where}: a study is a list of settings, `name: value` in each line")
    try:
        return Study.model_validate(found)
    except ValidationError as error:
        raise UserError(f"{where}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    """Return the first mistake of `error` in words, and how many more there are."""
    mistakes = error.errors(include_url=False)
    unknown = [found for found in mistakes if found["type"] == "extra_forbidden"]
    mistake, more = (unknown or mistakes)[0], len(mistakes) - 1  # a wrong word makes two mistakes
    place = ".".join(str(part) for part in mistake["loc"])
    message = str(mistake["msg"]).removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        known = list(_fields_at(mistake["loc"][:-1]))
        message = f"there is no such setting{near_misses(str(mistake['loc'][-1]), known)}"
    elif mistake["type"] == "missing":
        message = "is missing"
    else:
        message = f"{message[:1].lower()}{message[1:]}"
        message = message.replace("tuple should", "should").replace(
            " after validation, not", ", not"
        )
    others = f" (and {more} more)" if more else ""
    return f"{place}: {message}{others}" if place else f"{message}{others}"


def _fields_at(place: tuple[int | str, ...]) -> list[str]:
    """Return the settings that are known at a place of the file."""
    schema: dict[str, Any] = Study.model_json_schema()
    node = schema
    for part in place:
        inner = node.get("properties", {}).get(str(part)) or node.get("additionalProperties") or {}
        inner = inner.get("items", inner)
        inner = inner.get("allOf", [inner])[0]
        name = inner.get("$ref", "").rpartition("/")[2]
        node = schema["$defs"].get(name, inner)
    return [*node.get("properties", {})]
