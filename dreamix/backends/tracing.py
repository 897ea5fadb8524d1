"""What running code would hold and compute, found without memory and without time.

The toolkit's own code runs on tensors that have a shape, a type and a device but no values
(torch's FakeTensor). Every storage that is made counts until it is freed, those that autograd
keeps for the backward pass among them, because they live as long as it does; every product of
matrices, convolution and attention counts its floating point operations.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

ATEN = torch.ops.aten
REST = "rest"  # the phase that has no name
Args = tuple[Any, ...]
Kwargs = dict[str, Any]


def new_mode() -> FakeTensorMode:
    """Return what makes tensors without memory; those with memory may meet them."""
    return FakeTensorMode(allow_non_fake_inputs=True)


def without_memory(
    modules: list[nn.Module], mode: FakeTensorMode, device: str = "cpu"
) -> dict[Tensor, Any]:
    """Put tensors without memory in the place of all weights; return what stands for which.

    modules: on any device; those that were built on torch's device "meta" never had memory.
    device:  that they are said to be on; it need not exist.
    """
    made: dict[Tensor, Any] = {}

    def fake(x: Tensor) -> Any:
        if x not in made:
            shape = torch.empty_like(x.detach(), device="meta")
            made[x] = FakeTensor(mode, shape, torch.device(device))
            if isinstance(x, nn.Parameter):
                made[x] = nn.Parameter(made[x], requires_grad=x.requires_grad)
        return made[x]

    for module in (inner for whole in modules for inner in whole.modules()):
        for held in (module._parameters, module._buffers):
            held.update({name: fake(x) for name, x in held.items() if x is not None})
    return made


def bytes_of(module: nn.Module) -> int:
    """Return the bytes of a module's weights and buffers, shared ones once."""
    storages = {x.untyped_storage()._cdata: x for x in (*module.parameters(), *module.buffers())}
    return sum(x.untyped_storage().nbytes() for x in storages.values())


class _Call(NamedTuple):
    """What a call held beyond what was there, what it computed and what it gave."""

    most: int
    flops: int
    like: Tensor  # of its type, and empty
    shape: torch.Size


# Torch's own tracers lack what is needed. FlopCounterMode counts by module, not phase, and leaves
# out the attention of the processor; its registry of formulas is used here. MemTracker refuses a
# network that is called again, as every sampler does, and knows no scratch of convolutions.
class Traced(TorchDispatchMode):
    """A block whose tensors are counted: `peak` bytes and `flops`, by phase.

    there:   tensors that were there before, such as weights: neither they nor views of them count.
    scratch: count what convolutions of the processor hold while they run: see `columns`.
    """

    def __init__(self, there: Iterable[Tensor] = (), *, scratch: bool = False) -> None:
        super().__init__()
        self._scratch = scratch
        self._there = {x.untyped_storage()._cdata: x for x in there}
        self.live = self._most = 0
        self.peak: dict[str, int] = {}
        self.flops: dict[str, int] = {}
        self._phase = REST
        self._held: dict[int, Any] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count what runs in the block under `name`."""
        before, self._phase = self._phase, name
        self._risen()
        try:
            yield
        finally:
            self._phase = before

    def named(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function`, counted under `name`; what gives no tensor is run each time.

        Calls on tensors of equal shapes hold and compute the same: one of them is run.
        """
        known: dict[Any, _Call] = {}

        @wraps(function)
        def counted(*arguments: Any, **options: Any) -> Any:
            key = tuple((x.shape, x.dtype) for x in tree_leaves(arguments) if isinstance(x, Tensor))
            with self.phase(name):
                if key in known:
                    return self._again(known[key])
                held, self._most = self._most, self.live
                before, computed = self.live, self.flops.get(name, 0)
                out = function(*arguments, **options)
                if isinstance(out, Tensor):
                    flops = self.flops.get(name, 0) - computed
                    known[key] = _Call(self._most - before, flops, out.new_empty(0), out.shape)
                self._most = max(held, self._most)
                return out

        return counted

    def _again(self, call: "_Call") -> Tensor:
        """Count a call as it was counted before; return a tensor like what it gave."""
        self._risen(call.most)
        self._computed(call.flops)
        return call.like.new_empty(call.shape)

    def hold(self, x: Tensor) -> None:
        """Count the storage of `x` until it is freed."""
        storage = x.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._held or key in self._there:
            return

        def freed(_: object) -> None:
            del self._held[key]
            self.live -= size

        self._held[key] = weakref.ref(storage, freed)
        self.live += size
        self._risen()

    def _risen(self, more: int = 0) -> None:
        self._most = max(self._most, self.live + more)
        self.peak[self._phase] = max(self.peak.get(self._phase, 0), self.live + more)

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        """Run one operation and count it; a value that is asked for is 1, or 0 if it is a whole."""
        kwargs = kwargs or {}
        if func is ATEN._local_scalar_dense.default and isinstance(args[0], FakeTensor):
            return _value(args[0].dtype)
        out = func(*args, **kwargs)
        for x in tree_leaves(out):
            if isinstance(x, Tensor):
                self.hold(x)
        self._computed(operations(func, args, kwargs, out))
        if self._scratch and func is ATEN.convolution.default:
            self._risen(columns(out, *args))
        return out

    def _computed(self, flops: int) -> None:
        self.flops[self._phase] = self.flops.get(self._phase, 0) + flops


def _value(dtype: torch.dtype) -> bool | float | int:
    """Return what a tensor without values says if it is asked for one."""
    if dtype == torch.bool:
        return True
    return 1.0 if dtype.is_floating_point else 0


def operations(func: OpOverload, args: Args, kwargs: Kwargs, out: object) -> int:
    """Return the floating point operations of one call: two for a multiplication and addition."""
    if func is ATEN._scaled_dot_product_flash_attention_for_cpu.default:
        return int(sdpa_flop_count(*(x.shape for x in args[:3])))
    if func is ATEN._scaled_dot_product_flash_attention_for_cpu_backward.default:
        return int(sdpa_backward_flop_count(*(x.shape for x in args[:4])))
    count = flop_registry.get(func._overloadpacket)
    return int(count(*args, **kwargs, out_val=out)) if count else 0


def columns(
    out: Tensor,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
) -> int:
    """Return the bytes into which torch's plain convolutions lay out what every weight meets.

    One thread and one clip take them; more take oneDNN's, which hold about a copy of `x` and `out`.
    """
    sizes = None if bias is None else list(bias.shape)
    shape = (stride, padding, dilation, transposed, output_padding, groups)
    backend = torch._C._select_conv_backend(x, weight, bias, *shape, sizes)
    if backend.name not in ("Slow2d", "Slow3d") or weight[0, 0].numel() == 1:
        return 0
    return x.shape[0] * weight[0].numel() * out[0, 0].numel() * x.element_size()
