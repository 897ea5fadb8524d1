"""Draws edits of a run as strips: the source, then each method, six frames each, with labels.

python docs/make_strips.py RUN OUT.png EDIT [EDIT ...] [--methods dreamix,text-to-video]
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dreamix.core.media import read_video
from dreamix.data.strip import GAP, row
from evaluation.run.folder import RunFolder

SHOWN = 6
MARGIN = 150


def strip(clip: Path, label: str) -> np.ndarray:
    """Return six evenly spaced frames beside a label, uint8 (height, width, 3)."""
    video = read_video(clip)
    edge = GAP // 2
    frames = np.pad(row(video, SHOWN, video.width, shade=0), ((edge, edge), (edge, edge), (0, 0)))
    picture = Image.fromarray(np.pad(frames, ((0, 0), (MARGIN, 0), (0, 0)), constant_values=255))
    font = ImageFont.load_default(15)
    ImageDraw.Draw(picture).text((8, len(frames) // 2 - 9), label, fill=(20, 20, 20), font=font)
    return np.array(picture)


def title(text: str, width: int) -> np.ndarray:
    """Return a line of text on white."""
    picture = Image.new("RGB", (width, 30), (255, 255, 255))
    ImageDraw.Draw(picture).text((8, 6), text, fill=(20, 20, 20), font=ImageFont.load_default(16))
    return np.array(picture)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("edits", nargs="+")
    parser.add_argument("--methods", default="dreamix,text-to-video,plug-and-play")
    options = parser.parse_args()
    run = RunFolder(options.run)
    rows = []
    for name in options.edits:
        edit = run.suite.edit(name)
        source = next((options.run / "sources").glob(f"{edit.video}.mp4"))
        block = [strip(source, "source")]
        for method in options.methods.split(","):
            clip = options.run / "clips" / method / name / "0.mp4"
            block.append(strip(clip, method))
        rows += [title(f"{edit.category}: {edit.prompt}", block[0].shape[1]), *block]
    Image.fromarray(np.concatenate(rows)).save(options.out)


if __name__ == "__main__":
    main()
