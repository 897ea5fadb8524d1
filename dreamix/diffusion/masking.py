"""The frame pass: a space-time U-Net that sees every frame alone, its temporal weights untouched.

Dreamix finetunes "on a sequence of frames by replacing the temporal attention layers by trivial
fixed masks ensuring the model only pays attention within each frame, and also by masking the
residual temporal convolution blocks". Here temporal attention takes every frame for a clip of one:
it then has one key, which is the fixed diagonal mask, and normalisation cannot mix frames either.
AnimateDiff's motion modules, put into an image model that does without, are skipped whole.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn

Forward = Callable[..., Any]  # of a layer

# Classes of diffusers, which takes seconds to import: where a module is not loaded, no layer of its
# classes can be.
ATTENTION = "diffusers.models.transformers.transformer_temporal", "TransformerTemporalModel"
TEMPORAL = (
    ATTENTION,
    ("diffusers.models.resnet", "TemporalConvLayer"),
    ("diffusers.models.unets.unet_motion_model", "AnimateDiffTransformer3D"),
)


def temporal_layers(network: nn.Module) -> list[nn.Module]:
    """Return the layers that mix frames: temporal attention, convolution and motion modules."""
    kinds = tuple(
        getattr(sys.modules[name], kind) for name, kind in TEMPORAL if name in sys.modules
    )
    return [module for module in network.modules() if isinstance(module, kinds)]


def _is_attention(layer: nn.Module) -> bool:
    module, kind = ATTENTION
    return module in sys.modules and isinstance(layer, getattr(sys.modules[module], kind))


def temporal_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the weights of `temporal_layers`."""
    return [p for layer in temporal_layers(network) for p in layer.parameters()]


def as_frames(clips: Tensor) -> Tensor:
    """Return every frame as a clip of one: (B, C, F, H, W) -> (B F, C, 1, H, W)."""
    batch, channels, frames, height, width = clips.shape
    return clips.transpose(1, 2).reshape(batch * frames, channels, 1, height, width)


def as_clips(frames: Tensor, count: int) -> Tensor:
    """Return `as_frames` undone: (B F, C, 1, H, W) -> (B, C, F, H, W) with F = `count`."""
    _, channels, _, height, width = frames.shape
    return frames.reshape(-1, count, channels, height, width).transpose(1, 2)


@contextmanager
def frame_pass(network: nn.Module) -> Iterator[None]:
    """Mask the temporal layers while the block runs, for clips of any length.

    Temporal convolutions and motion modules pass their input on. Temporal attention sees one
    frame. The temporal weights are constants: a loss computed in the block gives them no gradient.
    """
    with ExitStack() as undo:
        for layer in temporal_layers(network):
            alone = _each_frame if _is_attention(layer) else _skip
            undo.enter_context(replaced(layer, alone(layer)))
        undo.enter_context(constant(temporal_parameters(network)))
        yield


@contextmanager
def temporal_off(network: nn.Module) -> Iterator[None]:
    """Skip the temporal layers whole, attention included, while the block runs."""
    with ExitStack() as undo:
        for layer in temporal_layers(network):
            undo.enter_context(replaced(layer, _skip(layer)))
        yield


@contextmanager
def constant(parameters: list[nn.Parameter]) -> Iterator[None]:
    """Keep gradients from `parameters` in what is computed while the block runs."""
    flags = [p.requires_grad for p in parameters]
    try:
        for p in parameters:
            p.requires_grad_(False)
        yield
    finally:
        for p, flag in zip(parameters, flags, strict=True):
            p.requires_grad_(flag)


def _skip(layer: nn.Module) -> Forward:
    """Return a forward that gives its input back, shaped as diffusers' blocks expect it."""
    attention = _is_attention(layer)

    def same(hidden_states: Tensor, *_: object, **__: object) -> Tensor | tuple[Tensor]:
        return (hidden_states,) if attention else hidden_states

    return same


def _each_frame(layer: nn.Module) -> Forward:
    """Return the layer's forward with every frame (each is a row) taken for a clip of one."""
    whole = layer.forward

    def alone(hidden_states: Tensor, *, num_frames: int, **options: object) -> Any:
        return whole(hidden_states, num_frames=1, **options)

    return alone


@contextmanager
def replaced(layer: nn.Module, forward: Forward) -> Iterator[None]:
    """Let `layer` compute `forward` while the block runs; what was replaced before stays so."""
    before = vars(layer).get("forward")
    layer.forward = forward
    try:
        yield
    finally:
        if before is None:
            del layer.forward
        else:
            layer.forward = before
