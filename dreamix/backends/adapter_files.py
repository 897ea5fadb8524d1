"""Adapters as files: what `load_lora_weights` of diffusers reads and `save_lora_weights` writes.

    <network>.<layer>.lora_A.weight   (r, in)
    <network>.<layer>.lora_B.weight   (out, r)

Without metadata alpha = r. With it, `lora_adapter_metadata` in the header is PEFT's configuration
as JSON, each key after the network's name; what changes more than alpha and r is refused.
"""

import json
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from dreamix.backends.adapters import (
    NAME,
    REFUSED,
    adapted_layers,
    bare,
    layer_names,
    lora_config,
    peft_package,
    put_adapter,
)
from dreamix.core.errors import UserError
from dreamix.core.records import write_whole

if TYPE_CHECKING:
    from peft.tuners.lora import LoraLayer

METADATA = "lora_adapter_metadata"
KEPT = ("r", "lora_alpha", "target_modules", "rank_pattern", "alpha_pattern", "use_rslora")
BEYOND = (  # beside what PEFT itself calls a variant
    *("use_dora", "use_qalora", "lora_bias", "layer_replication", "target_parameters"),
    "modules_to_save",
)
PLAIN_STARTS = (None, True, False, "gaussian", "orthogonal", "eva")  # that leave W as it was


class UnfitAdapter(UserError):
    """A file that holds no adapter, or not one of this network."""


class AdapterFile(NamedTuple):
    """What a file holds, by layers as the pretrained network names them."""

    file: Path
    weights: dict[str, dict[str, Tensor]]  # layer -> lora_A, lora_B
    alphas: dict[str, float]
    by_root: bool  # B A counts alpha / sqrt(r), not alpha / r

    @property
    def ranks(self) -> dict[str, int]:
        """The rank of each layer."""
        return {name: len(pair["lora_A"]) for name, pair in self.weights.items()}


# -- reading -----------------------------------------------------------------------------------
def read_adapter(file: Path, prefix: str, network: nn.Module) -> AdapterFile:
    """Return the adapter in `file`, whose names begin with `prefix`, "unet" or "transformer".

    Nothing is changed. A file that cannot be read, or does not fit, is an `UnfitAdapter`.
    """
    held, metadata = _content(file)
    weights = _pairs(file, prefix, held)
    if missing := sorted({*weights} - {*layer_names(network)}):
        raise UnfitAdapter(f"{file} is an adapter of another model: there is no layer {missing[0]}")
    for layer, pair in weights.items():
        if len(pair) < 2 or pair["lora_B"].shape[1] != len(pair["lora_A"]):
            raise UnfitAdapter(f"{file} holds half an adapter of {layer}: lora_A fits no lora_B")
    settings = _settings(file, prefix, metadata)
    ranks = {name: len(pair["lora_A"]) for name, pair in weights.items()}
    _check_ranks(file, settings, ranks)
    return AdapterFile(
        file, weights, _alphas(file, settings, ranks), bool(settings.get("use_rslora"))
    )


