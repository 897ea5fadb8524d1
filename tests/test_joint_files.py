"""Files that a part brings for other commands stand beside the page, stamped like all else."""

from pathlib import Path

import pytest

from reports.page.files import write_parts
from reports.parts import ReportPart, stamped


@pytest.mark.slow
def test_files_of_a_part_are_written_and_named_by_who_rated(tmp_path: Path) -> None:
    part = ReportPart(id="p", title="P", files=(("composite.json", '{"a": 1}\n'),))
    assert write_parts([part], tmp_path / "people").files == ["composite.json"]
    assert (tmp_path / "people" / "composite.json").read_text() == '{"a": 1}\n'
    made = write_parts([stamped(part)], tmp_path / "simulated")
    assert made.files == ["simulated_composite.json"]
    assert (tmp_path / "simulated" / "simulated_composite.json").is_file()
