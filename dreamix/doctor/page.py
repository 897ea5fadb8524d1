"""What `dreamix doctor` prints: the machine, a row for every backend, or one backend in detail."""

from collections.abc import Sequence

from dreamix.backends.footprint import Footprint, Phases, repeated
from dreamix.backends.names import BACKENDS
from dreamix.data.worlds import WORLDS, MeasuredCost
from dreamix.doctor.judgement import EFFICIENCY, ROOM, UPDATES, BackendVerdict, Fit
from dreamix.doctor.machine import Machine, PackageStatus
from dreamix.doctor.measured import Measurement

GB = 1e9
HEAD = ("backend", "weights", "to edit", "to finetune", "fits?", "min. an edit", "min. finetuning")


def size(count: float) -> str:
    """Return bytes as people say them."""
    return f"{count / GB:.1f} GB" if count >= GB / 10 else f"{count / 1e6:.0f} MB"


def time(minutes: float) -> str:
    """Return minutes as people say them."""
    if minutes < 120:
        return f"{minutes:.1f}" if minutes < 10 else f"{minutes:.0f}"
    hours = minutes / 60
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines whose columns stand below each other."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def machine_lines(machine: Machine) -> list[str]:
    """Return what machine this is."""
    memory = f"{size(machine.free)} free of {size(machine.memory)}"
    lines = [
        f"{machine.system}, Python {machine.python}, {machine.threads} threads",
        f"memory       {memory}; disk {size(machine.disk)} free for weights",
    ]
    lines += [f"accelerator  {line}" for line in _devices(machine)]
    here = [f"{p.name} {p.version or 'missing'}" for p in machine.packages if p.extra is None]
    lines.append(f"packages     {', '.join(here)}")
    extras: dict[str, list[PackageStatus]] = {}
    for package in machine.packages:
        if package.extra:
            extras.setdefault(package.extra, []).append(package)
    lines += [f"extra        {_extra(name, found)}" for name, found in extras.items()]
    return lines


def _devices(machine: Machine) -> list[str]:
    if not machine.devices:
        return ["none: edits run on the processor, in float32"]
    said = []
    for device in machine.devices:
        free = "" if device.free is None else f", {size(device.free)} free"
        used = "" if device.kind == "cuda" else "; --backend does not use it, DreamixPipeline can"
        said.append(f"{device.kind} {device.name}, {size(device.total)}{free}{used}")
    return said


def _extra(name: str, found: list[PackageStatus]) -> str:
    """Return whether the packages of an extra are here."""
    missing = [package.name for package in found if package.version is None]
    if not missing:
        return f"{name}: {', '.join(f'{p.name} {p.version}' for p in found)}"
    return f"{name}: without {', '.join(missing)}: pip install 'dreamix-toolkit[{name}]'"


def table(rows: list[BackendVerdict]) -> list[str]:
    """Return a line for every backend, and the commands that fetch what is not here."""
    own = (_own_cells(name, world.cost) for name, world in WORLDS.pairs() if world.cost)
    cells = [HEAD, *own, *(_cells(row) for row in rows)]
    absent = {row.name: row.download for row in rows if not row.weights}
    lines = ["", "weights that are not here:"] if absent else []
    return [*columns(cells), *lines, *(f"  {name}: {how}" for name, how in absent.items())]


def brought() -> list[str]:
    """Return a line on the backends of other packages, of which no figures come along."""
    found = {name: BACKENDS.brought_by(name) for name in BACKENDS.names()}
    told = [f"{name} ({package})" for name, package in found.items() if package]
    return ["", f"of other packages, without figures: {', '.join(told)}"] if told else []


def _own_cells(world: str, cost: MeasuredCost) -> tuple[str, ...]:
    """Return the row of a world's own model, which comes along."""
    memory = f"{size(cost.memory)} (measured)"
    minutes = (f"{time(cost.edit)} (measured)", time(cost.finetune))
    return (world, "here", memory, memory, "yes", *minutes)


def _cells(row: BackendVerdict) -> tuple[str, ...]:
    works = (row.edit, row.finetune)
    return (
        row.name,
        "here" if row.weights else "not here",
        *(_memory(work) if work else "-" for work in works),
        _verdict(row),
        *(time(work.minutes) if work else "-" for work in works),
    )


def _verdict(row: BackendVerdict) -> str:
    """Return whether both kinds of work fit, as far as there are both."""
    verdicts = [work.verdict for work in (row.edit, row.finetune) if work]
    if verdicts[0] != "no" and verdicts[-1] == "no":
        return "to edit, not to finetune"
    return "no" if "no" in verdicts else max(verdicts, key=len)


def _memory(work: Fit) -> str:
    """Return the peak, and that of offloading."""
    more = "" if work.offloaded is None else f" ({size(work.offloaded)} offloaded)"
    return size(work.together) + more


