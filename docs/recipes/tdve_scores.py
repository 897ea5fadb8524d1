"""TDVE-Assessor (2025): quality, alignment or structure of an edit, by a tuned Qwen2.5-VL.

    git clone https://github.com/JuntongWang/TDVE-Assessor    # questions are read from its data
    pip install ms_swift==3.1.0 transformers==4.49.0 qwen_vl_utils==0.0.11

    python docs/recipes/tdve_scores.py quality TDVE-Assessor WEIGHTS

The first word is `quality`, `alignment` or `structure`. WEIGHTS is a folder of merged weights whose
answers end with the number in brackets, as those of stage 2 are trained to; at cf1848d the authors
offer weights for quality alone. For structure the model is asked about one clip that is the source
and then the edit: how the authors joined them is not told, here the edit is put at the source's
size. Its agreement with people was measured on sources that it was trained on.

Tested with a stand-in for the model: it needs a GPU and its weights.
"""

import json
import os
import re
import sys
import tempfile

from answering import need, prompt_of, serve

ASKED = {  # file of the question -> axis
    "quality": ("video_quality_test_mos.json", "quality"),
    "alignment": ("text_test.json", "alignment"),
    "structure": ("feel_test.json", "fidelity"),
}


def main():
    """Load the model, then answer."""
    if len(sys.argv) < 4 or sys.argv[1] not in ASKED:
        sys.exit(f"tdve_scores.py: say what ({', '.join(ASKED)}), the checkout and the weights")
    which, checkout, weights = sys.argv[1:4]
    try:
        from swift.llm import InferRequest, PtEngine, RequestConfig
    except ImportError as error:
        need(error, "pip install ms_swift==3.1.0 transformers==4.49.0 in this environment")
    name, axis = ASKED[which]
    question = question_of(os.path.join(checkout, "stage2_dataset", name))
    engine, how = PtEngine(weights, max_batch_size=1), RequestConfig(max_tokens=64, temperature=0)

    def scores(clips):
        clip = clips[0]
        with tempfile.TemporaryDirectory() as folder:
            shown = clip["edited"]
            if which == "structure":
                shown = joined(clip["source"], shown, os.path.join(folder, "both.mp4"))
            asked = question + (f"prompt: {prompt_of(clip)}" if which == "alignment" else "")
            messages = [{"role": "user", "content": asked}]
            (reply,) = engine.infer([InferRequest(messages=messages, videos=[shown])], how)
        return [mark_of(reply.choices[0].message.content)]

    version = f"TDVE-Assessor {which} {os.path.basename(os.path.normpath(weights))}"
    serve(scores, version=version, direction="higher", axis=axis, bounds=[0, 100])


def question_of(path):
    """Return the question of a file of examples, without the prompt of the example."""
    with open(path, encoding="utf-8") as file:
        text = json.load(file)[0]["messages"][0]["content"]
    return text.partition("prompt:")[0]


def mark_of(text):
    """Return the number in brackets that ends an answer."""
    found = re.search(r"\((\d+(?:\.\d+)?)\)\s*\Z", text.strip())
    if not found:
        raise ValueError(f"no number in brackets ends the answer: {text[-200:]!r}")
    return float(found[1])


def joined(first, second, path):
    """Write one clip after the other, at the size and rate of the first; return the path."""
    import av

    with av.open(path, "w") as out:
        stream = None
        for name in (first, second):
            with av.open(name) as clip:
                for frame in clip.decode(video=0):
                    if stream is None:
                        stream = out.add_stream("libx264", rate=clip.streams.video[0].average_rate)
                        stream.width, stream.height = frame.width // 2 * 2, frame.height // 2 * 2
                        stream.pix_fmt = "yuv420p"
                    size = {"width": stream.width, "height": stream.height, "format": "yuv420p"}
                    frame = frame.reformat(**size)
                    frame.pts = None
                    for packet in stream.encode(frame):
                        out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path


if __name__ == "__main__":
    main()
