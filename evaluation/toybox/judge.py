"""The Toybox judge: which colour, shape, motion, ... does a clip show, and how sure is that?

A network of 0.5 M parameters, trained on renders (`evaluation/toybox/judging/`, figures and
limits in `weights/README.md`). It reads 16 frames on the clip's first 2 seconds, at 48x80 pixels.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from dreamix.core.video import Video
from dreamix.toybox.world import GREY, VALUES
from evaluation.features.base import MODELS, ModelSpec
from evaluation.sample import View
from evaluation.settings import ModelSettings

FRAMES = 16
RATE = 8  # frames a second
SIZE = (48, 80)
BATCH = 32  # clips in one forward pass
NOTHING = "none of these"


@dataclass(frozen=True)
class Judgement:
    """What the judge says of a clip.

    probabilities: for each attribute of `VALUES`, float64 (words + 1,) that add up to 1: those of
        its words in order, and last that of "none of these".
    """

    probabilities: dict[str, np.ndarray]

    def probability(self, attribute: str, word: str) -> float:
        """Return the probability 0..1 of a word of `VALUES[attribute]`, or of `NOTHING`."""
        return float(self.probabilities[attribute][(*VALUES[attribute], NOTHING).index(word)])

    def answer(self, attribute: str) -> str:
        """Return the likeliest word of an attribute; `NOTHING` if that is likelier than any."""
        return (*VALUES[attribute], NOTHING)[int(self.probabilities[attribute].argmax())]


class Judge:
    """The network with the weights that travel with the toolkit, in single precision."""

    def __init__(self, settings: ModelSettings) -> None:
        import torch
        from safetensors.torch import load

        from evaluation.toybox.judging.network import JudgeNetwork

        # On the meta device no random weights are drawn, so no global generator moves.
        with torch.device("meta"):
            self.network = JudgeNetwork().eval()
        weights = {name: part.float() for name, part in load(_weights()).items()}
        self.network.load_state_dict(weights, strict=True, assign=True)
        self.network.to(settings.device)
        self.device = settings.device

    def judge(self, videos: Sequence[Video]) -> list[Judgement]:
        """Return a judgement of each clip; what shares a batch moves the seventh digit at most."""
        found: list[Judgement] = []
        for start in range(0, len(videos), BATCH):
            found += self._judge(np.stack([on_grid(v) for v in videos[start : start + BATCH]]))
        return found

    def _judge(self, frames: np.ndarray) -> list[Judgement]:
        import torch
        from torch.backends import cudnn

        clips = torch.from_numpy(frames).to(self.device).permute(0, 4, 1, 2, 3).float() / 255
        with (
            torch.inference_mode(),
            cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
        ):
            parts = [logits.double().softmax(1).cpu().numpy() for logits in self.network(clips)]
        return [
            Judgement(dict(zip(VALUES, rows, strict=True))) for rows in zip(*parts, strict=True)
        ]


def judge(video: Video) -> Judgement:
    """Return what the judge says of one clip; `Judge.judge` takes many at once."""
    return _loaded().judge([video])[0]


def visible(words: Mapping[str, str]) -> list[str]:
    """Return the attributes that can be seen in a clip of these words (attribute -> word).

    All but colour in `GREY` styles: there red, blue, purple and brown differ by 2 to 14 levels of
    256, less than a change of light does.
    """
    return [field for field in words if field != "colour" or words["style"] not in GREY]


def judgement(view: View) -> Judgement:
    """Return what the judge says of a clip, computed once.

    It is not stored in the run folder: judging takes less time than decoding the clip.
    """
    model: Judge = view.features.model("judge")
    return view.once("judgement", lambda: model.judge([view.video])[0])


def on_grid(video: Video) -> np.ndarray:
    """Return the clip as the judge reads it, uint8 (16, 48, 80, 3).

    At each eighth of a second the nearest frame: a longer clip is cut at 2 s, the last frame of a
    shorter one is held. Pixels are averaged by area; another shape than 3:5 is squashed.
    """
    import cv2

    moments = np.arange(FRAMES) / RATE
    nearest = np.abs(video.times - moments[:, None]).argmin(axis=1)
    small = {
        number: cv2.resize(video.frames[number], SIZE[::-1], interpolation=_filter(video))
        for number in dict.fromkeys(nearest.tolist())
    }
    return np.stack([small[number] for number in nearest.tolist()])


def _filter(video: Video) -> int:
    """Return OpenCV's filter: area to reduce, linear to enlarge, for there area repeats pixels."""
    import cv2

    reduces = video.height >= SIZE[0] and video.width >= SIZE[1]
    return int(cv2.INTER_AREA if reduces else cv2.INTER_LINEAR)


@cache
def _loaded() -> Judge:
    return Judge(ModelSettings())


def _weights() -> bytes:
    return resources.files("evaluation.toybox.weights").joinpath("judge.safetensors").read_bytes()


def _problem(settings: ModelSettings) -> str | None:
    return None


def _identity(settings: ModelSettings) -> str:
    return f"toybox judge, weights {hashlib.sha256(_weights()).hexdigest()[:16]}, 16x48x80, fp32"


MODELS.add("judge", ModelSpec(_problem, _identity, Judge))
