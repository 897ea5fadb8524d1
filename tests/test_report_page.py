"""The page of a report: it needs nothing from elsewhere, no text of others runs, its clips play."""

import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fabricated_run import ERROR, EVIL, fabricate
from jinja2 import UndefinedError
from markupsafe import Markup

from dreamix.core.media import probe
from reports.build import build_report
from reports.page.shell import environment, macros
from reports.summary import IntervalSettings

# ---- page ----------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Collects what a page refers to; fails on an end tag that closes nothing."""

    VOID = ("meta", "input", "br", "img", "path", "use", "rect", "image")

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


@pytest.mark.slow
def test_page_refers_to_its_own_folder_only(reader: Reader, made: Path) -> None:
    files = [link for link in reader.links if not link.startswith(("#", "data:image/jpeg;"))]
    assert files
    assert [link for link in files if not (made / link).is_file()] == []


@pytest.mark.slow
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
    assert "default-src &#39;none&#39;" in policy and "http" not in policy


def test_page_shows_definitions_provenance_and_what_was_not_run(
    html: str, run_folder: Path
) -> None:
    for text in (
        "Return clip_t_gain &lt;i&gt;as defined&lt;/i&gt; in a paper.",
        "ViT-B-32 sha256 0123",
        "get the weights with `dreamix weights get clip`",
        json.loads((run_folder / "run.json").read_text())["suite"]["sha256"],
        "too narrow",  # four videos
    ):
        assert text in html


@pytest.mark.slow
def test_page_without_media_has_no_gallery(run_folder: Path, tmp_path: Path) -> None:
    done = build_report(run_folder, tmp_path, IntervalSettings(resamples=100), media=False)
    assert "--no-media" in done.page.read_text()
    assert not (tmp_path / "media").exists()


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(made: Path, run_folder: Path, tmp_path: Path) -> None:
    build_report(run_folder, tmp_path, IntervalSettings(resamples=500))
    first, second = (
        {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}
        for top in (made, tmp_path)
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_templates_escape_unless_told_otherwise() -> None:
    """A name that a template lacks is an error, never an empty text on a page."""
    note = macros("pieces.html").note
    assert note('<b>"') == '<p class="note">&lt;b&gt;&#34;</p>'
    assert note(Markup("<i></i>")) == '<p class="note"><i></i></p>'
    data = environment().from_string("{{ data | tojson }}").render(data=["</script><!--&'"])
    assert not set("<>&'") & set(data) and json.loads(data) == ["</script><!--&'"]
    with pytest.raises(UndefinedError):
        environment().from_string("{{ nothing }}").render()


def test_no_template_takes_text_as_markup(root: Path) -> None:
    templates = [*(root / "reports" / "templates").glob("*.html")]
    assert len(templates) >= 5
    for path in templates:
        assert not re.search(r"\bsafe\b|autoescape|Markup", path.read_text()), path.name


# ---- clips ---------------------------------------------------------------------------------------


def test_copies_play_in_a_browser_and_equal_clips_are_stored_once(made: Path) -> None:
    """Four sources, which the anchors repeat, and four clips that the three methods share."""
    copies = sorted((made / "media").iterdir())
    assert len(copies) == 8
    assert {(probe(path).codec, probe(path).pixel_format) for path in copies} == {
        ("h264", "yuv420p")
    }


@pytest.mark.slow
def test_copies_are_not_made_twice_and_leftovers_go(
    made: Path, run_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "media").iterdir()}
    (tmp_path / "media" / "left-over.mp4").write_bytes(b"old")
    build_report(run_folder, tmp_path, IntervalSettings(resamples=100))
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "media").iterdir()} == before


@pytest.mark.slow
def test_a_clip_that_cannot_be_read_is_a_tile_with_the_reason(tmp_path: Path) -> None:
    folder = fabricate(tmp_path / "run", videos=("va", "vb"), media=True)
    (folder / "clips/alpha/va_motion/0.mp4").unlink()
    (folder / "sources/vb.mp4").write_bytes(b"not a video")
    done = build_report(folder, tmp_path / "out", IntervalSettings(resamples=100))
    text = done.page.read_text()
    data = json.loads(re.search(r'id="gallery-data">(.*?)</script>', text, re.S)[1])  # type: ignore[index]
    gone = data["clips"]["alpha"]["va_motion"][0]
    assert "file" not in gone and "gone from the run folder" in gone["why"]
    assert data["videos"]["vb"]["status"] == "failed" and data["videos"]["vb"]["why"]
    failed = data["clips"]["be_ta"]["va_style"][0]
    assert failed["why"] == ERROR and data["reasons"][int(failed["scores"][0])].startswith(
        "failed: "
    )
