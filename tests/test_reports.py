"""The report of a fabricated run: what its numbers are, that nothing is hidden, that nothing runs.

The run has four videos of three edits each. Competing: alpha, be_ta (one failed clip), gamma (two
seeds). Anchors: unedited, frozen-frame. The expected means are worked out by hand beside `value`.
"""

import csv
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dreamix.core.errors import UserError
from dreamix.core.media import probe, sha256_file, write_video
from dreamix.core.records import append_lines, write_json
from dreamix.core.video import Video
from reports.build import build_report
from reports.cli import report
from reports.formats import escape_latex, latex, markdown
from reports.loading import load_run
from reports.markup import Html, json_script, tag
from reports.plots import pareto_front
from reports.summary import Resampling, Score, Summary, gaps, summarize
from reports.tables import all_tables, axis_table, decimals, number
from reports.wording import listed, summary_sentences

EVIL = 'A dog & a "cat" <script>alert(1)</script> 100% $x_1$ \\alpha {~^#|`*_[a](b)'
ERROR = "RuntimeError: <b>out of memory</b> & more_than_100%"
VIDEOS = ("va", "vb", "vc", "vd")
CATEGORIES = ("motion", "object", "style")
METHODS = {"alpha": 1, "be_ta": 1, "gamma": 2, "unedited": 1, "frozen-frame": 1}
ANCHORS = ("unedited", "frozen-frame")
METRICS = {  # name: axis, better, categories it is not for
    "clip_t_gain": ("alignment", "higher", []),
    "lpips": ("fidelity", "lower", ["motion"]),
    "brisque": ("quality", "lower", []),
    "motion_mag": ("motion", "neither", []),
}


def value(method: str, video: int, category: int, seed: int, metric: str) -> float:
    """Base of the method + 0.01 x video + 0.001 x category + 0.1 x seed.

    Over all twelve edits the middle two add (0 + 1 + 2 + 3) / 4 x 0.01 + 0.001 = 0.016.
    """
    bases = {
        "clip_t_gain": {"alpha": 0.3, "be_ta": 0.2, "gamma": 0.1, "unedited": 0.0},
        "lpips": {"alpha": 0.5, "be_ta": 0.2, "gamma": 0.4, "unedited": 0.0},
        "brisque": {"alpha": 0.4, "be_ta": 0.3, "gamma": 0.6, "unedited": 0.2},
        "motion_mag": {"alpha": 0.1, "be_ta": 0.1, "gamma": 0.1, "unedited": 0.1},
    }
    base = bases[metric].get(method, 0.05)
    return base + 0.01 * video + 0.001 * category + 0.1 * seed


def clip(shade: int, fps: float = 8.0, frames: int = 4) -> Video:
    moving = np.full((frames, 48, 64, 3), shade, np.uint8)
    for number_, frame in enumerate(moving):
        frame[12:30, number_ : number_ + 18] = 255 - shade
    return Video(moving, fps)


def fabricate(folder: Path, videos: tuple[str, ...] = VIDEOS, media: bool = False) -> Path:
    """Write a run folder as `dreamix bench run` and `score` leave it, without computing."""
    edits = [
        {
            "id": f"{v}_{c}",
            "video": v,
            "category": c,
            "prompt": EVIL if (v, c) == ("va", "style") else f"{v} {c}",
        }
        for v in videos
        for c in CATEGORIES
    ]
    suite = {"name": "made-up", "version": 3, "licence": "CC0-1.0"}
    listing = {"videos": [{"id": v, "caption": f"clip {v}"} for v in videos], "edits": edits}
    write_json(folder / "suite.json", suite | listing)
    write_json(folder / "run.json", _info(suite, edits))
    for number_, video in enumerate(videos):
        if media:
            write_video(folder / "sources" / f"{video}.mp4", clip(40 * number_), lossless=True)
    rows: list[dict[str, Any]] = []
    for method, seeds in METHODS.items():
        for edit in edits:
            for seed in range(seeds):
                rows += _cell(folder, method, edit, seed, videos.index(edit["video"]), media)
    append_lines(folder / "scores.jsonl", rows)
    return folder


