"""What finetuning put into a pipeline's networks, an adapter or other weights, and the way back."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dreamix.backends.adapter_files import UnfitAdapter, load_adapter, read_adapter, save_adapters
from dreamix.backends.adapters import (
    NAME,
    bare,
    check_finetunable,
    check_projections,
    check_room,
    check_unfused,
    extra_parts,
    has_adapter,
    own_weights,
    remove_adapter,
    switch_adapter,
    tuner_layers,
)
from dreamix.backends.family import Family
from dreamix.core.errors import UserError

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


class FinetunedState:
    """The one finetuning that a family's networks hold, if any. A user's LoRAs are none of it."""

    def __init__(self, family: Family, files: Sequence[str]) -> None:
        self._family, self._files = family, files  # one file a network
        self._original: Copies | None = None  # pretrained weights, while others are in their place

    @property
    def networks(self) -> list[Any]:
        """The networks that denoise."""
        return [*self._family.networks.values()]

    @contextmanager
    def replaced(self, *, full: bool = False) -> Iterator[None]:
        """Forget this finetuning, for the block to bring another; if it fails, this one is back.

        full: the block changes the networks' own weights.
        """
        networks, original = self.networks, self._original
        for network in networks:
            check_finetunable(network)
        if not full:
            check_room(networks)
        now = copied(self._weights()) if full or original else []
        try:
            with undone_if_it_fails(networks, now):
                self._forget()
                self._original = (original or now) if full else None
                yield
        except BaseException:
            self._original = original
            raise

    def reset(self) -> None:
        """Go back to the pretrained weights.

        Raises:
            UserError: if that is impossible.
        """
        networks = self.networks
        fused = NAME in getattr(self._family.pipe, "fused_loras", ())
        if fused and not any(has_adapter(network) for network in networks):
            raise UserError("the adapter was fused into the weights: load the pipeline again")
        for network in networks:
            check_unfused(network, NAME)
            if self._original:
                check_finetunable(network)
        self._forget()

    def _forget(self) -> None:
        for network in self.networks:
            remove_adapter(network)
        put_back(self._original or [])
        self._original = None

    def keep_original(self) -> None:
        """Hold the pretrained weights in memory, so that `reset` has them."""
        if self._original is None:
            self._original = copied(self._weights())

    def _weights(self) -> Iterator[nn.Parameter]:
        """Yield the networks' own weights, without those of adapters."""
        for network in self.networks:
            yield from own_weights(network)

    # -- the adapter ---------------------------------------------------------------------------
    def save(self, folder: Path) -> Path:
        """Write the adapter into a folder; return it."""
        if not all(has_adapter(network) for network in self.networks):
            raise UserError("there is no adapter to save: finetune with a rank first")
        self._check_alone(folder)
        files = [folder / file for file in self._files[: len(self.networks)]]
        save_adapters(self.networks, self._family.network_name, files)
        return folder

    def load(self, folder: Path) -> None:
        """Put the adapter of a folder in the place of this finetuning, whole or not at all."""
        self._check_alone(folder)
        found = [
            read_adapter(folder / file, self._family.network_name, network)
            for network, file in zip(self.networks, self._files, strict=False)
        ]
        with self.replaced():
            for network, read in zip(self.networks, found, strict=True):
                load_adapter(network, read)

    def _check_alone(self, folder: Path) -> None:
        """Raise an `UnfitAdapter` for a file of another network than there are."""
        for file in self._files[len(self.networks) :]:
            if (folder / file).exists():
                raise UnfitAdapter(f"{folder / file} is of a second network, which is not here")

    def switch(self, *, on: bool) -> None:
        """Let the adapter count or not; a user's LoRAs count as before."""
        adapted = [network for network in self.networks if has_adapter(network)]
        if on:
            check_room(adapted)
        for network in adapted:
            check_unfused(network, NAME)
        for network in adapted:
            switch_adapter(network, on)

    def check_computed(self) -> None:
        """Raise a `UserError` if there is an adapter but in layers that are not computed."""
        for network in self.networks:
            if has_adapter(network):
                check_projections(network)

    def check_apart(self) -> None:
        """Raise a `UserError` if there is any adapter, which is no part of a pipeline's folder."""
        if any(has_adapter(network) for network in self.networks):
            raise UserError("save the adapter with save_adapter; reset() before the pipeline")
        if any(tuner_layers(network) for network in self.networks):
            raise UserError("LoRAs are no part of a pipeline's folder: unload_lora_weights() first")
