"""Folders of strangers, spoilt at random: refused in one line or read, and nothing written outside.

What is right needs no source but the promise itself: a `UserError` of one line or a result, within
a time, and every file around the folder as it was (`hostile_folders`). 50 examples a target here,
2,000 in the slow suite.
"""

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from fabricated_export import drawn, write_export
from hostile_folders import Arena, refused_or_done, spoil, state
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from dreamix.core.media import write_video
from dreamix.core.names import one_line
from dreamix.core.records import to_json, write_json
from dreamix.core.video import Video
from dreamix.data.suite import load_suite
from dreamix.methods.base import variants
from evaluation.run.folder import RunFolder
from evaluation.run.masks_kept import write_packed_mask
from evaluation.run.merging import merge_runs
from evaluation.run.runner import run_suite
from evaluation.score.composite_file import KIND, read_composites
from evaluation.score.scoring import score_run
from evaluation.settings import ModelSettings
from reports.build import build_report, write_tables
from reports.leaderboard.admission import Admission, AdmissionTerms, admit
from reports.leaderboard.site_data import read_site, write_site_data
from reports.leaderboard.site_views import site_of
from reports.loading import load_run
from reports.metrics.frames import clips_frame
from reports.metrics.results import all_tables
from reports.metrics.sentences import summary_sentences
from reports.page.clips import make_copies
from reports.page.run_page import gallery_data, title
from reports.people.build import build_study, study_lead
from reports.people.export import read_export
from reports.people.outcome import people_of
from reports.people.raters import raters_part
from reports.summary import IntervalSettings, summarize
from study_app.export.writing import export
from study_app.monitor import study_status
from study_app.open_study import opened
from study_app.prepare.build import build
from study_app.simulated_raters import Crowd, method_merit, simulate
from study_app.spec.template import new_study

