"""DOVER (Wu et al. 2023): technical and aesthetic quality of the edited clip, without its source.

    git clone https://github.com/VQAssessment/DOVER && pip install -e DOVER    # not PyPI's `dover`

    python docs/recipes/dover_scores.py DOVER

DOVER/pretrained_weights/DOVER.pth has to be there (the repository says from where). A second word
picks `technical`, `aesthetic` or `fused` (the default), by the fusion of its evaluate_one_video.py
(05d591a).

Tested with a stand-in for the model: it needs its weights.
"""

import math
import os
import sys

from answering import need, serve

CHECKOUT, WHICH = [*sys.argv[1:], "fused"][:2] if len(sys.argv) > 1 else ("DOVER", "fused")
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet, in grey levels
FUSION = ((0.1107, 0.07355, 0.6104), (0.08285, 0.03774, 0.3896))  # mean, deviation, weight


def fused(parts):
    """Return one number from 0 to 1."""
    pairs = zip(parts, FUSION)  # noqa: B905 - Python 3.8 has no strict
    return 1 / (1 + math.exp(-sum((x - mean) / std * weight for x, (mean, std, weight) in pairs)))


def main():
    """Load the model, then answer."""
    try:
        import torch
        import yaml
        from dover.datasets import UnifiedFrameSampler, spatial_temporal_view_decomposition
        from dover.models import DOVER
    except ImportError as error:
        need(error, "install github.com/VQAssessment/DOVER in this environment")
    with open(os.path.join(CHECKOUT, "dover.yml")) as file:
        options = yaml.safe_load(file)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = DOVER(**options["model"]["args"]).to(device).eval()
    weights = os.path.join(CHECKOUT, options["test_load_path"])
    model.load_state_dict(torch.load(weights, map_location=device))
    kinds = options["data"]["val-l1080p"]["args"]["sample_types"]
    samplers = {name: sampler(UnifiedFrameSampler, kind) for name, kind in kinds.items()}
    mean, deviation = (torch.tensor(c).reshape(3, 1, 1, 1) for c in (MEAN, DEVIATION))

    def scores(clips):
        path = clips[0]["edited"]
        views, _ = spatial_temporal_view_decomposition(path, kinds, samplers)
        inputs = {}
        for name, view in views.items():  # colours, frames, height, width
            parts = kinds[name].get("num_clips", 1)
            shape = (view.shape[0], parts, -1, *view.shape[2:])
            inputs[name] = ((view - mean) / deviation).reshape(shape).transpose(0, 1).to(device)
        with torch.no_grad():
            found = [part.mean().item() for part in model(inputs)]
        return [fused(found) if WHICH == "fused" else found[WHICH == "aesthetic"]]

    bounds = {"bounds": [0, 1]} if WHICH == "fused" else {}
    serve(scores, version=f"DOVER 05d591a {WHICH}", direction="higher", axis="quality", **bounds)


def sampler(kind, of):
    """Return which frames a view takes, as the options say."""
    if "t_frag" not in of:
        return kind(of["clip_len"], of["num_clips"], of["frame_interval"])
    per_part = of["clip_len"] // of["t_frag"]
    return kind(per_part, of["t_frag"], of["frame_interval"], of["num_clips"])


if __name__ == "__main__":
    main()
