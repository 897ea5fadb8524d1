"""Networks put back as they were: after a finetuning that failed, or to forget one."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

import torch
from torch import Tensor, nn

from dreamix.backends.adapters import bare, extra_parts, tuner_layers

Copies = list[tuple[nn.Parameter, Tensor]]  # weights and what they were, on the CPU


def copied(weights: Iterable[nn.Parameter]) -> Copies:
    """Return copies of weights, in the processor's memory."""
    return [(weight, weight.detach().to("cpu", copy=True)) for weight in weights]


@torch.no_grad()
def put_back(copies: Copies) -> None:
    """Give weights the values that were copied."""
    for weight, value in copies:
        weight.copy_(value)


@contextmanager
def undone_if_it_fails(networks: Sequence[nn.Module], copies: Copies) -> Iterator[None]:
    """Leave networks as they are now if the block fails or is interrupted, adapters included.

    copies: of the weights that the block may change; those of adapters are replaced, not changed.
    """
    before = [NetworkSnapshot(network) for network in networks]
    try:
        yield
    except BaseException:
        for each in before:
            each.restore()
        put_back(copies)
        raise


class NetworkSnapshot:
    """Which layers and adapters a network is made of now; no weight is copied."""

    def __init__(self, network: nn.Module) -> None:
        self._network = bare(network)
        self._children = [(module, {**module._modules}) for module in self._network.modules()]
        holders = [*tuner_layers(network), *extra_parts(network)]
        self._told = [(layer, _copied(layer, PER_LAYER)) for layer in holders]
        self._known = _copied(self._network, PER_NETWORK)
        self._flags = [(p, p.requires_grad) for p in network.parameters()]

    def restore(self) -> None:
        """Put the layers, their adapters and all flags back."""
        for module, children in self._children:
            module._modules.clear()
            module._modules.update(children)
        for layer, told in self._told:
            vars(layer).update(told)
        for name in PER_NETWORK:
            vars(self._network).pop(name, None)
        vars(self._network).update(self._known)
        for p, flag in self._flags:
            p.requires_grad_(flag)


PER_NETWORK = ("peft_config", "_hf_peft_config_loaded")
PER_LAYER = (
    *("_active_adapter", "_disable_adapters", "merged_adapters", "r", "lora_alpha", "scaling"),
    *("use_dora", "use_rslora", "lora_bias", "lora_variant", "frozen_peft_weight_names"),
)


def _copied(module: nn.Module, names: Iterable[str]) -> dict[str, Any]:
    """Return copies of what a module says of its adapters."""
    return {name: copy(vars(module)[name]) for name in names if name in vars(module)}
