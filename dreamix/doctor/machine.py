"""What machine this is: memory, accelerators, disk, packages. Nothing is downloaded."""

import platform
import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from dreamix.core.memory import memory

CORE = ("torch", "diffusers", "transformers", "av", "numpy")
HIDDEN = ("dev",)  # extras that users do not need


class Device(NamedTuple):
    """An accelerator; `free` is None where it cannot be asked."""

    kind: str  # cuda or mps
    name: str
    total: int  # bytes
    free: int | None


class PackageStatus(NamedTuple):
    """A package, its version if it is here, and the extra it belongs to."""

    name: str
    version: str | None
    extra: str | None


class Machine(NamedTuple):
    """Bytes, counts and names."""

    python: str
    system: str
    threads: int
    memory: int  # of the processor, in all
    free: int  # of it, for new programs
    disk: int  # free, where hubs keep weights
    devices: list[Device]
    packages: list[PackageStatus]

    @property
    def cuda(self) -> Device | None:
        """The accelerator that backends use: the first of CUDA."""
        return next((device for device in self.devices if device.kind == "cuda"), None)


def this_machine() -> Machine:
    """Return what is here, now."""
    import torch

    total, free = memory()
    return Machine(
        platform.python_version(),
        f"{platform.system()} {platform.machine()}",
        torch.get_num_threads(),
        total,
        free,
        shutil.disk_usage(_existing(hub_folder())).free,
        devices(),
        packages(),
    )


def devices() -> list[Device]:
    """Return the accelerators that torch sees."""
    import torch

    found = []
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        free, total = torch.cuda.mem_get_info(i)
        found.append(Device("cuda", torch.cuda.get_device_name(i), total, free))
    if torch.backends.mps.is_available():
        found.append(Device("mps", "Apple GPU", memory()[0], None))
    return found


def packages() -> list[PackageStatus]:
    """Return the packages that editing needs, and those of the extras of this toolkit."""
    found = [PackageStatus(name, _version(name), None) for name in CORE]
    for line in metadata.requires("dreamix-toolkit") or []:
        asked = re.match(r"([\w.-]+)[^;]*;.*extra == ['\"](\w+)['\"]", line)
        if asked and asked[2] not in HIDDEN:
            found.append(PackageStatus(asked[1], _version(asked[1]), asked[2]))
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def hub_folder() -> Path:
    """Return where weights of the hub are kept on this machine."""
    try:
        from huggingface_hub.constants import HF_HUB_CACHE
    except ModuleNotFoundError:
        return Path.home()
    return Path(HF_HUB_CACHE)


def _existing(folder: Path) -> Path:
    """Return the folder, or the first one above it that is there."""
    return folder if folder.exists() else _existing(folder.parent)
