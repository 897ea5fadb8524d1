"""Counts in sentences."""

import pytest

from dreamix.core.wording import command, plural


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (1, "video", "1 video"), (2, "video", "2 videos"), (0, "clip", "0 clips"),
        (2, "entry", "2 entries"), (1, "study", "1 study"), (3, "day", "3 days"),
        (2, "edit of a clip", "2 edits of a clip"), (2, "category", "2 categories"),
    ],
)  # fmt: skip
def test_a_noun_has_the_ending_of_its_count(count: int, noun: str, said: str) -> None:
    assert plural(count, noun) == said


def test_a_command_that_is_named_can_be_copied() -> None:
    assert command("bench", "score", "runs/one") == "`dreamix bench score runs/one`"
    assert command("study", "build", "my study") == "`dreamix study build 'my study'`"
