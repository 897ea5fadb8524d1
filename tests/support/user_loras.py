"""LoRAs as users put them into pipelines, and all that a network is made of."""

from typing import Any

import torch
from peft import LoKrConfig, LoraConfig, inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from tiny_cascade import state_of

from dreamix import DreamixPipeline

LAYERS = ["to_q", "to_v"]  # a user's LoRA need not have the toolkit's layers


def with_loras(dreamix: DreamixPipeline, *names: str, layers: Any = LAYERS) -> DreamixPipeline:
    """Put random LoRAs of rank 4 into a pipeline; the last one is active, as PEFT leaves it."""
    for name in names:
        put(dreamix, name, LoraConfig(r=4, target_modules=layers, lora_alpha=2))
    return dreamix


def with_lokr(dreamix: DreamixPipeline) -> DreamixPipeline:
    """Put a Kronecker adapter into a pipeline: layers of another class than a LoRA's."""
    put(dreamix, "kron", LoKrConfig(r=4, alpha=4, target_modules=LAYERS))
    return dreamix


def put(dreamix: DreamixPipeline, name: str, config: Any) -> None:
    """Put an adapter of random weights into every network."""
    rng = torch.Generator().manual_seed(5)
    for network in dreamix.family.networks.values():
        before = {id(p) for p in network.parameters()}
        inject_adapter_in_model(config, network, adapter_name=name)
        for p in network.parameters():
            if id(p) not in before:
                p.data = torch.randn(p.shape, generator=rng).mul(0.3).to(p)


def chosen(dreamix: DreamixPipeline, weights: dict[str, float]) -> None:
    """Choose adapters and how much they count, as `set_adapters` of diffusers does."""
    for layer in tuners(dreamix):
        layer.set_adapter([*weights])
        for name, weight in weights.items():
            layer.set_scale(name, weight)


def tuners(dreamix: DreamixPipeline) -> list[Any]:
    """Return the layers that hold adapters."""
    networks = dreamix.family.networks.values()
    return [m for n in networks for m in n.modules() if isinstance(m, BaseTunerLayer)]


def whole(dreamix: DreamixPipeline) -> list[Any]:
    """Return all that networks are: layers, weights, flags, adapters and how much they count."""
    return [made_of(network) for network in dreamix.family.networks.values()]


def made_of(network: Any) -> tuple[Any, ...]:
    """Return the same of one network."""
    adapters = [
        (name, [*m.active_adapters], m.disable_adapters, [*m.merged_adapters], {**m.scaling})
        for name, m in network.named_modules()
        if isinstance(m, BaseTunerLayer)
    ]
    layers = [(name, type(module)) for name, module in network.named_modules()]
    flags = {name: (p.requires_grad, p.grad is None) for name, p in network.named_parameters()}
    known = sorted(getattr(network, "peft_config", {}))
    return state_of(network), layers, flags, adapters, known