def _content(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the header of a file."""
    from safetensors import SafetensorError, safe_open

    if not file.exists():
        raise UnfitAdapter(f"there is no adapter at {file}")
    try:
        with safe_open(file, framework="pt") as opened:
            return {key: opened.get_tensor(key) for key in opened.keys()}, opened.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise UnfitAdapter(
            f"the adapter {file} cannot be read ({error}): finetune, or fetch it, again"
        ) from None


def _pairs(file: Path, prefix: str, held: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return lora_A and lora_B of every layer; anything else in the file is refused by name."""
    found: dict[str, dict[str, Tensor]] = {}
    name = re.compile(rf"{re.escape(prefix)}\.(?:_orig_mod\.)?(.+)\.(lora_[AB])\.weight")
    if not any(key.startswith(f"{prefix}.") for key in held):
        raise UnfitAdapter(f"{file} has no adapter of a {prefix}")
    for key, value in held.items():
        if not (match := name.fullmatch(key)):
            raise UnfitAdapter(
                f"{file} holds {key}, which is not read here: adapters are of a {prefix} alone, "
                "lora_A.weight and lora_B.weight of every layer"
            )
        if value.ndim < 2 or not value.is_floating_point() or not value.float().isfinite().all():
            raise UnfitAdapter(f"{file} holds {key}, which is no matrix of finite numbers")
        found.setdefault(match[1].replace("._orig_mod", ""), {})[match[2]] = value
    return found


def _settings(file: Path, prefix: str, metadata: dict[str, str]) -> dict[str, Any]:
    """Return PEFT's configuration in the header; what is not known here is refused by name."""
    try:
        found = json.loads(metadata.get(METADATA) or "{}")
        own = {
            key.removeprefix(f"{prefix}."): value
            for key, value in found.items()
            if key.startswith(f"{prefix}.")
        }
    except (ValueError, AttributeError, RecursionError):
        raise UnfitAdapter(f"{file}: {METADATA} in its header is no JSON object") from None
    variants = [
        f.name for f in fields(peft_package().LoraConfig) if "is_lora_variant" in f.metadata
    ]
    for key in (*BEYOND, *variants):
        if own.get(key):
            raise UnfitAdapter(f"{file} is an adapter with {key}, which is not read here")
    if own.get("peft_type", "LORA") != "LORA":
        raise UnfitAdapter(f"{file} is a {own['peft_type']}, which is not read here: only LORA")
    if own.get("init_lora_weights") not in PLAIN_STARTS:
        raise UnfitAdapter(
            f"{file} was trained beside changed weights (init_lora_weights "
            f"{own['init_lora_weights']}), which is not read here"
        )
    return own


def _check_ranks(file: Path, settings: dict[str, Any], ranks: dict[str, int]) -> None:
    """Raise an `UnfitAdapter` if the header names other ranks than the weights have."""
    told = _by_layer(file, settings, "r", "rank_pattern", ranks)
    for name, rank in ranks.items():
        if told[name] != rank:
            raise UnfitAdapter(f"{file} says rank {told[name]:g} of {name}, which has {rank}")


def _alphas(file: Path, settings: dict[str, Any], ranks: dict[str, int]) -> dict[str, float]:
    """Return alpha of every layer: its rank where the file says nothing."""
    return _by_layer(file, settings, "lora_alpha", "alpha_pattern", ranks)


def _by_layer(
    file: Path, settings: dict[str, Any], key: str, patterns: str, usual: dict[str, int]
) -> dict[str, float]:
    """Return a setting of every layer, as PEFT finds it: by pattern, or that of all layers."""
    from peft.utils.other import get_pattern_key

    by_pattern = settings.get(patterns) or {}
    try:
        found = {
            name: float(by_pattern.get(get_pattern_key(by_pattern, name), settings.get(key, rank)))
            for name, rank in usual.items()
        }
    except (AttributeError, TypeError, ValueError, re.error):
        found = {}
    if not found or not all(isfinite(value) for value in found.values()):
        raise UnfitAdapter(f"{file}: {key} or {patterns} in its header is no number")
    return found


# -- into a network ----------------------------------------------------------------------------
def load_adapter(network: nn.Module, read: AdapterFile) -> None:
    """Put an adapter that was read into a network, in the place of an older one.

    Weights stay in the file's precision, or become float32 if that is not the network's. A file
    that does not fit is an `UnfitAdapter`; the network then holds part of it.
    """
    try:
        layers = put_adapter(network, read.ranks, read.alphas, by_root=read.by_root)
    except REFUSED as error:
        raise UnfitAdapter(f"{read.file} is an adapter of another model: {error}") from None
    for name, pair in read.weights.items():
        for key, value in pair.items():
            weight = getattr(layers[name], key)[NAME].weight
            if weight.shape != value.shape:
                raise UnfitAdapter(
                    f"{read.file} is an adapter of another model: {key} of {name} has the shape "
                    f"{tuple(value.shape)}, not {tuple(weight.shape)}"
                )
            own = layers[name].get_base_layer().weight.dtype
            kept = value.dtype if value.dtype == own else torch.float32
            weight.data = value.to(weight.device, kept, copy=True)


# -- writing -----------------------------------------------------------------------------------
def save_adapters(networks: Sequence[nn.Module], prefix: str, files: Sequence[Path]) -> None:
    """Write the adapter of every network, all of them or none; names begin with `prefix`."""
    held = [_written(network, prefix) for network in networks]
    with ExitStack() as stack:
        opened = [stack.enter_context(write_whole(file)) for file in files]
        for out, content in zip(opened, held, strict=True):
            out.write(content)


def _written(network: nn.Module, prefix: str) -> bytes:
    """Return what the file of a network's adapter holds."""
    from safetensors.torch import save

    layers = adapted_layers(network)
    if odd := [name for name, layer in layers.items() if not _is_plain(layer)]:
        raise UserError(f"the adapter named {NAME} was not made here: {odd[0]} is no plain LoRA")
    named = {
        f"{prefix}.{name}.{key}.weight": getattr(layer, key)[NAME].weight.detach().cpu()
        for name, layer in layers.items()
        for key in ("lora_A", "lora_B")
    }
    whole = {name: value.contiguous() for name, value in named.items()}
    by_root = bare(network).peft_config[NAME].use_rslora
    content: bytes = save(whole, {"format": "pt", **_header(prefix, layers, by_root=by_root)})
    return content


def _is_plain(layer: "LoraLayer") -> bool:
    """Return False for what A and B alone do not tell."""
    if not hasattr(layer, "lora_A") or NAME not in layer.lora_A:
        return False
    variants = (*getattr(layer, "lora_variant", ()), *layer.lora_magnitude_vector)
    return NAME not in variants and layer.lora_B[NAME].bias is None


def _header(prefix: str, layers: dict[str, Any], *, by_root: bool) -> dict[str, str]:
    """Return the metadata that tells alpha; nothing where alpha = r, as a reader takes it."""
    ranks = {name: layer.r[NAME] for name, layer in layers.items()}
    alphas = {name: layer.lora_alpha[NAME] for name, layer in layers.items()}
    if ranks == alphas and not by_root:
        return {}
    config = lora_config(ranks, alphas, by_root=by_root)
    told = {f"{prefix}.{key}": _listed(getattr(config, key)) for key in KEPT}
    return {METADATA: json.dumps(told, sort_keys=True)}


def _listed(value: object) -> Any:
    return sorted(value) if isinstance(value, set) else value
