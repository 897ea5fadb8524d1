"""The figures of an audit: statistics beside their thresholds, and what was shown."""

from collections.abc import Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluation.judge.audit.clips import AuditSource
from evaluation.judge.audit.exam import Exam
from evaluation.judge.audit.record import AuditRecord
from evaluation.judge.audit.rules import RULES
from evaluation.judge.audit.words import words_of
from reports.figures.style import COLOURS, GRID, INK, MUTED, SETTINGS
from reports.parts import Drawing

VERDICTS = {"passes": (COLOURS[2], "o"), "fails": (COLOURS[1], "X"), "cannot be told": (MUTED, "s")}
SHOWINGS = {
    "source": "source", "exact": "exact edit", "both": "two changes", "extra": "a change more",
    "other": "another source", "frozen": "held", "shuffled": "disorder",
    "captioned": "caption", "grey": "grey",
}  # fmt: skip
WIDE = 240  # pixels of a drawn frame
PLACES = (0.0, 0.5, 1.0)  # of a clip, whose frames are drawn


def drawn_probes(record: AuditRecord) -> Drawing:
    """Return every statistic with its interval, its threshold shaded where it passes."""
    names = [name for name, one in record.probes.items() if one.value is not None]
    is_footage = "ideal" not in record.probes
    with rc_context(SETTINGS):
        figure = Figure(figsize=(7.2, 0.6 + 0.24 * max(len(names), 1)), layout="constrained")
        axes = figure.add_subplot()
        for place, name in enumerate(names):
            _probe(axes, place, name, record)
        axes.set_yticks(
            range(len(names)),
            [words_of(name, is_footage=is_footage) for name in names],
            fontsize=7.5,
        )
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(-1.08, 1.08)
        axes.axvline(0, color=MUTED, linewidth=0.6)
        axes.grid(axis="y", visible=False)
        for verdict, (colour, marker) in VERDICTS.items():
            axes.plot([], [], marker, color=colour, label=verdict)
        figure.legend(loc="outside upper right", ncols=3, fontsize=8)
    told = "; ".join(f"{name} {record.probes[name].verdict}" for name in names)
    return Drawing(
        "probes",
        figure,
        f"Statistics of the probes with intervals: {told}.",
        "Statistics with 95% intervals over sources; the band is where they pass. Values beyond "
        "\N{PLUS-MINUS SIGN}1 are drawn at the edge.",
    )


def _probe(axes: Axes, place: int, name: str, record: AuditRecord) -> None:
    probe, rule = record.probes[name], RULES[name]
    low = -1.08 if rule.at_least is None and rule.at_most is not None else rule.at_least
    ends = (low if low is not None else 0.0, 1.08 if rule.at_most is None else rule.at_most)
    axes.fill_betweenx([place - 0.4, place + 0.4], *ends, color=GRID, alpha=0.6, linewidth=0)
    colour, marker = VERDICTS[probe.verdict]
    values = np.clip([probe.low or 0.0, probe.value or 0.0, probe.high or 0.0], -1.05, 1.05)
    axes.plot(values[[0, 2]], [place, place], color=colour, linewidth=1.6)
    axes.plot(values[1], place, marker, color=colour, markersize=5, markeredgecolor=INK,
              markeredgewidth=0.3)  # fmt: skip


def drawn_showings(exam: Exam) -> tuple[Drawing, ...]:
    """Return a drawing for the first edit of each category: frames of all that was shown."""
    firsts = {edit.category: edit for edit in reversed(exam.edits)}
    return tuple(
        _showing(exam.source_of(firsts[category]), exam.showings) for category in sorted(firsts)
    )


def _showing(source: AuditSource, showings: Sequence[str]) -> Drawing:
    edit = source.edit
    told = edit.wordings[0] or edit.prompt
    told += f"; two changes: {edit.both_wording}" if edit.both_wording else ""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(7.2, 1.75), layout="constrained")
        grid = figure.subplots(len(PLACES), len(showings))
        for column, shown in enumerate(showings):
            frames = source.clip(shown).frames
            for row, place in enumerate(PLACES):
                axes = grid[row, column]
                axes.imshow(_small(frames[round(place * (len(frames) - 1))]))
                axes.set_axis_off()
            grid[0, column].set_title(SHOWINGS[shown], fontsize=6.5, loc="center")
    return Drawing(
        f"shown_{edit.category}",
        figure,
        f"Frames of what was shown as the edit when asked: {told}.",
        f"{edit.category.capitalize()}: {told}.",
    )


def _small(frame: np.ndarray) -> np.ndarray:
    """Return a frame as small as it is drawn."""
    from PIL import Image

    scale = WIDE / max(frame.shape[:2])
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS))
