"""Motion ratio: does the edit move more or less than its source?"""

import numpy as np

from dreamix.core.errors import DoesNotApply
from evaluation.metrics.base import metric
from evaluation.metrics.motion_mag import motion_speeds
from evaluation.sample import Sample, View

STILL = 1e-3  # diagonals per second; a third of a pixel a second at 256x256


@metric(
    "motion_ratio",
    axis="motion",
    better="neither",
    bounds=(-np.inf, np.inf),
    needs=("source", "flow", "moving"),
    not_for=("subject",),
    responds={"noise": "rises"},
)
def motion_ratio(sample: Sample) -> float:
    """Natural logarithm of the edit's `motion_mag` over the source's; 0 = as much motion.

    0.69 is twice as much and -0.69 half. A clip that stands still has no logarithm, so there is no
    ratio then.
    """
    return float(np.log(_moving(sample.edited, "edit") / _moving(sample.source, "source")))


def _moving(view: View, name: str) -> float:
    speed = float(motion_speeds(view).mean())
    if speed < STILL:
        raise DoesNotApply(f"nothing moves in the {name}, so there is no ratio of motion")
    return speed
