"""A figure shows no boxes in silence: a font that has the character, or a line in the caption."""

import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from drawn_run import drawn_run
from matplotlib.font_manager import fontManager

from dreamix.core.fonts import Font
from reports.figures import style
from reports.figures.style import SETTINGS, boxes_note, families, figure, give_fonts, lacking
from reports.metrics.trade_off import trade_off
from reports.page.files import saved
from reports.parts import Drawing
from reports.summary import IntervalSettings, summarize

CIRCLED = "\u24b6"  # the A in a circle: in STIXGeneral, not in DejaVu Sans nor in cmr10
FONTS = tuple((name, fontManager.findfont(name)) for name in ("cmr10", "STIXGeneral"))


def drawn(name: str) -> Drawing:
    with mpl.rc_context(SETTINGS):
        made = figure(2, 1.5)
        axes = made.add_subplot()
        axes.set_yticks(range(2), [name, "ours"])
    return Drawing("a", made, "Alt.", "Caption.")


def test_a_character_is_drawn_in_a_font_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a font has it: the table of characters of the fonts that come with matplotlib."""
    monkeypatch.setattr(style, "_fonts", lambda: FONTS)
    style.font_with.cache_clear()
    assert families(f"a{CIRCLED}") == ["DejaVu Sans", "STIXGeneral"]
    assert families("ours ↑ Äж") == ["DejaVu Sans"]
    drawing = drawn(CIRCLED)
    assert give_fonts(drawing.figure) == ""
    labels = drawing.figure.axes[0].get_yticklabels()
    assert [len(label.get_fontfamily()) for label in labels] == [2, 1]
    assert lacking(f"{CIRCLED}\u732b") == ["\u732b"]
    style.font_with.cache_clear()


def test_a_font_that_was_installed_since_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice of a caption is to install one; matplotlib's list of fonts is from before."""
    before = [one for one in fontManager.ttflist if one.name == "DejaVu Sans"]
    monkeypatch.setattr(fontManager, "ttflist", before)
    monkeypatch.setattr(style, "installed", lambda: (Font(*FONTS[1]),))
    style._fonts.cache_clear()
    style.font_with.cache_clear()
    try:
        assert families(CIRCLED) == ["DejaVu Sans", "STIXGeneral"]
        assert fontManager.findfont("STIXGeneral") == FONTS[1][1]
    finally:
        style._fonts.cache_clear()
        style.font_with.cache_clear()


@pytest.mark.slow
def test_what_no_font_has_is_said_in_the_caption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U+732B is a Chinese cat; as if no font had it. matplotlib's own lines are not shown."""
    monkeypatch.setattr(style, "font_with", lambda _: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot = saved(drawn("\u732b"), tmp_path)
    assert plot.caption.startswith("Caption. Boxes in the figure stand for \u732b (U+732B), which")
    assert give_fonts(drawn("mine").figure) == boxes_note("") == ""
    assert "more" not in boxes_note("abcde") and "and 2 more" in boxes_note("abcdefg")


def test_names_in_the_scatter_of_methods_are_placed_without_warnings() -> None:
    values = {"ssim": np.array([[0.1], [0.2]])[:, :, None], "clip_t": np.ones((2, 1, 1))}
    axes = {"ssim": "fidelity", "clip_t": "alignment"}
    better = dict.fromkeys(values, "higher")
    states = np.zeros((2, 1, 1), int)
    run = drawn_run(values, states, better=better, axis=axes, labels=("\u732b", "b"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trade_off(summarize(run, IntervalSettings(resamples=100)), "clip_t", "ssim")
