"""The files of a downloaded pipeline: which of them is damaged, and in which variant they come.

A download that broke off leaves a file cut in half, a Git LFS pointer where weights should be, or
an index without its shards. What diffusers, transformers or a tokenizer say of such a file is a
traceback that often names none, so it is looked for here.
"""

import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

from dreamix.core.errors import UserError

POINTER = b"version https://git-lfs"
SMALL = 1024  # bytes; a pointer has about 130
# Weights of a part: PREFIX[.VARIANT][-SHARD-of-SHARDS].ENDING, and the index of shards.
_WEIGHTS = re.compile(
    r"(?P<stem>diffusion_pytorch_model|pytorch_model|model)"
    r"(-\d{5}-of-\d{5})?(\.(?P<variant>[\w-]+?))?(-\d{5}-of-\d{5})?\.(?P<ending>safetensors|bin)"
)
_SINGLE = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".sft")
PREFERRED = ("fp32", "bf16", "fp16", "ema")  # of several variants, where no plain file is there


def damaged(file: Path) -> str | None:
    """Return what is wrong with a file, in words; None where nothing can be seen to be."""
    size = file.stat().st_size
    if not size:
        return "is empty"
    with file.open("rb") as held:
        start = held.read(SMALL)
    if start.startswith(POINTER):
        return "is a Git LFS pointer, not the file itself: `git lfs pull` fetches that"
    if file.suffix == ".json":
        return _damaged_json(file)
    if file.suffix == ".safetensors":
        return _damaged_safetensors(file, size, start)
    if file.suffix == ".bin" and start[:2] == b"PK" and not zipfile.is_zipfile(file):
        return "is cut off: its end is missing"
    return None


def _damaged_json(file: Path) -> str | None:
    """Return what is wrong with a configuration or an index of shards."""
    try:
        held = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return "is not valid JSON"
    if not isinstance(held, dict):
        return "holds no settings: it should be a JSON object"
    shards = held.get("weight_map") if ".index." in file.name else None
    if not isinstance(shards, dict):
        return None if shards is None else "is no index of shards"
    names = sorted({*map(str, shards.values())})
    missing = [name for name in names if not (file.parent / name).is_file()]
    return f"names {missing[0]}, which is missing" if missing else None


def _damaged_safetensors(file: Path, size: int, start: bytes) -> str | None:
    """Return what is wrong with a safetensors file: its header says how long it is."""
    length = int.from_bytes(start[:8], "little")
    if size < 8 + length or length > 100_000_000:
        return "is cut off, or no safetensors file" if start[8:9] == b"{" else "is no safetensors"
    with file.open("rb") as held:
        held.seek(8)
        try:
            header = json.loads(held.read(length))
            ends = [int(entry["data_offsets"][1]) for k, entry in header.items() if k[0] != "_"]
        except (ValueError, LookupError, TypeError, AttributeError):
            return "has a header that cannot be read"
    whole = 8 + length + max(ends, default=0)
    return f"is cut off: {size} of {whole} bytes are there" if size < whole else None


def check_text(folders: Iterable[Path]) -> None:
    """Raise a `UserError` for a pointer or an empty file in the place of a small text file.

    Of those nothing else would tell: a list of a tokenizer's words may be any text.
    """
    for file in _files_in(folders):
        if not _is_weights(file) and file.stat().st_size <= SMALL:
            _check(file)


def check_files(folders: Iterable[Path]) -> None:
    """Raise a `UserError` that names the first damaged file; weights that are code come last."""
    for file in sorted(_files_in(folders), key=lambda file: file.suffix == ".bin"):
        _check(file)


def _check(file: Path) -> None:
    if what := damaged(file):
        raise UserError(f"{file} {what}; download it again")


def _files_in(folders: Iterable[Path]) -> list[Path]:
    found = [file for folder in folders if folder.is_dir() for file in sorted(folder.iterdir())]
    return [file for file in found if file.is_file() and not file.name.startswith(".")]


def _is_weights(file: Path) -> bool:
    return file.suffix in (*_SINGLE, ".msgpack", ".h5", ".onnx")


def variants(part: Path) -> set[str | None]:
    """Return the variants that a part's weights are there in, None for plain files."""
    found = (_WEIGHTS.fullmatch(file.name) for file in part.iterdir() if file.is_file())
    return {match["variant"] for match in found if match}


def variant_of(parts: Iterable[Path]) -> str | None:
    """Return the variant to load the parts in those folders in; None where there are plain files.

    Parts that have plain files have no say.

    Raises:
        UserError: if those without them have no variant in common, or several that are not known
            here.
    """
    held = {folder: variants(folder) for folder in parts if folder.is_dir()}
    lacking = {folder: found for folder, found in held.items() if found and None not in found}
    if not lacking:
        return None
    common = sorted(map(str, set.intersection(*lacking.values())))
    known = [name for name in PREFERRED if name in common]
    if known or len(common) == 1:
        return [*known, *common][0]
    told = "; ".join(f"{where} has {', '.join(map(str, has))}" for where, has in lacking.items())
    if not common:
        raise UserError(f"no variant of the weights is there of every part: {told}")
    raise UserError(f"keep one variant of the weights, or say variant=... in Python: {told}")


def check_single(name: str) -> None:
    """Raise a `UserError` for the name of one file of weights, there or not, and for an address."""
    if Path(name).is_dir():
        return
    if Path(name).is_file() or name.lower().endswith(_SINGLE):
        raise UserError(
            f"{name} is a single file, and single files are not read: load it with diffusers' "
            "from_single_file, and give the folder that save_pretrained writes"
        )
    if name.startswith(("http://", "https://")):
        raise UserError(f"{name} is an address: give the name of the repository, OWNER/NAME")
