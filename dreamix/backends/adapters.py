"""Low-rank adapters in PEFT's format, put into a network, switched, saved and read.

W' = W + B A with A (rank, in) random and B (out, rank) zero at first (Hu et al. 2021), so that a
fresh adapter changes nothing. Files are what `load_lora_weights` of diffusers reads.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dreamix.core.errors import UserError

NAME = "dreamix"  # of the adapter in a network


def add_adapter(
    network: nn.Module, rank: int, targets: str, generator: torch.Generator
) -> list[nn.Parameter]:
    """Return the weights, float32, of a new adapter in the layers whose names fit `targets`.

    The weights A are drawn from `generator`, which is on the CPU: PEFT would ask torch's own.
    """
    peft = peft_package()
    remove_adapter(network)
    _inject(network, peft.LoraConfig(r=rank, lora_alpha=rank, target_modules=targets))
    weights = []
    for name, weight in network.named_parameters():
        if f".{NAME}." in name:
            if ".lora_A." in name:  # as PEFT draws it: uniform within 1 / sqrt(inputs)
                drawn = torch.rand(weight.shape, generator=generator) * 2 - 1
                weight.data = (drawn * weight[0].numel() ** -0.5).to(weight.device)
            weight.data = weight.data.float()
            weights.append(weight)
    return weights


def _inject(network: Any, config: Any) -> None:
    """Put an adapter into a network; torch's own random numbers and all flags stay as they were."""
    flags = [(p, p.requires_grad) for p in network.parameters()]
    with torch.random.fork_rng(devices=[]):
        peft_package().inject_adapter_in_model(config, network, adapter_name=NAME)
    for p, flag in flags:
        p.requires_grad_(flag)
    network._hf_peft_config_loaded = True  # so that diffusers' own functions know of it


def switch_adapter(network: nn.Module, on: bool) -> None:
    """Let a network's adapter count or not; off, the network is the pretrained one to the bit."""
    for layer in _adapted(network):
        layer.enable_adapters(on)


def remove_adapter(network: Any) -> None:
    """Take the adapter out of a network, if it has one."""
    if _adapted(network):
        from diffusers.utils.peft_utils import recurse_remove_peft_layers

        recurse_remove_peft_layers(network)
        del network.peft_config
        network._hf_peft_config_loaded = False


def has_adapter(network: nn.Module) -> bool:
    """Return whether a network has an adapter, switched on or not."""
    return bool(_adapted(network))


def adapter_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return the adapter's weights by PEFT's names, on the CPU."""
    found = peft_package().get_peft_model_state_dict(network, adapter_name=NAME)
    return {name: value.detach().cpu().contiguous() for name, value in found.items()}


def save_adapter(network: nn.Module, prefix: str, file: Path) -> None:
    """Write the adapter: names begin with `prefix`, "unet" or "transformer"."""
    from safetensors.torch import save_file

    file.parent.mkdir(parents=True, exist_ok=True)
    named = {f"{prefix}.{name}": value for name, value in adapter_weights(network).items()}
    save_file(named, file, metadata={"format": "pt"})


def load_adapter(network: nn.Module, prefix: str, file: Path) -> None:
    """Put the adapter of a file into a network; a file that does not fit is a `UserError`."""
    from safetensors.torch import load_file

    if not file.exists():
        raise UserError(f"there is no adapter at {file}")
    named = {
        name.removeprefix(f"{prefix}."): value
        for name, value in load_file(file).items()
        if name.startswith(f"{prefix}.")
    }
    layers = {name.rpartition(".lora_")[0] for name in named}
    if missing := sorted(layers - {name for name, _ in network.named_modules()}):
        raise UserError(f"{file} is an adapter of another model: there is no layer {missing[0]}")
    if not layers:
        raise UserError(f"{file} has no adapter of a {prefix}")
    ranks = {len(value) for name, value in named.items() if ".lora_A." in name}
    if len(ranks) != 1:
        raise UserError(f"{file}: adapters here have one rank, not {sorted(ranks)}")
    _put(network, ranks.pop(), layers, named, file)


def _put(
    network: nn.Module, rank: int, layers: set[str], named: dict[str, Any], file: Path
) -> None:
    """Make an adapter of that rank in those layers and give it its weights."""
    peft = peft_package()
    remove_adapter(network)
    _inject(network, peft.LoraConfig(r=rank, lora_alpha=rank, target_modules=sorted(layers)))
    try:
        outcome = peft.set_peft_model_state_dict(network, named, NAME)
    except RuntimeError as error:
        remove_adapter(network)
        raise UserError(f"{file} is an adapter of another model: {error}") from None
    if outcome.unexpected_keys:
        remove_adapter(network)
        raise UserError(f"{file} is an adapter of another model: {outcome.unexpected_keys[0]}")


def _adapted(network: nn.Module) -> list[Any]:
    """Return the layers that hold an adapter."""
    if not hasattr(network, "peft_config"):
        return []
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [layer for layer in network.modules() if isinstance(layer, BaseTunerLayer)]


def peft_package() -> Any:
    """Return PEFT; without it a `UserError` that says how to get it."""
    try:
        import peft
    except ModuleNotFoundError:
        raise UserError(
            "adapters need the package peft: pip install 'dreamix-toolkit[hub]'"
        ) from None
    return peft
