"""Warp error: does what moves keep its colours from frame to frame (Lai et al. 2018)?

E = mean over t of [ sum_p M_p |W(y_{t+1}; F)(p) - y_t(p)|^2 / (3 sum_p M_p) ]: frame t + 1 is
fetched back along the flow F, and compared with frame t where M says the pixel can be seen in both.
Squared error of RGB in 0..1: 1e-3 is a root mean square of 8 grey levels. The source's own error
(the score of the unedited clip) is the floor to read it against.

A video is not flawless where flow fails: under 30% of pixels that can be followed there is no
score (one published evaluator returns 0 there, its best).
"""

import cv2
import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.features.flow import visible, warp
from evaluation.metrics.base import metric
from evaluation.sample import Flow, Sample, View

LEAST_COVERAGE = 0.3


def warp_errors(frames: np.ndarray, flow: Flow, seen: np.ndarray) -> np.ndarray:
    """Return the warp error of each pair of neighbouring frames: float64 (frames - 1,), 0 to 1.

    frames: uint8 RGB (frames, height, width, 3); seen: bool (frames - 1, height, width). Raises
    `DoesNotApply` if under 30% of the pixels are seen, or none in one pair.
    """
    pixels = np.count_nonzero(seen, axis=(1, 2))
    if (coverage := seen.mean()) < LEAST_COVERAGE:
        found = f"{int(100 * coverage)}%"  # rounded down, never to the limit itself
        raise DoesNotApply(f"flow covers {found} of the pixels, under {LEAST_COVERAGE:.0%}")
    if not pixels.all():
        raise DoesNotApply(f"no pixel of frame {pixels.argmin()} can be followed to the next")
    images, mask = frames.astype(np.float32), seen.astype(np.uint8)
    squares = [
        cv2.norm(warp(after, forward), before, cv2.NORM_L2SQR, mask[t])
        for t, (before, after, forward) in enumerate(
            zip(images[:-1], images[1:], flow.forward, strict=True)
        )
    ]
    return np.array(squares) / (3 * 255**2 * pixels)


def _seen(view: View) -> np.ndarray:
    return view.once("visible", lambda: visible(view.flow))


@metric(
    "warp_error.source_flow",
    axis="quality",
    better="lower",
    bounds=(0, 1),
    needs=("source", "flow", "moving"),
    not_for=("motion", "camera", "subject"),
    responds={"blur": "falls", "noise": "rises", "jpeg": "rises", "frame_drop": "rises"},
)
def warp_error_source_flow(sample: Sample) -> np.ndarray:
    """Squared RGB error (0..1) of the edit warped along the source's flow (Lai et al. 2018).

    For edits that keep the source's motion. Occlusion by forward-backward check and motion
    boundaries; a frozen edit of a moving source scores badly, as it should.
    """
    source, edited = sample.pair.source, sample.pair.edited
    return warp_errors(edited.frames, source.flow, _seen(source))


@metric(
    "warp_error.self_flow",
    axis="quality",
    better="lower",
    bounds=(0, 1),
    needs=("flow",),
    responds={"blur": "falls", "noise": "rises", "jpeg": "rises"},
)
def warp_error_self_flow(sample: Sample) -> np.ndarray:
    """Squared RGB error (0..1) of the edit warped along its own flow; valid for new motion too.

    Flicker and colours that swim raise it. A frozen video scores 0: read it beside `motion_mag`.
    """
    return warp_errors(sample.edited.frames, sample.edited.flow, _seen(sample.edited))


@metric(
    "warp_error.true_flow",
    axis="quality",
    better="lower",
    bounds=(0, 1),
    needs=("source", "true_flow"),
    not_for=("motion", "camera", "subject"),
    responds={"blur": "falls", "noise": "rises", "jpeg": "rises", "frame_drop": "rises"},
)
def warp_error_true_flow(sample: Sample) -> np.ndarray:
    """Squared RGB error (0..1) of the edit warped along the source's exact flow, where it is known.

    As `warp_error.source_flow`, without the errors of an estimated flow or occlusion.
    """
    flow = sample.paired_true_flow
    if not len(flow.forward):
        raise DoesNotApply("one frame has no motion")
    return warp_errors(sample.pair.edited.frames, flow, visible(flow))
