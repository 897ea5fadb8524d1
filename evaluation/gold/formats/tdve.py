"""TDVE: mean opinion scores of edited videos, as one table or as TDVE-Assessor's training lists.

The lists hold the scores as text for a language model; their three cuts into training and test
differ, so both are read and put together before they are joined by category, method and clip.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.names import shown
from evaluation.gold.base import GatheredRatings, ImportSettings, RatingRow, rating_format
from evaluation.gold.files import json_value, lines_of_list
from evaluation.gold.formats.csv_tables import read_csv

COLUMNS = (("edit", "clip"), ("value", "mos"))
LISTS = {  # how a file begins -> what was asked
    "feel": "structure",
    "text": "alignment",
    "video_quality": "quality",
}
_FILE = re.compile(rf"({'|'.join(LISTS)})_(?:train|test)(?:_mos)?\.json")
_SCORE = re.compile(r"\(\s*([^()]*)\)\s*\.?\s*")  # at the end of an answer: "good(76.0)"
_CLIP = re.compile(r"(?:.*/)?([^/]+)/edit_video/([^/]+)/([^/]+)\.\w+")  # category, method, clip
REPEATS = "a clip number repeats in every category: edit and source are both of it"


@rating_format("tdve")
def read_tdve(path: Path, asked: ImportSettings) -> GatheredRatings:
    """Mean opinion scores of TDVE-Assessor: its folder stage2_dataset, or one table."""
    if path.is_dir():
        return _of_lists(path, asked)
    given = {ours for ours, _ in asked.columns}
    columns = (*asked.columns, *(pair for pair in COLUMNS if pair[0] not in given))
    found = read_csv(path, replace(asked, columns=columns))
    named = [row._replace(edit=f"{row.category}/{row.edit}") for row in found.rows]
    found.rows = [row._replace(source=row.edit) for row in named]
    found.remarks.append(REPEATS)
    return found


def _of_lists(folder: Path, asked: ImportSettings) -> GatheredRatings:
    found = GatheredRatings(means=True)
    named = [
        (one, name[1]) for one in sorted(folder.iterdir()) if (name := _FILE.fullmatch(one.name))
    ]
    if not named:
        raise UserError(f"{folder} has no lists feel_train.json, text_test.json and the like")
    for path, start in named:
        if LISTS[start] not in asked.drop:
            _of_list(path, LISTS[start], found)
    prompts = {row.edit: row.prompt for row in found.rows if row.prompt}
    found.rows = [row._replace(prompt=prompts.get(row.edit, "")) for row in found.rows]
    found.remarks.append(REPEATS)
    return found


def _of_list(path: Path, question: str, found: GatheredRatings) -> None:
    told = json_value(path, found)
    if not isinstance(told, list):
        found.wrong(path, 1, "it should be a list of messages about videos")
        return
    for line, one in zip(lines_of_list(path), told, strict=True):
        texts = _texts(one)
        clip = _CLIP.fullmatch(str(one.get("videos"))) if isinstance(one, dict) else None
        score = _SCORE.search(texts[-1]) if texts else None
        if clip and score and score.end() == len(texts[-1]):
            edit = f"{clip[1]}/{clip[3]}"
            _, _, prompt = texts[0].partition("prompt:")
            row = RatingRow(str(path), line, edit, clip[2], question, score[1].strip())
            found.rows.append(row._replace(source=edit, category=clip[1], prompt=prompt.strip()))
        elif not clip:
            found.wrong(path, line, "videos should be .../CATEGORY/edit_video/METHOD/CLIP.mp4")
        else:
            found.wrong(path, line, f"the answer should end with its score: {shown(texts[-1:])}")


def _texts(one: Any) -> list[str]:
    """Return what is said in a conversation, question first."""
    said = one.get("messages") if isinstance(one, dict) else None
    held = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    return [text for each in held if isinstance(text := each.get("content"), str)]
