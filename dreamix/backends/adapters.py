"""The adapter of a finetuning in a network: put in, switched, taken out.

W' = W + (alpha / r) B A with A (r, in) random and B (out, r) zero at first (Hu et al. 2021), so
that a fresh adapter changes nothing. A network may hold other adapters of PEFT, a user's LoRAs:
only the one called `NAME` is touched here, and which of the others are active stays as it was.
"""

import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from dreamix.core.errors import UserError

if TYPE_CHECKING:
    from peft.tuners.tuners_utils import BaseTunerLayer

NAME = "dreamix"  # of the adapter in a network
REFUSED = (ValueError, TypeError, NotImplementedError)  # what PEFT raises
WRAPPERS = {"_orig_mod", "base_layer"}  # in names of layers: of torch.compile and of PEFT


def add_adapter(
    network: nn.Module, rank: int, targets: str, generator: torch.Generator
) -> list[nn.Parameter]:
    """Return the weights, float32, of a new adapter in the layers whose names fit `targets`.

    The weights A are drawn from `generator`, which is on the CPU: PEFT would ask torch's own.
    """
    names = [name for name in layer_names(network) if re.fullmatch(targets, name)]
    if not names:
        raise UserError("this network has none of the layers that an adapter is put into")
    ranks, weights = dict.fromkeys(names, rank), []
    try:
        layers = put_adapter(network, ranks, {**ranks})
    except REFUSED as error:
        raise UserError(f"no adapter fits into this network: {error}") from None
    for layer in layers.values():
        a, b = (part[NAME].weight for part in (layer.lora_A, layer.lora_B))
        drawn = torch.rand(a.shape, generator=generator) * 2 - 1
        a.data = (drawn * a[0].numel() ** -0.5).to(a.device)  # uniform within 1 / sqrt(inputs)
        b.data = b.data.float()
        weights += [a, b]
    return weights


def put_adapter(
    network: nn.Module,
    ranks: Mapping[str, int],
    alphas: Mapping[str, float],
    *,
    by_root: bool = False,
) -> dict[str, Any]:
    """Return the layers, by name, of a new adapter that takes the place of an older one.

    ranks, alphas: of each layer; by_root: B A counts alpha / sqrt(r), not alpha / r.
    Torch's own random numbers, all flags and the adapters beside it stay as they were. A layer that
    takes no adapter raises one of `REFUSED`.
    """
    peft, within = peft_package(), bare(network)
    check_room([within])
    remove_adapter(within)
    own = layer_names(within)
    if alone := [name for name in ranks if own[name].endswith("_orig_mod")]:
        raise UserError(f"the layer {alone[0]} is compiled by itself: compile the whole network")
    config = lora_config(
        {own[name]: rank for name, rank in ranks.items()},
        {own[name]: alpha for name, alpha in alphas.items()},
        by_root=by_root,
    )
    config.target_modules = "|".join(re.escape(own[name]) for name in ranks)
    with _others_kept(within), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Already found a `peft_config`")
        peft.inject_adapter_in_model(config, within, adapter_name=NAME)
    within._hf_peft_config_loaded = True  # so that diffusers' own functions know of it
    return adapted_layers(within)


def lora_config(ranks: Mapping[str, int], alphas: Mapping[str, float], *, by_root: bool) -> Any:
    """Return PEFT's configuration of an adapter in those layers, each by its whole name."""
    rank = Counter(ranks.values()).most_common(1)[0][0]
    alpha = Counter(alphas.values()).most_common(1)[0][0]
    return peft_package().LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=sorted(ranks),
        rank_pattern={_exactly(name): r for name, r in ranks.items() if r != rank},
        alpha_pattern={_exactly(name): a for name, a in alphas.items() if a != alpha},
        use_rslora=by_root,
    )


def _exactly(name: str) -> str:
    return f"^{re.escape(name)}"


@contextmanager
def _others_kept(network: nn.Module) -> Iterator[None]:
    """Keep flags and the activity of other adapters; the new one is active beside them."""
    flags = [(p, p.requires_grad) for p in network.parameters()]
    before = {id(layer): [*layer.active_adapters] for layer in tuner_layers(network)}
    extra = [(part, part._active_adapter) for part in extra_parts(network)]
    beside = next(iter(before.values()), [])
    yield
    for layer in tuner_layers(network):
        active = before.get(id(layer), beside)
        layer._active_adapter = [*active, *([NAME] if _holds(layer) else [])]
    for part, chosen in extra:
        part._active_adapter = chosen
    for p, flag in flags:
        p.requires_grad_(flag)


def switch_adapter(network: nn.Module, on: bool) -> None:
    """Let a network's adapter count or not; off, it is to the bit as if there were none."""
    for layer in adapted_layers(network).values():
        others = [name for name in layer.active_adapters if name != NAME]
        layer._active_adapter = [*others, *([NAME] if on else [])]
        if on and names_in(layer) == {NAME}:
            layer._disable_adapters = False


def remove_adapter(network: nn.Module) -> None:
    """Take the adapter out of a network, if it has one; the layers of others stay."""
    network = bare(network)
    layers = [*adapted_layers(network).values()]
    flags = [(p, p.requires_grad) for p in network.parameters()]
    for layer in tuner_layers(network):  # before: else PEFT makes another one active
        layer._active_adapter = [name for name in layer.active_adapters if name != NAME]
    for layer in layers:
        layer.delete_adapter(NAME)
    empty = {id(layer) for layer in layers if not names_in(layer)}
    for parent in [*network.modules()]:
        for name, child in [*parent.named_children()]:
            if id(child) in empty:
                setattr(parent, name, child.base_layer)
    for p, flag in flags:
        p.requires_grad_(flag)
    _forget_config(network)


