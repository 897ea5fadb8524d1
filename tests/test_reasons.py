"""A reason that is the same for every edit is said once, with how many clips it is of."""

from pathlib import Path

import pytest
from console import program
from small_suites import put_clip, small_suite

from evaluation.schema import kind_of_reason
from reports.loading import load_run
from reports.summary import gaps


@pytest.mark.parametrize(
    ("reason", "edit", "said"),
    [
        ("no file out/duck_00 (mp4)", "duck_00", "no file out/{edit} (mp4)"),
        ("no file out/duck_001.mp4", "duck_00", "no file out/duck_001.mp4"),
        ("no file out/ours_duck.mp4", "duck", "no file out/ours_duck.mp4"),
        ("no file out/ours_duck_00_7.mp4", "duck_00", "no file out/ours_{edit}_7.mp4"),
        ("no file duck_00/duck_00_7.mp4", "duck_00", "no file {edit}/duck_00_7.mp4"),
        ("no file out/duck_001_7.mp4", "duck_00", "no file out/duck_001_7.mp4"),
        ("no file out/no.mp4", "no", "no file out/{edit}.mp4"),
        ("t.csv has no row for 'file'", "file", "t.csv has no row for '{edit}'"),
        (r"no file C:\out\a.b+c.mp4", "a.b+c", r"no file C:\out\{edit}.mp4"),
    ],
)
def test_only_the_id_of_the_edit_is_replaced(reason: str, edit: str, said: str) -> None:
    """Written by hand; other ids that contain it, and words that equal it, stay."""
    assert kind_of_reason(reason, edit) == said


def test_lost_files_of_many_edits_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six edits, of which one has an output: one reason, five clips, in terminal and report."""
    monkeypatch.chdir(tmp_path)
    dreamix = program(monkeypatch, capsys)
    small_suite(tmp_path, tuple(f"duck_{number:02}" for number in range(6)))
    put_clip(tmp_path / "outputs/ours/duck_03.mp4")
    made = dreamix(
        *("bench", "run", "suite.yaml", "--methods", "external:outputs/*", "--out", "run")
    )
    scored = dreamix("bench", "score", "run", "--metrics", "flicker")
    for code, *said in (made, scored):
        lines = [line for line in "".join(said).splitlines() if line.startswith("failed: ")]
        assert code == 1 and len(lines) == 1, said
        assert lines[0].startswith("failed: 5 x") and "{edit}" in lines[0]
    (gap,) = gaps(load_run(tmp_path / "run"))
    assert gap.clips == 5 and gap.example == "ours/duck_00/0"
