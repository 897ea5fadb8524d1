"""toybox-clip: a small CLIP for the Toybox world, built and written the way open_clip has them.

The folder that `save_clip` writes is one that open_clip itself opens (`local-dir:FOLDER`): a JSON
config, weights, and a tokenizer that knows the words of the Toybox grammar and no others.
"""

from pathlib import Path
from typing import Any

import open_clip
from torch import Tensor, nn

from dreamix.core.records import write_json
from dreamix.toybox.training.init import weights_named
from dreamix.toybox.training.trained import save_half
from dreamix.toybox.world import VOCABULARY

CONFIG_FILE = "open_clip_config.json"
WEIGHTS_FILE = "open_clip_model.safetensors"
LENGTH = 24  # start + 19 words of the longest caption + end, and room for three more
SIDE = 64  # a frame is squashed to SIDE x SIDE, so that nothing of it is cut off
PAD, UNKNOWN, START, END = "<pad>", "<unknown>", "<start>", "<end>"
WORDS = (PAD, UNKNOWN, START, *VOCABULARY, END)  # <end> is last: both ways of pooling agree on it

CONFIG: dict[str, Any] = {
    "embed_dim": 96,
    "vision_cfg": {
        "image_size": SIDE,
        "timm_model_name": "test_convnext2",  # timm's smallest ConvNeXt but one: 0.35 M
        "timm_pool": "avg",
        "timm_proj": "linear",
    },
    "text_cfg": {
        "context_length": LENGTH,
        "vocab_size": len(WORDS),
        "hf_tokenizer_name": "toybox-clip",  # the files beside the config
        "width": 64,
        "heads": 2,
        "layers": 2,
        "pool_type": "eos",
        "eos_id": WORDS.index(END),
    },
}
PREPROCESS: dict[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
    "interpolation": "bicubic",
    "resize_mode": "squash",
}


def build_clip(seed: int = 0) -> Any:
    """Return an untrained model (0.5 M parameters) that depends on `seed` alone."""
    with weights_named("toybox-clip", seed):
        return open_clip.CLIP(**CONFIG)


def save_clip(model: nn.Module, folder: Path) -> None:
    """Write the folder of a trained model; floating-point weights in half precision."""
    write_vocabulary(folder)
    save_half(model, folder / WEIGHTS_FILE)


def write_vocabulary(folder: Path) -> None:
    """Write all of the folder that does not depend on training: config and tokenizer."""
    write_json(folder / CONFIG_FILE, {"model_cfg": CONFIG, "preprocess_cfg": PREPROCESS})
    write_json(folder / "tokenizer.json", _tokenizer())
    names = {"pad_token": PAD, "unk_token": UNKNOWN, "bos_token": START, "eos_token": END}
    facts = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": LENGTH}
    write_json(folder / "tokenizer_config.json", {**facts, **names})


def open_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a folder, as open_clip reads it: texts -> int64 (n, LENGTH)."""
    return open_clip.get_tokenizer(f"local-dir:{folder}")


def _tokenizer() -> dict[str, Any]:
    """Return a Hugging Face tokenizer: small letters, no punctuation, one number a word."""
    numbers = {word: number for number, word in enumerate(WORDS)}
    special = [_special(word, numbers[word]) for word in (PAD, UNKNOWN, START, END)]
    ends = {word: {"id": word, "ids": [numbers[word]], "tokens": [word]} for word in (START, END)}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    frame = [{"SpecialToken": {"id": word, "type_id": 0}} for word in (START, END)]
    punctuation = {"type": "Replace", "pattern": {"Regex": "[^\\w\\s'-]+"}, "content": " "}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, punctuation]},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [frame[0], text, frame[1]],
            "pair": [frame[0], text, frame[1], text, frame[1]],
            "special_tokens": ends,
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": numbers, "unk_token": UNKNOWN},
    }


def _special(word: str, number: int) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": word, "special": True, **plain}


def normalized(pixels: Tensor) -> Tensor:
    """Return what the model sees of pictures (n, 3, SIDE, SIDE) in 0..1."""
    return (pixels - PREPROCESS["mean"][0]) / PREPROCESS["std"][0]
