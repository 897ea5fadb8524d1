"""A suite of two videos and two edits without a mistake, for tests to put mistakes into."""

from pathlib import Path

# The lines that the cases of test_suite_mistakes.py expect are counted here.
GOOD = """\
name: small
version: 1
licence: CC0
videos:
- id: duck
  path: duck.mp4
  caption: a duck
- id: ball
  toybox: {colour: red, shape: ball, motion: resting, background: meadow}
edits:
- id: duck_00
  video: duck
  prompt: a duck dives
  category: motion
- id: ball_00
  video: ball
  prompt: a blue ball
  category: appearance
  toybox: {colour: blue}
"""


def write(folder: Path, text: str) -> Path:
    """Return a suite.yaml with that text."""
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return path