def _forget_config(network: nn.Module) -> None:
    """Drop what the network says of the adapter; without any adapter, that it has some."""
    held = vars(network).get("peft_config", {})
    if held.pop(NAME, None) is not None and not held:
        del network.peft_config
        vars(network).pop("_hf_peft_config_loaded", None)


def has_adapter(network: nn.Module) -> bool:
    """Return whether a network has the adapter, switched on or not."""
    return bool(adapted_layers(network))


def mark_of(network: nn.Module) -> Any:
    """Return an object that goes with the adapter of a network; None if it does not count."""
    layers = adapted_layers(network).values()
    counts = all(
        NAME in layer.active_adapters and not layer.disable_adapters and not layer.merged
        for layer in layers
    )
    return bare(network).peft_config.get(NAME) if layers and counts else None


# -- what must be so before anything is changed ------------------------------------------------
def check_room(networks: Iterable[nn.Module]) -> None:
    """Raise a `UserError` for networks in which a new adapter would not be computed."""
    for network in networks:
        check_finetunable(network)
        others = (layer for layer in tuner_layers(network) if names_in(layer) - {NAME})
        if any(layer.disable_adapters for layer in others):
            raise UserError(
                "the LoRAs of this pipeline are switched off, and an adapter in the same layers "
                "would be off with them: call enable_lora(), or delete_adapters(), first"
            )


def check_finetunable(network: nn.Module) -> None:
    """Raise a `UserError` for a network whose layers or weights are not the pretrained ones."""
    check_projections(network)
    check_unfused(network)


def check_projections(network: nn.Module) -> None:
    """Raise a `UserError` for a network that computes copies of the layers that are adapted."""
    if has_fused_projections(network):
        raise UserError(
            "the projections are fused, so that those which are finetuned would not be computed: "
            "call unfuse_qkv_projections() first"
        )


def has_fused_projections(network: nn.Module) -> bool:
    """Return whether queries, keys and values are computed by a copy of their weights.

    diffusers' older attention says so for ever once it was fused: there the processor decides.
    """
    return any(
        getattr(module, "fused_projections", False)
        and (
            hasattr(type(module), "fused_projections")
            or type(getattr(module, "processor", None)).__name__.startswith("Fused")
        )
        for module in network.modules()
    )


def check_unfused(network: nn.Module, only: str | None = None) -> None:
    """Raise a `UserError` if an adapter, or the one named `only`, is fused into the weights."""
    fused = {name for layer in tuner_layers(network) for name in layer.merged_adapters}
    for name in sorted(fused if only is None else fused & {only}):
        raise UserError(f"the LoRA {name} is fused into the weights: call unfuse_lora() first")


# -- layers and their names --------------------------------------------------------------------
def bare(network: object) -> Any:
    """Return the network that `torch.compile` wrapped."""
    return getattr(network, "_orig_mod", network)


def plain(name: str) -> str:
    """Return a layer's name as the pretrained network has it."""
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def layer_names(network: nn.Module) -> dict[str, str]:
    """Return the names of all layers: as the pretrained network has them, and as they are now."""
    whole = {id(part) for part in (*tuner_layers(network), *extra_parts(network))}
    named = [*bare(network).named_modules()]
    inside = tuple(f"{name}." for name, module in named if id(module) in whole)
    return {plain(name): name for name, _ in named if not name.startswith(inside)}


def adapted_layers(network: nn.Module) -> dict[str, Any]:
    """Return the layers that hold the adapter, by the name the pretrained network has for them."""
    kinds = _kinds("peft.tuners.tuners_utils", "BaseTunerLayer")
    found = bare(network).named_modules()
    return {plain(name): x for name, x in found if isinstance(x, kinds) and _holds(x)}


def tuner_layers(network: nn.Module) -> list[Any]:
    """Return the layers that hold adapters, the user's own included."""
    kinds = _kinds("peft.tuners.tuners_utils", "BaseTunerLayer")
    return [layer for layer in network.modules() if isinstance(layer, kinds)]


def own_weights(network: nn.Module) -> list[nn.Parameter]:
    """Return the weights of a network that are not an adapter's."""
    added = {
        id(p)
        for layer in tuner_layers(network)
        for name in layer.adapter_layer_names
        for p in getattr(layer, name).parameters()
    }
    for part in extra_parts(network):
        added |= {id(p) for p in part.parameters()}
        added -= {id(p) for p in part.original_module.parameters()}
    return [p for p in network.parameters() if id(p) not in added]


def extra_parts(network: nn.Module) -> list[Any]:
    """Return the parts that PEFT trains whole beside a user's adapter."""
    kinds = _kinds("peft.utils.other", "AuxiliaryTrainingWrapper")
    return [part for part in network.modules() if isinstance(part, kinds)]


def names_in(layer: "BaseTunerLayer") -> set[str]:
    """Return the names of the adapters that a layer holds, active or not."""
    return {name for part in layer.adapter_layer_names for name in getattr(layer, part)}


def _holds(layer: object) -> bool:
    return NAME in names_in(layer)


def _kinds(module: str, name: str) -> tuple[type, ...]:
    """Return a class of PEFT; where PEFT is not loaded, no layer can be of it."""
    return (getattr(sys.modules[module], name),) if module in sys.modules else ()


def peft_package() -> Any:
    """Return PEFT; without it a `UserError` that says how to get it."""
    try:
        import peft
    except ModuleNotFoundError:
        raise UserError(
            "adapters need the package peft: pip install 'dreamix-toolkit[hub]'"
        ) from None
    return peft