HOW = IntervalSettings(resamples=20)
METRICS = ["psnr", "flicker"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite, a run of it with scores and a composite, an export of ratings, a composite file."""
    base = tmp_path_factory.mktemp("base")
    frames = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    for name in ("v0", "v1"):
        write_video(base / "suite" / f"{name}.mp4", Video(frames, 4), lossless=True)
        edited = Video(255 - frames[:, ::-1], 4)
        write_video(base / "outputs" / "alpha" / f"{name}_0.mp4", edited, lossless=True)
        write_packed_mask(base / "masks" / f"{name}.npz", frames[..., 0] > 99)
    edits = [
        {"id": f"{v}_0", "video": v, "prompt": f"{v} 0", "category": category}
        for v, category in (("v0", "style"), ("v1", "motion"))
    ]
    videos = [{"id": v, "path": f"{v}.mp4", "caption": v} for v in ("v0", "v1")]
    about = {"name": "two", "version": 1, "licence": "CC0", "videos": videos, "edits": edits}
    (base / "suite" / "suite.yaml").write_text(yaml.safe_dump(about))
    columns = [
        column for spec in (f"external:{base}/outputs/*", "unedited") for column in variants(spec)
    ]
    run_suite(load_suite(base / "suite"), columns, base / "run", workers=1)
    shutil.copytree(base / "masks", base / "run" / "sources" / "masks")
    score_run(base / "run", METRICS, ModelSettings())
    _write_composite(base)
    score_run(base / "run", METRICS, ModelSettings(), composite=base / "composite.json")
    write_export(base / "export", drawn((0.5, 0.0)), raters=4, sources=3, edits_each=1)
    _write_study(base)
    _write_site(base)
    return base


def _write_site(base: Path) -> None:
    """A leaderboard of the run, and an export of ratings of its clips."""
    said = {"licence": "MIT", "team": "Lab", "date": "2026-01-01", "methods": {"alpha": None}}
    (base / "run" / "submission.yaml").write_text(json.dumps(said))
    write_export(base / "votes", drawn((0.5, 0.0)), methods=("alpha", "unedited"), raters=4,
                 sources=2, edits_each=1)  # fmt: skip
    for path in (base / "votes").glob("*.parquet"):
        frame = pd.read_parquet(path)
        names = [name for name in ("video", "edit") if name in frame]
        frame[names] = frame[names].apply(lambda column: column.str.replace("v0", "v", n=1))
        frame.to_parquet(path)
    found = admit(None, [base / "run"], [base / "votes"], AdmissionTerms(), HOW, silent)
    assert found.data, found.reasons
    write_site_data(base / "site", found.data)


def silent(_done: int, _total: int) -> None:
    """Show no progress."""


def _write_study(base: Path) -> None:
    """A study of the run, built, with answers of simulated raters; study.yaml as JSON, to spoil."""
    new_study(base / "run", base / "study")
    told = yaml.safe_load((base / "study" / "study.yaml").read_text())
    told["display_height"] = 120
    (base / "study" / "study.yaml").write_text(json.dumps(told))
    build(base / "study")
    with opened(base / "study") as running:
        simulate(running, Crowd(raters=3), method_merit(running, {}), seed=1)


def _write_composite(base: Path) -> None:
    info = RunFolder(base / "run").info
    terms = [
        {"metric": name, "definition_id": info.metrics[name].definition_id, "better": "higher",
         "mean": 1.0, "scale": 2.0, "weight": 0.5} for name in METRICS
    ]  # fmt: skip
    origin = {"suite": "two", "suite_sha256": info.suite.sha256, "study": "s", "raters": 3,
              "ratings_sha256": "0" * 64, "scale": [1.0, 5.0]}  # fmt: skip
    axes = {"quality": {"intercept": 3.0, "terms": terms, "sentence": "", "notes": []}}
    document = {"format": 1, "kind": KIND, "simulated": False, "origin": origin, "axes": axes}
    write_json(base / "composite.json", document)


@pytest.fixture(scope="module")
def arena(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    place = tmp_path_factory.mktemp("arena")
    shutil.copytree(base / "run", place / "clean")
    yield Arena(place)


Target = Callable[[Arena, Path], None]


def merge(arena: Arena, folder: Path) -> None:
    """Into a new folder, or beside a good one."""
    out = arena.place / "out"
    merge_runs(out, [folder])
    assert sorted(path.name for path in out.glob("clips/*/*/*.json")), "nothing came"


def merge_second(arena: Arena, folder: Path) -> None:
    merge_runs(arena.place / "out", [arena.place / "clean", folder])


def report(arena: Arena, folder: Path) -> None:
    """All of a report but the figures, which take a second."""
    out = arena.place / "out"
    run = load_run(folder)
    summary = summarize(run, HOW)
    write_tables(summary, all_tables(summary), out / "tables")
    gallery_data(summary, make_copies(run, out / "media"))
    clips_frame(run), summary_sentences(summary), title(run)


def score(_arena: Arena, folder: Path) -> None:
    score_run(folder, METRICS, ModelSettings())


def study_new(arena: Arena, folder: Path) -> None:
    new_study(folder, arena.place / "out")


def analyze(_arena: Arena, folder: Path) -> None:
    people = people_of(read_export(folder), HOW)
    study_lead(people.export), raters_part(people)


def study_open(arena: Arena, folder: Path) -> None:
    """As `study status` and `study export` do, beside what another's database holds."""
    with opened(folder) as running:
        study_status(running, 10**9)
        export(running, arena.place / "out", 10**9)


def composite(_arena: Arena, folder: Path) -> None:
    read_composites(folder / "composite.json")


def suite(_arena: Arena, folder: Path) -> None:
    load_suite(folder)


def enter(arena: Arena, folder: Path) -> None:
    """The run of a stranger on a leaderboard; reasons against it are lines of their own."""
    entered(arena, admit(None, [folder], [], AdmissionTerms(), HOW, silent))


def enter_votes(arena: Arena, folder: Path) -> None:
    """The votes of a stranger beside a good run."""
    run = arena.place / "clean"
    entered(arena, admit(None, [run], [folder], AdmissionTerms("MIT"), HOW, silent))


def entered(arena: Arena, found: Admission) -> None:
    lines = [line for several in found.reasons.values() for line in several]
    assert bool(lines) == (found.data is None)
    assert all(one_line(line) == line for line in lines)
    if found.data:
        write_site_data(arena.place / "out", found.data)
        assert read_site(arena.place / "out") == found.data


def site_of_strangers(arena: Arena, folder: Path) -> None:
    """What somebody else made, with hashes that fit, is shown or refused."""
    site = arena.place / "out"
    try:
        shutil.copytree(folder, site, symlinks=True)
    except (shutil.Error, OSError):  # a pipe or the like, which is found elsewhere
        return
    for path in site.rglob("*.json"):
        signed_anew(path)
    if data := read_site(site):
        site_of(site, data, HOW)


def signed_anew(path: Path) -> None:
    try:
        held = json.loads(path.read_text()) if path.is_file() and not path.is_symlink() else None
        told = to_json({name: value for name, value in held.items() if name != "content"})
    except (ValueError, AttributeError, RecursionError):
        return
    content = hashlib.sha256(told.encode(errors="replace")).hexdigest()
    path.write_text(json.dumps(held | {"content": content}))


# target -> the folder that is spoilt, and which folders it may write to
TARGETS: dict[Target, tuple[str, tuple[str, ...]]] = {
    merge: ("run", ("out",)),
    merge_second: ("run", ("out",)),
    report: ("run", ("out",)),
    score: ("run", ("foreign",)),
    study_new: ("run", ("out",)),
    study_open: ("study", ("out", "foreign")),
    analyze: ("export", ()),
    composite: ("composite", ()),
    suite: ("suite", ()),
    enter: ("run", ("out",)),
    enter_votes: ("votes", ("out",)),
    site_of_strangers: ("site", ("out",)),
}
NAMES = [target.__name__ for target in TARGETS]


def attack(
    base: Path, arena: Arena, target: Target, about: tuple[str, tuple[str, ...]], seed: int
) -> None:
    """Spoil one copy in one to three places, and hold the target to its promise."""
    source, ours = about
    rng = random.Random(seed)
    if source == "composite":
        shutil.rmtree(arena.place / "foreign", ignore_errors=True)
        (arena.place / "foreign").mkdir()
        shutil.copy(base / "composite.json", arena.place / "foreign")
        folder = arena.place / "foreign"
    else:
        folder = arena.fresh(base / source, "foreign")
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        spoil(folder, rng, arena.victims)
    before = state(folder)
    shutil.rmtree(arena.place / "out", ignore_errors=True)
    refused = refused_or_done(lambda: target(arena, folder))
    arena.check("out", "foreign") if "out" in ours else arena.check("foreign")
    if "foreign" not in ours:
        changed = dict(state(folder).items() ^ before.items())
        assert set(changed) <= {".lock"}, f"the stranger's folder was changed: {changed}"
    if refused and target in (merge, merge_second):
        left = [path for path in arena.place.glob("out/*") if path.name != ".lock"]
        assert not left, f"a refusal left {left}"


def fuzz(base: Path, arena: Arena, name: str, examples: int, part: int = 0) -> None:
    target = next(one for one in TARGETS if one.__name__ == name)

    @seed(part)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**48))
    def run(number: int) -> None:
        attack(base, arena, target, TARGETS[target], number)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_strangers_folder_is_refused_in_one_line_or_read(
    base: Path, arena: Arena, name: str
) -> None:
    fuzz(base, arena, name, 50)


