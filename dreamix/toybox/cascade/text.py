"""Words to vectors: a word-level tokenizer over the Toybox grammar and a small CLIP text encoder.

Tokens: start, the words of the prompt without commas, end, padding. The rare token t* of
Dreamix's finetuning is a word of its own, `RARE`; it is never trained.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.toybox.world import VOCABULARY

RARE = "sks"
LENGTH = 24  # start + 19 words at most + a rare token + end, and room for two more
WIDTH = 128
_SPECIAL = ("<pad>", "<end>", "<start>")  # <end> is not 2: transformers reads that number otherwise
WORDS = (*_SPECIAL, *VOCABULARY, RARE)
_NUMBER = {word: number for number, word in enumerate(WORDS)}


def tokenize(prompts: Sequence[str]) -> Tensor:
    """Return word numbers, int64 (prompts, LENGTH); "" is start and end alone.

    Raises:
        UserError: for words the model does not know, which it names, and for prompts too long for
            it.
    """
    return torch.tensor([_numbers(prompt) for prompt in prompts], dtype=torch.int64)


def _numbers(prompt: str) -> list[int]:
    words = prompt.lower().replace(",", " ").rstrip(". ").split()
    unknown = [word for word in words if word not in _NUMBER or word in _SPECIAL]
    if unknown:
        hint = near_misses(unknown[0], list(VOCABULARY))
        raise UserError(
            f"the embedded model does not know {', '.join(map(repr, unknown))}{hint}; "
            "`dreamix toybox words` lists what it knows"
        )
    if len(words) > LENGTH - 2:
        raise UserError(f"the prompt has {len(words)} words, the embedded model reads {LENGTH - 2}")
    padding = [0] * (LENGTH - 2 - len(words))
    return [_NUMBER["<start>"], *(_NUMBER[word] for word in words), _NUMBER["<end>"], *padding]


def build_text_encoder() -> CLIPTextModel:
    """Return an untrained text encoder: 3 layers, 128 wide, 0.6 M parameters."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(WORDS),
            hidden_size=WIDTH,
            projection_dim=WIDTH,
            intermediate_size=4 * WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            pad_token_id=0,
            bos_token_id=_NUMBER["<start>"],
            eos_token_id=_NUMBER["<end>"],
        )
    )


@torch.no_grad()
def encoded(encoder: CLIPTextModel, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return `encode` of prompts, as constants."""
    return encode(encoder, tokenize(prompts))


def encode(encoder: CLIPTextModel, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return the states of all tokens (N, LENGTH, WIDTH) and of the end token (N, WIDTH)."""
    found = encoder(tokens)
    return found.last_hidden_state, found.pooler_output