def _info(suite: dict[str, Any], edits: list[dict[str, Any]]) -> dict[str, Any]:
    facts = {
        name: {
            "name": name,
            "axis": axis,
            "better": better,
            "bounds": [0, "inf"],
            "needs": ["source"],
            "not_for": not_for,
            "version": 1,
            "definition": f"Return {name} <i>as defined</i> in a paper.",
            "definition_id": f"id-{name}",
            "models": {"clip": "ViT-B-32 sha256 0123"},
            "settings": {"device": "cpu"},
            "policy": "pts",
        }
        for name, (axis, better, not_for) in METRICS.items()
    }
    methods = {
        label: {"name": label, "config": {"s": 0.5}, "anchor": label in ANCHORS, "seeds": seeds,
                "definition": "Returns something."}
        for label, seeds in METHODS.items()
    }  # fmt: skip
    return {
        "format": 1,
        "suite": suite | {"sha256": "ab" * 32},
        "edits": sorted(edit["id"] for edit in edits),
        "methods": methods,
        "versions": {"dreamix-toolkit": "0.1.0"},
        "scored_with": {"dreamix-toolkit": "0.1.0"},
        "metrics": facts,
        "not_run": {"clip_i": "get the weights with `dreamix weights get clip`"},
    }


def _cell(
    folder: Path, method: str, edit: dict[str, Any], seed: int, video: int, media: bool
) -> list[dict[str, Any]]:
    """Write one clip with its sidecar; return its scores."""
    place = folder / "clips" / method / edit["id"]
    row: dict[str, Any] = {"method": method, "edit": edit["id"], "seed": seed, "status": "ok"}
    row |= {"sha256": "0" * 64, "file": f"{seed}.mp4", "seconds": 2.0}
    if (method, edit["id"]) == ("be_ta", "va_style"):
        row = {key: row[key] for key in ("method", "edit", "seed")}
        row |= {"status": "failed", "reason": ERROR}
    elif media:
        shade = 40 * video + (10 if method not in ANCHORS else 0)
        write_video(place / f"{seed}.mp4", clip(shade), lossless=method in ANCHORS)
        row["sha256"] = sha256_file(place / f"{seed}.mp4")
    write_json(place / f"{seed}.json", row)
    return [_score(row, edit, video, metric) for metric in METRICS]


def _score(row: dict[str, Any], edit: dict[str, Any], video: int, metric: str) -> dict[str, Any]:
    score = {
        "method": row["method"],
        "edit": edit["id"],
        "seed": row["seed"],
        "metric": metric,
        "video": edit["video"],
        "category": edit["category"],
        "definition": f"id-{metric}",
    }
    if row["status"] != "ok":
        return score | {"status": row["status"], "reason": f"no clip: {row['reason']}"}
    score["clip"] = row["sha256"]
    if edit["category"] in METRICS[metric][2]:
        return score | {"status": "n/a", "reason": f"misleading for {edit['category']} edits"}
    category = CATEGORIES.index(edit["category"])
    number_ = value(row["method"], video, category, row["seed"], metric)
    return score | {"status": "ok", "value": number_, "delta": number_ - 0.25}


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricate(tmp_path_factory.mktemp("run"), media=True)


@pytest.fixture(scope="session")
def summary(run_folder: Path) -> Summary:
    return summarize(load_run(run_folder), Resampling(resamples=500))