def footnotes(machine: Machine, speed: float) -> list[str]:
    """Return what the figures of the table are."""
    half = machine.cuda is not None
    how = "float32, no offloading, no checkpointing"
    if half:
        how = "bfloat16, offloading, tiled autoencoder, gradient checkpointing"
    return [
        "",
        "ESTIMATED, where a figure is not marked as measured:",
        f"  as --backend would run it here ({how});",
        "  an edit: the family's usual size, guidance and steps, all of them (a lower noise level",
        f"  takes fewer); finetuning: an adapter of rank 32, {UPDATES} updates, clip and 8 frames;",
        "  image models (sd...): Plug-and-Play on 16 frames of 512x512; they are not finetuned;",
        "  memory: weights and tensors that the toolkit's own code holds at its peak, without the",
        "  scratch memory of kernels and what the allocator keeps;",
        f"  minutes: operations / ({speed / 1e9:,.0f} GFLOP/s, products of matrices timed here, x "
        f"{EFFICIENCY},",
        "  a share that is assumed: minutes are of the right order, not more).",
        *([f"  {size(ROOM)} of the accelerator is left free."] if half else []),
        "One in detail, and what a GPU would need: dreamix doctor --backend NAME|FOLDER[@WxHxF]",
    ]


SETUP = "bfloat16, the autoencoder float32 and tiled, gradient checkpointing"
PICTURE_SETUP = "float16, the autoencoder float32, four pictures at once; nothing is offloaded"


def detail(name: str, source: str, found: dict[str, Footprint], steps: int) -> list[str]:
    """Return the arithmetic of one backend, on an accelerator and on the processor."""
    held = next(iter(found.values()))
    width, height, frames = held.size
    lines = [f"{name}: {frames} frames of {width}x{height}. Networks by {source}."]
    titles = {
        "accelerator": f"On an accelerator: {SETUP if held.sequence else PICTURE_SETUP}",
        "processor": "On the processor: float32",
    }
    for where, footprint in found.items():
        lines += ["", titles[where], *_weights(footprint)]
        works = {"edit": footprint.edit, "finetuning": footprint.finetune}
        works["finetuning all weights"] = footprint.full
        for title, phases in works.items():
            times = steps if title == "edit" else UPDATES
            if phases:
                apart = where == "accelerator" and bool(footprint.sequence)
                lines += _work(title, footprint, phases, times, apart)
    return lines


def _weights(found: Footprint) -> list[str]:
    whole = " + ".join(f"{name} {size(count)}" for name, count in found.weights.items())
    adapter = f"  adapter and its AdamW   {size(found.trained)} + 2 x {size(found.trained)}"
    return [
        f"  weights                 {whole} = {size(sum(found.weights.values()))}",
        *([adapter] if found.finetune else []),
    ]


def _work(title: str, found: Footprint, phases: Phases, times: int, apart: bool) -> list[str]:
    """Return how the peak and the operations of one kind of work come about."""
    held = ", ".join(f"{name} {size(count)}" for name, count in phases.held.items())
    whole, most = sum(found.weights.values()), max(phases.held.values())
    lines = [
        f"  {title}",
        f"    held beside weights   {held}",
        f"    peak, all parts there {size(whole)} + {size(most)} = {size(whole + most)}",
    ]
    if apart:
        phase, there, peak = found.worst(phases)
        parts = " + ".join(f"{part} {size(found.weights[part])}" for part in sorted(there))
        last = f"{parts or 'nothing'} + {phase} {size(phases.held[phase])} = {size(peak)}"
        lines.append(f"    peak, offloaded       {last}")
    flops = [
        f"{p} {n / 1e12:.1f}{f' x {times}' if repeated(p) else ''}"
        for p, n in phases.flops.items()
        if n
    ]
    sum_ = phases.all_flops(times) / 1e12
    return [*lines, f"    operations (TFLOP)    {' + '.join(flops)} = {sum_:.0f}"]


MEASURED = ("pipeline", "work", "weights MB", "predicted", "measured", "ratio", "share of rate")
WIDTHS = (13, 27, 10, 9, 8, 6, 13)


def measured_head() -> str:
    """Return the line above `measured_line`."""
    return _line(MEASURED)


def measured_line(found: Measurement) -> str:
    """Return what was predicted and measured of one piece of work."""
    sizes = (found.weights, found.predicted, found.measured)
    megabytes = [f"{count / 1e6:.0f}" for count in sizes]
    cells = (found.name, found.work, *megabytes, f"{found.ratio:.3f}", f"{found.share:.2f}")
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    told = zip(cells, WIDTHS, range(len(cells)), strict=True)
    return "  ".join(c.ljust(w) if i < 2 else c.rjust(w) for c, w, i in told).rstrip()
