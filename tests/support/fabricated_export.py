"""The export of an absolute study, made up with votes a test chooses: all tables and study.yaml.

Edit e of source s is `v0s_e`; its category is CATEGORIES in turn. `vote` says what rater r answers,
so that a test derives what a report has to say by hand.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from reports.people.export import PREFIX, StudyExport, read_export
from reports.people.outcome import People, people_of
from reports.summary import IntervalSettings

QUESTIONS = ("alignment", "fidelity", "quality")
CATEGORIES = ("motion", "style")
HOW = IntervalSettings(resamples=200)
RULES = {"failed_traps": 1, "failed_gold": 2, "straight_line": 0.15, "least_ratings": 5}
Vote = Callable[[int, int, int, int], float]  # rater, edit, method, question


def drawn(
    effects: Sequence[float], *, bias: float = 0.4, noise: float = 0.8, seed: int = 0
) -> Vote:
    """Return votes of 3 plus the method's effect, the rater's bias and noise, on 1 to 5."""
    rng = np.random.default_rng(seed)
    table = rng.normal(0, noise, (40, 80, 8, 3)) + bias * rng.normal(size=(40, 1, 1, 1))

    def vote(rater: int, edit: int, method: int, question: int) -> float:
        value = 3 + effects[method] + table[rater, edit, method, question]
        return float(np.clip(np.rint(value), 1, 5))

    return vote


def write_export(
    folder: Path,
    vote: Vote,
    *,
    methods: Sequence[str] = ("beta", "alpha"),
    raters: int = 8,
    sources: int = 6,
    edits_each: int = 2,
    questions: Sequence[str] = QUESTIONS,
    excluded: Sequence[int] = (),
    repeats: int = 1,
    simulated: bool = False,
    shared: bool = True,
) -> Path:
    """Return the folder of an export, written.

    excluded: raters who failed a trap. repeats: of each rater's first items, answered alike.
    shared:   a rater sees all methods of an edit; else only one, in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    items = [
        (s * edits_each + e, s, m)
        for s in range(sources)
        for e in range(edits_each)
        for m in range(len(methods))
    ]
    rows = []
    for rater in range(raters):
        seen = [i for i in items if shared or (rater + i[0]) % len(methods) == i[2]]
        kinds = [*(("rating", i) for i in seen), *(("repeat", i) for i in seen[:repeats])]
        rows += [
            _trial(rater, place, kind, item, methods, edits_each)
            | {name: vote(rater, item[0], item[2], k) for k, name in enumerate(questions)}
            | {"excluded": rater in excluded}
            for place, (kind, item) in enumerate(kinds)
        ]
        rows.append(_check(rater, len(kinds), questions, rater in excluded))
    wide = pd.DataFrame(rows).assign(simulated=simulated)
    _write(folder, _tables(wide, questions, excluded, simulated), simulated)
    study = {"name": "made-up", "version": "1", "design": "absolute", "methods": list(methods),
             "questions": list(questions), "exclusion": RULES, "playback": {"coverage": 0.95},
             "checks": {"traps": 1, "gold": 0, "repeats": repeats}}  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    return folder


def made_up(folder: Path, vote: Vote, **said: object) -> StudyExport:
    """Return the export, written and read."""
    return read_export(write_export(folder, vote, **said))  # type: ignore[arg-type]


def people(folder: Path, vote: Vote, **said: object) -> People:
    """Return what its raters said, in numbers."""
    return people_of(made_up(folder, vote, **said), HOW)


def _trial(
    rater: int, place: int, kind: str, item: tuple[int, int, int], methods: Sequence[str], each: int
) -> dict[str, object]:
    edit, source, method = item
    return {"rater": f"r{rater:02d}", "language": "en", "trial": 1000 * rater + place,
            "place": place, "kind": kind, "state": "rated", "item": f"{edit:04d}-{method}",
            "video": f"v{source:02d}", "edit": f"v{source:02d}_{edit % each}",
            "category": CATEGORIES[edit % len(CATEGORIES)], "prompt": "a prompt",
            "method": methods[method], "check": None, "seconds": 12.0,
            "minutes_in": 0.2 * place, "coverage": 1.0, "plays": 1, "seeks": 0, "stalls": 0,
            "hidden_ms": 0, "width": 640}  # fmt: skip


def _check(rater: int, place: int, questions: Sequence[str], failed: bool) -> dict[str, object]:
    """Return a trap that asks for 2."""
    trial = _trial(rater, place, "trap", (0, 0, 0), ("",), 1)
    answers = dict.fromkeys(questions, 4.0 if failed else 2.0)
    return trial | {"method": None, "check": "2", "excluded": failed} | answers


def _tables(
    wide: pd.DataFrame, questions: Sequence[str], excluded: Sequence[int], simulated: bool
) -> dict[str, pd.DataFrame]:
    names = [name for name in wide if name not in questions]
    long = wide.melt(names, list(questions), "question", "value")
    long["expected"] = np.where(long["kind"] == "trap", 2.0, np.nan)
    own = wide[wide["kind"] == "rating"]
    plan = own[["item", "video", "edit", "category", "prompt", "method"]].drop_duplicates()
    out = [
        {"rater": f"r{k:02d}", "rule": "failed_traps", "reason": "1 of 1 traps failed",
         "automatic": True, "simulated": simulated} for k in excluded
    ]  # fmt: skip
    return {
        "ratings_long": long,
        "ratings_wide": wide,
        "raters": _raters(wide, questions, excluded).assign(simulated=simulated),
        "exclusions": pd.DataFrame(out, columns=["rater", "rule", "reason", "automatic"]).assign(
            simulated=simulated
        ),
        "plan": plan.assign(kind="rating", simulated=simulated),
    }


def _raters(wide: pd.DataFrame, questions: Sequence[str], excluded: Sequence[int]) -> pd.DataFrame:
    rows = []
    for k, (name, part) in enumerate(wide.groupby("rater")):
        own = part[part["kind"].isin(["rating", "repeat"])]
        variance = float(own[list(questions)].to_numpy().var())
        rows.append(
            {"rater": name, "language": "en", "excluded": k in excluded, "screen": "finished",
             "finished": True, "rejected": False, "minutes": 10.0 + k, "consent_version": "1",
             "trials_rated": len(own), "trials_unplayable": 0, "variance": variance,
             "traps_failed": int(k in excluded), "gold_failed": 0, "window_width": 1280,
             "phone": False, "commented": False}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _write(folder: Path, tables: dict[str, pd.DataFrame], simulated: bool) -> None:
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{PREFIX * simulated}{name}.parquet")