def whole_report(arena: Arena, folder: Path) -> None:
    build_report(folder, arena.place / "out", HOW)


def whole_study(arena: Arena, folder: Path) -> None:
    build_study(read_export(folder), arena.place / "out", HOW)


def study_build(arena: Arena, folder: Path) -> None:
    """The study's folder is `out`; its clips come from the stranger's run."""
    new_study(folder, arena.place / "out")
    text = (arena.place / "out" / "study.yaml").read_text()
    text = text.replace("display_height: 360", "display_height: 120")
    (arena.place / "out" / "study.yaml").write_text(text)
    build(arena.place / "out")


WHOLE: dict[Target, tuple[str, tuple[str, ...]]] = {
    whole_report: ("run", ("out",)),
    whole_study: ("export", ("out",)),
    study_build: ("run", ("out",)),
}


@pytest.mark.slow
@pytest.mark.parametrize("target", WHOLE, ids=[target.__name__ for target in WHOLE])
def test_whole_pages_and_studies_keep_the_promise(base: Path, arena: Arena, target: Target) -> None:
    """With figures, clips and pages, which take seconds each: 30 of each."""
    for number in range(30):
        attack(base, arena, target, WHOLE[target], number)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, 5))
@pytest.mark.parametrize("name", NAMES)
def test_two_thousand_strangers(base: Path, arena: Arena, name: str, part: int) -> None:
    fuzz(base, arena, name, 500, part)
