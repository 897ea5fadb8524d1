"""VBench (Huang et al. 2024): one of its dimensions for the edited clip, without its source.

    pip install vbench    # an environment of its own: it pins transformers 4.33 and numpy 1

    python docs/recipes/vbench_scores.py subject_consistency

Models are loaded once for each batch of 200 clips (a second word changes that), and a batch is
answered when it is done: say --cmd-start 7200 --cmd-clip 7200. Values are those of single clips,
never the aggregate, which is a mean over frames on one GPU and over clips on several;
imaging_quality is 0 to 100 there. Read at 45e79ec.

Tested with a stand-in for the package: it needs CUDA.
"""

import json
import os
import sys
import tempfile

from answering import DoesNotApply, need, serve

# Dimensions that take clips of one's own; the others read names of objects from VBench's prompts.
DIMENSIONS = {  # -> axis, largest value
    "subject_consistency": ("quality", 1),
    "background_consistency": ("quality", 1),
    "temporal_flickering": ("quality", 1),
    "motion_smoothness": ("quality", 1),
    "dynamic_degree": ("motion", 1),
    "aesthetic_quality": ("quality", 1),
    "imaging_quality": ("quality", 100),
    "overall_consistency": ("alignment", 1),
    "temporal_style": ("alignment", 1),
}


def main():
    """Check what was asked for, then answer."""
    dimension, batch = [*sys.argv[1:], "", "200"][:2] if len(sys.argv) < 3 else sys.argv[1:3]
    if dimension not in DIMENSIONS:
        sys.exit(f"vbench_scores.py: say which dimension: {', '.join(DIMENSIONS)}")
    try:
        import torch
        from vbench import VBench
    except ImportError as error:
        need(error, "pip install vbench in this environment")

    def scores(clips):
        with tempfile.TemporaryDirectory() as folder:
            prompts = linked(clips, os.path.join(folder, "clips"))
            run = VBench(torch.device("cuda"), "", os.path.join(folder, "out"))
            run.evaluate(
                videos_path=os.path.join(folder, "clips"),
                name="found",
                prompt_list=prompts,
                dimension_list=[dimension],
                mode="custom_input",
            )
            with open(os.path.join(folder, "out", "found_eval_results.json")) as file:
                _aggregate, rows = json.load(file)[dimension]
        found = {number(row["video_path"]): row["video_results"] for row in rows}
        lost = ValueError("VBench left this clip out")
        promptless = DoesNotApply("the edit has an instruction and no prompt")
        for place, clip in enumerate(clips):
            if reads_prompt and not clip.get("prompt"):
                found[place] = promptless
        return [found.get(place, lost) for place in range(len(clips))]

    axis, most = DIMENSIONS[dimension]
    reads_prompt = axis == "alignment"
    low = -1 if reads_prompt else 0  # a cosine
    facts = {"version": f"VBench {dimension}", "direction": "higher", "axis": axis}
    if dimension == "dynamic_degree":
        facts["direction"] = "neither"  # a share of clips that move: more is not better for edits
    serve(scores, batch=int(batch), bounds=[low, most], **facts)


def linked(clips, folder):
    """Put clips into a folder under numbers, MP4 or GIF as VBench asks; return their prompts."""
    os.makedirs(folder)
    prompts = {}
    for place, clip in enumerate(clips):
        ending = ".gif" if clip["edited"].lower().endswith(".gif") else ".mp4"
        os.symlink(clip["edited"], os.path.join(folder, f"{place}{ending}"))
        prompts[f"{place}{ending}"] = clip.get("prompt") or ""
    return prompts


def number(path):
    """Return the place of a clip in its batch."""
    return int(os.path.splitext(os.path.basename(path))[0])


if __name__ == "__main__":
    main()
