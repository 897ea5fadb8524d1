"""Weights that were finetuned on a clip, kept in half precision in a folder; and which are."""

import logging
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dreamix.core.records import write_whole
from dreamix.diffusion.settings import Finetuning, diverged

log = logging.getLogger(__name__)


def kept(file: Path | None, network: nn.Module) -> dict[str, Tensor] | None:
    """Return the finetuned weights in `file`; None if there are none, or none that can be read."""
    if file is None or not file.exists():
        return None
    try:
        weights: dict[str, Tensor] = load_file(file)
    except (SafetensorError, OSError) as error:
        log.warning("%s cannot be read (%s); it is made anew", file, error)
        return None
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    whole = all(bool(value.isfinite().all()) for value in weights.values())
    if not whole or {name: value.shape for name, value in weights.items()} != shapes:
        log.warning("%s holds no weights of this network; it is made anew", file)
        return None
    return weights


def keep(file: Path | None, network: nn.Module, settings: Finetuning) -> dict[str, Tensor]:
    """Return a network's weights in half precision, kept in `file`; infinite ones are an error."""
    weights = {name: value.half() for name, value in network.state_dict().items()}
    if not all(bool(value.isfinite().all()) for value in weights.values()):
        raise diverged(settings, settings.steps)
    if file is not None:
        with write_whole(file) as out:
            out.write(save(weights))
    return weights


def attention(network: nn.Module) -> list[nn.Parameter]:
    """Return what Tune-A-Video trains: queries of spatial attention, temporal attention whole."""
    names = ("temp_attentions", "transformer_in")
    return [
        parameter
        for name, parameter in network.named_parameters()
        if any(part in name for part in names) or ".to_q." in name
    ]
