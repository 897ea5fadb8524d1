"""Real edits under many protocols: ImagenHub's editors with VIEScore's published answers."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from real_ratings import RATINGS

from reports.multiverse.claims import claims, sentence
from reports.multiverse.protocols import shipped_protocols
from reports.multiverse.universes import multiverse

FOLDER = RATINGS / "imagenhub"
JUDGES = ("gpt4o_0shot", "gpt4o_1shot")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no published answers in {FOLDER}"),
]


@pytest.fixture(scope="module")
def flips(root: Path) -> ModuleType:
    place = root / "benchmarks" / "protocol_flips.py"
    spec = importlib.util.spec_from_file_location("protocol_flips", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_viescores_total_is_that_of_its_formula(flips: ModuleType) -> None:
    """sqrt(min of SC * mean of PQ) / 10 from the table itself, edit by edit."""
    scores = pd.read_csv(FOLDER / "text-scores.csv.gz")
    mine = scores[scores["metric"] == JUDGES[0]]
    wide = mine.pivot_table("value", ["method", "edit"], ["question", "part"]).dropna() / 10
    total = np.sqrt(wide["SC"].min(axis=1) * wide["PQ"].mean(axis=1)).unstack("method")
    gap = (total["MagicBrush"] - total["SDEdit"]).mean()

    protocols = tuple(one for one in shipped_protocols() if one.name == "viescore-like")
    made = multiverse(flips.run_of(scores, JUDGES[:1]), protocols, flips.HOW)
    at = made.pairs.index(("MagicBrush", "SDEdit"))
    wanted = ("dropped from both", "edits")
    rows = zip(made.universes, made.found, strict=True)
    found = [row[at].gap.mid for one, row in rows if (one.failures, one.average) == wanted]
    assert found == pytest.approx([gap])


def test_an_example_in_a_prompt_turns_a_claim_and_is_named(flips: ModuleType) -> None:
    """From the table: CycleDiffusion keeps more by both; SDEdit makes the change by one of them."""
    scores = pd.read_csv(FOLDER / "text-scores.csv.gz")
    scores = scores[scores["method"].isin(["SDEdit", "CycleDiffusion"])]
    means = scores.groupby(["metric", "question", "part", "method"])["value"].mean().unstack()
    leads = (means["SDEdit"] - means["CycleDiffusion"]).unstack("metric").loc["SC"]
    assert leads.loc[0, "gpt4o_1shot"] > 1.8 and leads.loc[1, "gpt4o_1shot"] < -1.5
    assert abs(leads.loc[0, "gpt4o_0shot"]) < 0.1 and leads.loc[1, "gpt4o_0shot"] < -4
    made = multiverse(flips.run_of(scores, JUDGES), shipped_protocols(), flips.HOW)
    (one,) = claims(made)
    assert one.kind == "flips" and one.deciding is not None and one.deciding.choice == "judge"
    assert "SDEdit under gpt4o_1shot, CycleDiffusion under gpt4o_0shot" in sentence(one)
