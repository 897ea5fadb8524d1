"""What makes all tables and all heat maps of a report: columns to rows, shades, text on them."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from reports.figures.heatmap import (
    ALL,
    NO_VALUE,
    HeatCell,
    heat_map,
    shade,
    share_of,
    text_on,
)
from reports.tables import Head, TableCell, table_of


def test_a_table_is_its_columns_beside_each_other() -> None:
    best = TableCell("y", best=True)
    columns = [("n", [1, 2]), (Head("x", hint="said on hover"), [best, "z"])]
    table = table_of("t", "T", "C.", ["a", "b"], columns, first="what", anchors=["b"])
    assert table.head == (Head("n"), Head("x", hint="said on hover"))
    assert [(row.label, row.anchor) for row in table.rows] == [("a", False), ("b", True)]
    assert [row.cells for row in table.rows] == [
        (TableCell("1"), best),
        (TableCell("2"), TableCell("z")),
    ]


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        table_of("t", "T", "C.", ["a", "b"], [("n", [1, 2]), ("m", [1])])


def contrast(one: str, other: tuple[float, ...]) -> float:
    """The contrast ratio of WCAG 2.2: relative luminances of linear light, 0.05 added to both."""

    def luminance(colour: tuple[float, ...]) -> float:
        coded = np.array(colour[:3])
        linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722)) + 0.05

    found = luminance(mpl.colors.to_rgb(one)), luminance(other)
    return max(found) / min(found)


@pytest.mark.parametrize("share", np.linspace(0, 1, 21))
def test_text_can_be_read_on_every_shade(share: float) -> None:
    """3 is what WCAG asks of large text and of parts of a figure."""
    fill = shade(share)
    assert contrast(text_on(fill), fill) > 3


def test_a_share_is_where_a_value_lies_and_the_middle_where_all_are_equal() -> None:
    assert share_of(3, 1, 5) == 0.5 and share_of(5, 1, 5) == 1 and share_of(2, 1, 5) == 0.25
    assert share_of(1, 1, 1) == 0.5 and share_of(1.05, 1, 1.1, near=0.2) == 0.5


def test_a_heat_map_draws_a_box_a_cell_and_parts_all_categories() -> None:
    """Of 2 x 2 cells one is left empty; what has no value is hatched and has no shade."""
    axes = Figure().add_subplot()
    rows = {"one": [HeatCell("7", 1.0, "n=3"), NO_VALUE], "two": [HeatCell("8", 0.0), None]}
    heat_map(axes, ["motion", ALL], rows, title="Votes")
    boxes = {(box.get_x() // 1, box.get_y() // 1): box for box in axes.patches}
    assert sorted(boxes) == [(0, 0), (0, 1), (1, 0)]
    assert boxes[0, 0].get_facecolor() == shade(1.0) and boxes[0, 0].get_hatch() is None
    assert boxes[1, 0].get_facecolor()[3] == 0 and boxes[1, 0].get_hatch()
    assert [text.get_text() for text in axes.texts] == ["7", "n=3", "none", "8"]
    (line,) = axes.lines
    assert list(line.get_xdata()) == [1, 1]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "two"]
