"""VideoScore2 (He et al. 2025): what a tuned Qwen2.5-VL says of the edited clip and its prompt.

    git clone https://github.com/TIGER-AI-Lab/VideoScore2    # its query is read from there
    pip install torch==2.6.0 transformers==4.53.2 qwen-vl-utils accelerate

    python docs/recipes/videoscore2_scores.py alignment VideoScore2

The first word is `quality`, `alignment` or `physics`; a third one names weights other than
TIGER-Lab/VideoScore2. Two departures from the authors' script (e6abe26), which draws at temperature
0.7: the reasoning is greedy, so that the number can be had again, and the score is the mean of the
digits 1 to 5, each weighed by its probability (theirs is the likeliest digit times its probability,
by which an unsure 5 is below a sure 3).

Tested with a stand-in for the model: it needs a GPU and its weights.
"""

import ast
import os
import re
import sys

from answering import need, prompt_of, serve

ASKED = {  # as the answers call them -> axis
    "quality": ("visual quality:", "quality"),
    "alignment": ("text-to-video alignment:", "alignment"),
    "physics": ("physical/common-sense consistency:", "quality"),
}
RATE, MOST_TOKENS = 2.0, 1024  # frames a second and tokens, as in the authors' script


def main():
    """Load the model, then answer."""
    if len(sys.argv) < 3 or sys.argv[1] not in ASKED:
        sys.exit(f"videoscore2_scores.py: say what ({', '.join(ASKED)}), and where the checkout is")
    which, checkout, weights = [*sys.argv[1:], "TIGER-Lab/VideoScore2"][:3]
    try:
        import torch
        from qwen_vl_utils import process_vision_info
        from transformers import AutoModelForVision2Seq, AutoProcessor
    except ImportError as error:
        need(error, "pip install transformers==4.53.2 qwen-vl-utils accelerate in this environment")
    query = query_of(os.path.join(checkout, "vs2_inference.py"))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForVision2Seq.from_pretrained(weights, trust_remote_code=True).to(device)
    processor = AutoProcessor.from_pretrained(weights, trust_remote_code=True)
    mark, axis = ASKED[which]

    def scores(clips):
        clip = clips[0]
        content = [
            {"type": "video", "video": clip["edited"], "fps": RATE},
            {"type": "text", "text": query.replace("$t2v_prompt", prompt_of(clip))},
        ]
        messages = [{"role": "user", "content": content}]
        text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        images, videos = process_vision_info(messages)
        inputs = processor(
            text=[text], images=images, videos=videos, fps=RATE, padding=True, return_tensors="pt"
        ).to(device)
        made = model.generate(
            **inputs,
            max_new_tokens=MOST_TOKENS,
            do_sample=False,
            output_scores=True,
            return_dict_in_generate=True,
        )
        tokens = made.sequences[0, inputs["input_ids"].shape[1] :].tolist()
        step = digit_after(mark, tokens, processor.tokenizer)
        return [expected(made.scores[step][0].float().softmax(-1), processor.tokenizer)]

    version = f"{os.path.basename(weights)} {which}, greedy, expectation"
    serve(scores, version=version, direction="higher", axis=axis, bounds=[1, 5])


def query_of(path):
    """Return the text in the authors' script that the prompt is put into."""
    with open(path, encoding="utf-8") as file:
        texts = [node.value for node in ast.walk(ast.parse(file.read())) if is_text(node)]
    return next(text for text in texts if "$t2v_prompt" in text)


def is_text(node):
    """Return True for a literal text."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def digit_after(mark, tokens, tokenizer):
    """Return the number of the step at which the digit after the last `mark` was written."""
    found, text = None, ""
    for step, token in enumerate(tokens):
        piece = tokenizer.decode([token])
        if (
            re.search(re.escape(mark) + r"[\s*<]*\Z", text, re.IGNORECASE)
            and piece.strip().isdigit()
        ):
            found = step
        text += piece
    if found is None:
        raise ValueError(f"no score for {mark} in: {text[-200:]}")
    return found


def expected(probabilities, tokenizer):
    """Return the mean of 1 to 5, weighed by how likely each was."""
    ids = [tokenizer.encode(str(digit), add_special_tokens=False)[0] for digit in range(1, 6)]
    weights = [float(probabilities[one]) for one in ids]
    return sum(digit * weight for digit, weight in enumerate(weights, 1)) / sum(weights)


if __name__ == "__main__":
    main()