@pytest.fixture(scope="session")
def made(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the finished report."""
    out = tmp_path_factory.mktemp("report")
    build_report(run_folder, out, Resampling(resamples=500))
    return out


# ---- numbers -------------------------------------------------------------------------------------


def test_a_score_is_the_mean_over_edits_of_the_mean_over_seeds(summary: Summary) -> None:
    """alpha: 0.3 + 0.016. gamma: its two seeds differ by 0.1, so its edits are 0.05 higher."""
    assert summary.interval("alpha", "clip_t_gain").mid == pytest.approx(0.316)
    assert summary.interval("gamma", "clip_t_gain").mid == pytest.approx(0.1 + 0.05 + 0.016)
    score = summary.scores["gamma", "clip_t_gain"]
    assert (score.edits, score.videos, score.clips["ok"]) == (12, 4, 24)


def test_a_metric_is_averaged_over_the_edits_it_is_meant_for(summary: Summary) -> None:
    """lpips is not for motion: categories 1 and 2 are left, so 0.5 + 0.015 + 0.0015."""
    score = summary.scores["alpha", "lpips"]
    assert score.interval.mid == pytest.approx(0.5165)
    assert (score.edits, score.clips["ok"], score.clips["n/a"]) == (8, 8, 4)
    assert summary.expected("lpips") == 8


def test_a_failed_clip_is_left_out_of_the_mean_and_counted(summary: Summary) -> None:
    """be_ta lacks va_style, whose value was 0.2 + 0.002: (12 x 0.216 - 0.202) / 11."""
    score = summary.scores["be_ta", "clip_t_gain"]
    assert score.interval.mid == pytest.approx((12 * 0.216 - 0.202) / 11)
    assert score.clips == {"ok": 11, "failed": 1, "n/a": 0, "missing": 0}


def test_a_lead_is_taken_edit_by_edit_over_what_both_have(summary: Summary) -> None:
    """alpha - be_ta is 0.1 on each of the eleven edits, so the interval has no width."""
    assert summary.lead("alpha", "be_ta", "clip_t_gain") == pytest.approx((0.1, 0.1, 0.1))


def test_categories_and_deltas(summary: Summary) -> None:
    """Category 2 of alpha: 0.3 + 0.015 + 0.002; delta: brisque 0.4 + 0.016 - 0.25."""
    assert summary.categories["alpha", "clip_t_gain", "style"].interval.mid == pytest.approx(0.317)
    assert summary.deltas["alpha", "brisque"].interval.mid == pytest.approx(0.166)


def test_anchors_never_rank(summary: Summary) -> None:
    """unedited has the lowest lpips of all, but be_ta is the best method."""
    assert summary.ranking("lpips") == ["be_ta", "gamma", "alpha"]
    assert summary.best("lpips") == {"be_ta"}
    assert summary.ranking("motion_mag") == []  # it only describes


def test_pareto_front_takes_directions_into_account(summary: Summary) -> None:
    """alpha has the best gain, be_ta the best (lowest) lpips; gamma is worse than be_ta on both."""
    assert pareto_front(summary, "clip_t_gain", "lpips") == ["be_ta", "alpha"]


def test_headline_metrics_follow_the_documented_order(summary: Summary) -> None:
    assert summary.headline("alignment") == "clip_t_gain"
    assert summary.headline("fidelity") == "lpips"
    assert summary.headline("motion") is None  # no direction, so it cannot stand for an axis


def test_the_seed_of_the_bootstrap_decides_the_interval(run_folder: Path, summary: Summary) -> None:
    run = load_run(run_folder)
    again = summarize(run, Resampling(resamples=500))
    other = summarize(run, Resampling(resamples=500, seed=1))
    assert again.scores == summary.scores
    assert other.scores != summary.scores
    low = [s.scores["be_ta", "brisque"].interval.low for s in (summary, other)]
    assert low[0] == pytest.approx(low[1], abs=0.01)


@pytest.mark.parametrize(
    ("half", "mid", "digits"),
    [(0.0123, 0.5, 3), (0.5, 3.0, 2), (12, 300, 0), (0.0, 0.1234, 3), (0.0, 0.0, 3), (1e-9, 1, 5)],
)
def test_decimals_show_two_digits_of_the_half_interval(
    half: float, mid: float, digits: int
) -> None:
    """0.0123 -> 0.012: three decimals. Without a width: three digits of the value."""
    from evaluation.stats.intervals import Interval

    assert decimals([Score(Interval(mid - half, mid, mid + half), 2, 2, {})]) == digits


def test_a_number_has_a_real_minus_sign_and_no_negative_zero() -> None:
    assert number(-1.25, 1) == "\N{MINUS SIGN}1.2"
    assert number(-0.001, 2) == "0.00"


# ---- what is missing -----------------------------------------------------------------------------


def test_every_gap_has_its_reason(summary: Summary) -> None:
    found = gaps(summary.run)
    assert [(gap.status, gap.clips) for gap in found] == [("failed", 1), ("n/a", 24)]
    assert found[0].reason == f"no clip: {ERROR}"
    assert found[0].methods == ("be_ta",)
    assert found[0].metrics == tuple(summary.run.metrics)
    assert found[0].example == "be_ta/va_style/0"


def test_clips_and_scores_that_were_never_made_are_rows_too(tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    (folder / "clips/alpha/va_motion/0.json").unlink()
    lines = (folder / "scores.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"alpha","edit":"vb' not in line.replace(" ", "")]
    kept = [line for line in kept if not ('"alpha"' in line and '"vb_style"' in line)]
    (folder / "scores.jsonl").write_text("".join(kept))
    run = load_run(folder)
    missing = run.scores[run.scores["status"] == "missing"]
    assert set(zip(missing["method"], missing["edit"], strict=True)) == {
        ("alpha", "va_motion"),
        ("alpha", "vb_style"),
    }
    assert {gap.reason.split(":")[0] for gap in gaps(run)} >= {"no clip yet", "not scored yet"}


def test_a_score_of_another_definition_or_clip_is_not_shown(tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    info = json.loads((folder / "run.json").read_text())
    info["metrics"]["brisque"]["definition_id"] = "newer"
    write_json(folder / "run.json", info)
    scores = load_run(folder).scores
    old = scores[(scores["metric"] == "brisque") & (scores["edit"] == "vb_style")]
    assert set(old["status"]) == {"missing"}
    assert old["value"].isna().all()
    assert old["reason"].str.contains("another clip or definition").all()


def test_of_several_lines_on_one_score_the_last_counts(tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    first = json.loads((folder / "scores.jsonl").read_text().splitlines()[0])
    append_lines(folder / "scores.jsonl", [first | {"value": 9.0}])
    scores = load_run(folder).scores
    row = scores[(scores["method"] == first["method"]) & (scores["edit"] == first["edit"])]
    assert row[row["metric"] == first["metric"]]["value"].item() == 9.0


def test_a_run_of_one_video_has_no_intervals_and_says_so(tmp_path: Path) -> None:
    out = tmp_path / "out"
    folder = fabricate(tmp_path / "run", videos=("va",))
    done = build_report(folder, out, Resampling(resamples=100), media=False)
    assert "**0.301** [one video]" in markdown(axis_table(done.summary, "alignment"))
    assert "no interval can be given" in done.page.read_text()
    assert not any("Edit by edit" in sentence for sentence in summary_sentences(done.summary))


def test_a_metric_without_any_value_still_has_its_column(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "run")
    rows = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    (folder / "scores.jsonl").unlink()
    for row in rows:
        if row["metric"] == "brisque" and row["status"] == "ok":
            row.pop("value"), row.pop("delta")
            row |= {"status": "failed", "reason": "ValueError: too small"}
    append_lines(folder / "scores.jsonl", rows)
    done = build_report(folder, tmp_path / "out", Resampling(resamples=100), media=False)
    assert "\N{EN DASH} failed" in markdown(axis_table(done.summary, "quality"))
    assert done.summary.headline("quality") is None
    assert "ValueError: too small" in done.page.read_text()


# ---- tables --------------------------------------------------------------------------------------


def test_markdown_table(summary: Summary) -> None:
    """Best in bold, anchors marked, n where an edit is missing, counts of failures at the end."""
    lines = markdown(axis_table(summary, "alignment")).splitlines()
    assert lines[0] == "### Alignment with the prompt"
    assert lines[4] == "| method | `clip_t_gain` ↑ | scores | failed | n/a | missing |"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[6:]]
    assert [row[0] for row in cells] == [
        "alpha", "be\\_ta", "gamma", "*frozen-frame* (anchor)", "*unedited* (anchor)",
    ]  # fmt: skip
    assert cells[0][1].startswith("**0.316** [")
    assert cells[1][1].endswith("n=11") and cells[1][2:] == ["11", "1", "0", "0"]


def test_latex_escapes_everything_it_would_read_as_a_command() -> None:
    assert escape_latex("a_b & 5% {x} $ # ~ ^ \\") == (
        r"a\_b \& 5\% \{x\} \$ \# \textasciitilde{} \textasciicircum{} \textbackslash{}"
    )
    assert escape_latex("line\nbreak [1]") == "line break {[}1]"


def test_latex_table_is_booktabs_with_grey_anchors(summary: Summary) -> None:
    text = latex(axis_table(summary, "fidelity"))
    assert r"\toprule" in text and r"\bottomrule" in text
    assert r"be\_ta & \textbf{0.2" in text
    assert r"\textcolor{gray}{unedited}" in text
    assert r"lpips $\downarrow$" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_tables_compile(summary: Summary, tmp_path: Path) -> None:
    tables = "\n".join(latex(table) for table in all_tables(summary))
    (tmp_path / "t.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs,xcolor}\\begin{document}\n"
        f"{tables}\n{escape_latex(EVIL)}\n\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_csv_holds_every_item_with_its_reason(made: Path, summary: Summary) -> None:
    with (made / "tables/items.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(summary.run.scores) == 72 * 4  # 6 clips of 12 edits, 4 metrics
    failed = [row for row in rows if row["status"] == "failed"]
    assert len(failed) == 4 and {row["reason"] for row in failed} == {f"no clip: {ERROR}"}
    assert all((row["value"] == "") == (row["status"] != "ok") for row in rows)
    with (made / "tables/scores.csv").open(newline="") as file:
        scores = {(row["method"], row["metric"]): row for row in csv.DictReader(file)}
    assert float(scores["alpha", "clip_t_gain"]["value"]) == pytest.approx(0.316)
    assert scores["unedited", "lpips"]["anchor"] == "True"


# ---- words ---------------------------------------------------------------------------------------


def test_summary_says_what_was_done_and_nothing_beyond_the_intervals(summary: Summary) -> None:
    sentences = summary_sentences(summary)
    assert sentences[0] == (
        "3 methods and 2 anchors on 12 edits of 4 source videos (made-up, version 3), "
        "1 to 2 seeds an edit, 4 metrics (1 more could not be computed)."
    )
    assert sentences[1] == (
        "Of 72 clips: 71 made, 1 failed (be_ta 1), 0 not applicable, 0 missing. "
        "Of 288 scores, 4 failed."
    )
    assert sentences[2].startswith("Alignment: alpha has the highest mean clip_t_gain, 0.316 [")
    assert (
        "0.100 [0.100, 0.100] ahead of be_ta, the next; that interval excludes zero" in sentences[2]
    )
    assert "Anchors with a better mean: frozen-frame and unedited." in sentences[3]
    assert sentences[-1].startswith("Trade-off: be_ta and alpha are on the Pareto front")
    assert not re.search(r"significan|clearly|outperform|superior", " ".join(sentences))


def test_listed() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]


# ---- page ----------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Collects what a page refers to; fails on an end tag that closes nothing."""

    VOID = ("meta", "input", "br", "path", "use", "rect", "image")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        for key, text in attrs:
            assert not key.startswith("on"), f"inline handler {key}"
            if key in ("href", "src"):
                self.links.append(text or "")
            if key == "id":
                self.ids.append(text or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="session")
def html(made: Path) -> str:
    return (made / "index.html").read_text()


@pytest.fixture(scope="session")
def reader(html: str) -> Reader:
    found = Reader()
    found.feed(html)
    assert not found.open
    return found


def test_page_refers_to_its_own_folder_only(reader: Reader, made: Path) -> None:
    files = [link for link in reader.links if not link.startswith("#")]
    assert files
    assert [link for link in files if not (made / link).is_file()] == []


def test_page_links_to_parts_that_exist(reader: Reader) -> None:
    parts = {link[1:] for link in reader.links if link.startswith("#")}
    made_by_script = {part for part in parts if part.startswith("edit-")}
    assert parts - set(reader.ids) - made_by_script == set()
    assert len(reader.ids) == len(set(reader.ids))


def test_text_of_others_comes_out_as_text(html: str, reader: Reader) -> None:
    assert reader.scripts == 2  # the data and the script, none from a prompt
    assert "<script>alert" not in html and "<b>out of memory" not in html
    assert "&lt;b&gt;out of memory&lt;/b&gt; &amp; more_than_100%" in html
    data = json.loads(re.search(r'id="gallery-data">(.*?)</script>', html, re.S)[1])  # type: ignore[index]
    assert EVIL in {edit["prompt"] for edit in data["edits"]}


def test_policy_allows_the_pages_own_script_and_nothing_from_elsewhere(html: str) -> None:
    script = re.findall(r"<script>(.*?)</script>", html, re.S)
    import base64

    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', html)[1]  # type: ignore[index]
    assert len(script) == 1 and f"sha256-{digest}" in policy
    assert "default-src &#x27;none&#x27;" in policy and "http" not in policy


def test_page_shows_definitions_provenance_and_what_was_not_run(html: str) -> None:
    for text in (
        "Return clip_t_gain &lt;i&gt;as defined&lt;/i&gt; in a paper.",
        "ViT-B-32 sha256 0123",
        "get the weights with `dreamix weights get clip`",
        "ab" * 32,
        "too narrow",  # four videos
    ):
        assert text in html


def test_page_without_media_has_no_gallery(run_folder: Path, tmp_path: Path) -> None:
    done = build_report(run_folder, tmp_path, Resampling(resamples=100), media=False)
    assert "--no-media" in done.page.read_text()
    assert not (tmp_path / "media").exists()


def test_the_same_run_gives_the_same_bytes(made: Path, run_folder: Path, tmp_path: Path) -> None:
    build_report(run_folder, tmp_path, Resampling(resamples=500))
    first, second = (
        {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}
        for top in (made, tmp_path)
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_markup_escapes_unless_told_otherwise() -> None:
    assert tag("p", "<b>", Html("<i></i>"), title='"') == '<p title="&quot;">&lt;b&gt;<i></i></p>'
    assert "</script>" not in json_script("x", "</script>")[:-9]


# ---- clips ---------------------------------------------------------------------------------------


def test_copies_play_in_a_browser_and_equal_clips_are_stored_once(made: Path) -> None:
    """Four sources, which the anchors repeat, and four clips that the three methods share."""
    copies = sorted((made / "media").iterdir())
    assert len(copies) == 8
    assert {(probe(path).codec, probe(path).pixel_format) for path in copies} == {
        ("h264", "yuv420p")
    }


def test_copies_are_not_made_twice_and_leftovers_go(run_folder: Path, tmp_path: Path) -> None:
    build_report(run_folder, tmp_path, Resampling(resamples=100))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "media").iterdir()}
    (tmp_path / "media" / "left-over.mp4").write_bytes(b"old")
    build_report(run_folder, tmp_path, Resampling(resamples=100))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "media").iterdir()} == before


