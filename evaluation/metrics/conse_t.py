"""ConSE-T: does every frame show what the prompt names? For places without a model hub."""

import numpy as np

from evaluation.metrics.base import metric
from evaluation.metrics.cosine import cosine
from evaluation.sample import Sample


@metric(
    "conse_t",
    axis="alignment",
    better="higher",
    bounds=(-1, 1),
    needs=("prompt", "footage", "conse"),
    not_for=("motion", "style"),
    responds={"jpeg": "falls", "shuffle": "stays"},
)
def conse_t(sample: Sample) -> np.ndarray:
    """Cosine of each edited frame with the prompt, in ConSE space: mean over t of c(y_t).m(p).

    c: mean of what a frame's 10 likeliest ImageNet classes mean, weighted by probability; m: the
    prompt's sentence embedding; both from the mean of all classes, unit norm; y: edit; p: prompt.
    It sees subjects among the 1000 ImageNet classes and little else: no style, no action, hardly
    colours and backgrounds. On 22 real clips it finds the clip's caption among all 22 in 50% (in
    the first 3: 68%). On 168 published edits of real clips it rose over the source no more often
    than by chance: no stand-in for CLIP on small edits. Source: Norouzi et al. 2013.
    """
    return cosine(sample.edited.embed("conse"), sample.text("conse", sample.prompt))
