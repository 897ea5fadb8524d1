"""Names that systems leave in folders, as their makers document them."""

import pytest

from dreamix.core.litter import is_litter


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store", "._frame.png", ".ipynb_checkpoints", ".nfs000000000ab", ".Trashes",
        "Thumbs.db", "THUMBS.DB", "desktop.ini", "Desktop.ini", "__MACOSX", "@eaDir", "Icon\r",
        "$RECYCLE.BIN", "System Volume Information", "lost+found", "#recycle", "notes.txt~",
    ],
)  # fmt: skip
def test_what_systems_leave_is_litter(name: str) -> None:
    assert is_litter(name)


@pytest.mark.parametrize("name", ["duck_00.mp4", "frame_000.png", "ours", "thumbs", "a.b", "_x"])
def test_what_people_name_is_not(name: str) -> None:
    assert not is_litter(name)