def test_a_clip_that_cannot_be_read_is_a_tile_with_the_reason(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "run", videos=("va", "vb"), media=True)
    (folder / "clips/alpha/va_motion/0.mp4").unlink()
    (folder / "sources/vb.mp4").write_bytes(b"not a video")
    done = build_report(folder, tmp_path / "out", Resampling(resamples=100))
    text = done.page.read_text()
    data = json.loads(re.search(r'id="gallery-data">(.*?)</script>', text, re.S)[1])  # type: ignore[index]
    gone = data["clips"]["alpha"]["va_motion"][0]
    assert "file" not in gone and "gone from the run folder" in gone["why"]
    assert data["videos"]["vb"]["status"] == "failed" and data["videos"]["vb"]["why"]
    failed = data["clips"]["be_ta"]["va_style"][0]
    assert failed["why"] == ERROR and data["reasons"][int(failed["scores"][0])].startswith(
        "failed: "
    )


# ---- command line --------------------------------------------------------------------------------


@pytest.fixture
def command() -> Callable[..., Any]:
    def call(*arguments: str | Path) -> Any:
        return CliRunner().invoke(report, [str(argument) for argument in arguments])

    return call


def test_command_writes_into_the_run_and_prints_the_summary(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    folder = fabricate(tmp_path)
    done = command(folder, "--no-media", "--resamples", "100")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == f"report page: {folder / 'report' / 'index.html'}"
    assert (folder / "report" / "index.html").is_file()
    assert "Alignment: alpha has the highest" in done.output


def test_command_refuses_what_is_no_run(command: Callable[..., Any], tmp_path: Path) -> None:
    done = command(tmp_path)
    assert isinstance(done.exception, UserError)
    assert "is not a run folder: it has no run.json" in str(done.exception)


def test_command_refuses_a_run_without_scores(command: Callable[..., Any], tmp_path: Path) -> None:
    folder = fabricate(tmp_path)
    (folder / "scores.jsonl").unlink()
    done = command(folder)
    assert isinstance(done.exception, UserError)
    assert "has no scores yet; `dreamix bench score" in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (folder / "report").exists()


# ---- in a browser --------------------------------------------------------------------------------


CLIPS = "[...document.querySelectorAll('#edit-va_motion video')].filter(v => v.duration > 1)"
LOADED = f"{CLIPS}.filter(v => v.readyState > 2).length"
TIMES = f"{CLIPS}.map(v => v.currentTime)"


@pytest.fixture(scope="session")
def browser_page(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The report in headless Chromium, with longer clips; notes errors and requests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium on this machine")
    folder = fabricate(tmp_path_factory.mktemp("long"), videos=("va", "vb"), media=True)
    for number_, path in enumerate(sorted(folder.glob("clips/*/va_motion/*.mp4"))):
        fps = (24.0, 12.0, 8.0)[number_ % 3]
        write_video(path, clip(20 * number_, fps, round(1.5 * fps)))
        sidecar = path.with_suffix(".json")
        write_json(sidecar, json.loads(sidecar.read_text()) | {"sha256": sha256_file(path)})
    page_file = build_report(folder, folder / "report", Resampling(resamples=100)).page
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.notes, page.asked = [], []
        page.on("console", lambda message: page.notes.append(message.text))
        page.on("pageerror", lambda error: page.notes.append(str(error)))
        page.on("dialog", lambda dialog: page.notes.append("a dialog opened"))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{page_file.as_uri()}#edit-va_motion")
        for _ in range(100):
            if page.evaluate(LOADED) == len(METHODS):
                break
            page.wait_for_timeout(100)
        yield page
        browser.close()


@pytest.mark.browser
@pytest.mark.slow
def test_clips_of_a_row_play_in_step(browser_page: Any) -> None:
    """Clips of 24, 12 and 8 frames a second; a frame of the fastest lasts 1/24 s."""

    def spread() -> float:
        times = browser_page.evaluate(TIMES)
        assert len(times) == len(METHODS)
        return float(max(times) - min(times))

    button = browser_page.locator("#edit-va_motion .transport button").first
    slider = browser_page.locator("#edit-va_motion .transport input")
    button.click()
    browser_page.wait_for_timeout(3000)
    spreads = []
    for _ in range(20):
        spreads.append(spread())
        browser_page.wait_for_timeout(113)
    assert np.median(spreads) < 1 / 24
    slider.fill("0.2")  # a jump while playing goes on playing
    browser_page.wait_for_timeout(600)
    assert spread() < 1 / 24
    button.click()
    slider.fill("0.5")
    browser_page.wait_for_timeout(500)
    assert spread() < 1 / 24
    assert browser_page.evaluate(TIMES)[0] == pytest.approx(0.75, abs=1 / 24)


@pytest.mark.browser
@pytest.mark.slow
def test_page_asks_for_nothing_from_elsewhere_and_has_no_errors(browser_page: Any) -> None:
    browser_page.get_by_placeholder("prompt or id").fill("alert")
    browser_page.wait_for_timeout(300)
    assert browser_page.locator("article .prompt").first.text_content().startswith(EVIL)
    assert browser_page.locator("#gallery-count").text_content() == "1 of 6 edits"
    assert browser_page.notes == []
    assert {url.split(":")[0] for url in browser_page.asked} == {"file"}
