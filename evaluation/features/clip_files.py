"""Where a CLIP model's files are and what they are, told from the file system.

`MODEL:TAG` names weights that open_clip knows, looked for in the hub's cache; `MODEL:PATH` a
weights file or a folder that holds one. MODEL is one of open_clip's names, or an own architecture:
a path to a JSON file in open_clip's form, or any name with such a file beside the weights
(`open_clip_config.json`, or the weights file's name ending in .json). A tokenizer beside
`open_clip_config.json` (Hugging Face's `tokenizer_config.json`) is used; without one the text side
names a repository of the hub, or it is CLIP's own. A model that comes along with a world is named
by one word.
"""

import importlib.util
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.core.records import read_json
from evaluation.settings import AUTO, OWN_CLIPS, REAL_CLIP, own_clip

# Asking after these costs no import of open_clip (4 s); a test holds them against its own table.
OPENAI = {
    "ViT-B-32": "timm/vit_base_patch32_clip_224.openai/",
    "ViT-B-16": "timm/vit_base_patch16_clip_224.openai/",
    "ViT-L-14": "timm/vit_large_patch14_clip_224.openai/",
}
PREPROCESS: dict[str, Any] = {  # open_clip's own where nothing else is said
    "mean": (0.48145466, 0.4578275, 0.40821073),
    "std": (0.26862954, 0.26130258, 0.27577711),
    "interpolation": "bicubic",
}
FITS = {"shortest": "crop", "squash": "squash", "longest": "pad"}  # open_clip's words for them
OWN_CONFIG, OWN_TOKENIZER = "open_clip_config.json", "tokenizer_config.json"
SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
CONFIG_KEYS = {"embed_dim", "vision_cfg", "text_cfg"}
HUB_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")  # as the hub has them


@dataclass(frozen=True)
class ClipFiles:
    """A CLIP model whose files are on this machine."""

    name: str  # open_clip's name, or that of an own architecture
    own: bool  # True if open_clip does not know the architecture
    config: dict[str, Any]  # the architecture, in open_clip's form
    weights: Path
    preprocess: dict[str, Any]  # mean, std and interpolation
    fit: str  # how its makers had frames made square
    tokenizer: Path | None  # folder of a tokenizer beside the weights


def find_clip(text: str) -> ClipFiles:
    """Return the files of `MODEL:TAG` or `MODEL:PATH`; a `UserError` says what is missing."""
    name, where = split_clip(text)
    files = _local(name, Path(where).expanduser()) if is_path(where) else _cached(name, where)
    _check_is_data(files.weights)
    _check_text_side(files, text)
    return files


def _check_text_side(files: ClipFiles, text: str) -> None:
    """Raise a `UserError` unless what tokenizes for the model is here."""
    wanted = text_files(files.config)
    if wanted and importlib.util.find_spec("transformers") is None:
        raise UserError(
            f"the text side of {files.name} needs transformers; "
            'run `pip install "dreamix-toolkit[offline]"`'
        )
    for repo, filename in wanted:
        here = files.tokenizer is not None and filename == OWN_TOKENIZER
        if not here and not Path(repo).is_dir() and in_hub_cache(repo, filename) is None:
            raise UserError(
                f"the text side of {files.name} needs {repo}, which is not on this machine; "
                f"get it with `dreamix weights get clip --clip {text}`"
            )


def split_clip(text: str) -> tuple[str, str]:
    """Return (model, tag or path) of `MODEL:TAG`, `MODEL:PATH`, an `OwnClip` or auto."""
    if own := own_clip(text):
        return text, str(own.folder)
    name, _, where = (REAL_CLIP if text == AUTO else text).partition(":")
    if not name or not where:
        raise UserError(
            f"--clip {text!r} must be MODEL:TAG or MODEL:PATH, such as ViT-B-32-quickgelu:openai, "
            f"or {' or '.join(clip.name for clip in OWN_CLIPS.each())}"
        )
    return name, where


def is_path(where: str) -> bool:
    """Return True for a path and False for a tag: a path has a slash or a weights suffix."""
    return "/" in where or where.endswith(SUFFIXES)


def tag_facts(name: str, tag: str) -> dict[str, Any]:
    """Return what open_clip knows of a tag: hf_hub or url, quick_gelu, mean, std, interpolation."""
    builtin_config(name)
    base = name.removesuffix("-quickgelu")
    if tag == "openai" and base in OPENAI:
        facts: dict[str, Any] = {"hf_hub": OPENAI[base], "quick_gelu": True}
    else:
        import open_clip

        facts = open_clip.get_pretrained_cfg(name, tag) or open_clip.get_pretrained_cfg(base, tag)
        if not facts:
            tags = open_clip.list_pretrained_tags_by_model(name)
            hint = near_misses(tag, tags)
            known = f"known: {', '.join(tags) or 'none'}; a path needs a slash, as in ./{tag}"
            raise UserError(f"{name} has no weights called {tag!r}{hint} ({known})")
    check_activation(name, builtin_config(name), facts.get("quick_gelu", False), tag)
    return facts


def in_hub_cache(repo: str, filename: str) -> Path | None:
    """Return where the hub's cache keeps a file, or None."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, filename)
    return Path(found) if isinstance(found, str) else None


def text_files(config: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (repository, file) of what a text tower reads from the hub besides the weights."""
    keys = {"hf_tokenizer_name": "tokenizer_config.json", "hf_model_name": "config.json"}
    text = config["text_cfg"]
    return [(text[key], filename) for key, filename in keys.items() if text.get(key)]


def check_activation(name: str, config: dict[str, Any], trained: bool | None, where: str) -> None:
    """Raise a `UserError` unless the model computes the activation its weights were trained with.

    trained: True for QuickGELU, False for GELU, None if nothing says. open_clip 3.3 only warns, and
    the wrong one costs points that no error shows (open_clip issue 771).
    """
    computed = config.get("quick_gelu", False)
    if trained is None or trained == computed:
        return
    words = {True: "QuickGELU", False: "GELU"}
    base = name.removesuffix("-quickgelu")
    right = f"{base}-quickgelu" if trained else base
    use = f"use {right}:{where}" if right in builtin_names() else f'set "quick_gelu" in {name}'
    raise UserError(
        f"{name} computes {words[computed]}, but {where} was trained with {words[trained]}; {use}"
    )


def builtin_names() -> list[str]:
    """Return the architectures that open_clip knows."""
    return sorted(path.stem for path in _builtin_folder().glob("*.json"))


def builtin_config(name: str) -> dict[str, Any]:
    """Return the architecture that open_clip knows as `name`.

    Raises:
        UserError: if open_clip does not know it.
    """
    path = _builtin_folder() / f"{name}.json"
    if not path.is_file():
        hint = near_misses(name, builtin_names())
        raise UserError(f"open_clip has no model {name!r}{hint}, and no JSON config was given")
    return read_config(path)[0]


def read_config(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (architecture, preprocessing) of a JSON config, the hub's form or open_clip's own."""
    if not path.is_file():
        raise UserError(f"no model config at {path}")
    found = read_json(path)
    config = found.get("model_cfg", found)
    if missing := CONFIG_KEYS - set(config):
        raise UserError(f"{path} is not an open_clip model config: it lacks {sorted(missing)}")
    return config, found.get("preprocess_cfg", {})


def _builtin_folder() -> Path:
    spec = importlib.util.find_spec("open_clip")  # finds the folder, imports nothing
    if spec is None or spec.origin is None:
        raise UserError("open_clip is not installed; run `pip install open_clip_torch`")
    return Path(spec.origin).parent / "model_configs"


def _cached(name: str, tag: str) -> ClipFiles:
    facts = tag_facts(name, tag)
    weights = _cached_weights(facts)
    if weights is None:
        raise UserError(
            f"the weights {name}:{tag} are not on this machine; get them with "
            f"`dreamix weights get clip --clip {name}:{tag}`, or name a file: --clip {name}:PATH"
        )
    return _clip_files(name, False, builtin_config(name), weights, facts)


def _cached_weights(facts: dict[str, Any]) -> Path | None:
    """Return the file that open_clip's own download would have left here, or None."""
    if hub := facts.get("hf_hub"):
        repo, _, filename = hub.rpartition("/")
        safe = f"{filename.rpartition('.')[0]}.safetensors"
        names = (safe, filename) if filename else HUB_NAMES
        return next((path for name in names if (path := in_hub_cache(repo, name))), None)
    path = Path("~/.cache/clip").expanduser() / Path(facts["url"]).name
    return path if path.is_file() else None


def _local(name: str, path: Path) -> ClipFiles:
    weights = _weights_in(path) if path.is_dir() else path
    if not weights.is_file():
        raise UserError(f"no CLIP weights at {weights}; --clip takes MODEL:PATH of a weights file")
    if name.endswith(".json"):
        config, preprocess = read_config(Path(name).expanduser())
        return _clip_files(Path(name).stem, True, config, weights, preprocess)
    beside = _config_beside(weights)
    if beside and name not in builtin_names():
        return _clip_files(name, True, beside[0], weights, beside[1])
    return _local_builtin(name, weights, beside)


def _local_builtin(
    name: str, weights: Path, beside: tuple[dict[str, Any], dict[str, Any]] | None
) -> ClipFiles:
    """Return local weights of a known architecture, after asking what lies beside them."""
    config, trained = builtin_config(name), None
    if beside:
        trained, preprocess = beside[0].get("quick_gelu", False), beside[1]
    elif preprocess := _facts_by_name(name, weights):
        trained = preprocess.get("quick_gelu", False)
    check_activation(name, config, trained, str(weights))
    return _clip_files(name, False, config, weights, preprocess)


def _clip_files(
    name: str, own: bool, config: dict[str, Any], weights: Path, facts: dict[str, Any]
) -> ClipFiles:
    """Return the record of a model; `facts` is its preprocessing as open_clip writes it."""
    preprocess = PREPROCESS | {key: facts[key] for key in PREPROCESS if facts.get(key) is not None}
    fit = FITS[facts.get("resize_mode") or "shortest"]
    beside = all((weights.parent / part).is_file() for part in (OWN_CONFIG, OWN_TOKENIZER))
    tokenizer = weights.parent.absolute() if beside and text_files(config) else None
    return ClipFiles(name, own, config, weights, preprocess, fit, tokenizer)


def _weights_in(folder: Path) -> Path:
    """Return the one weights file of a folder; the hub's names come first."""
    for name in HUB_NAMES:
        if (folder / name).is_file():
            return folder / name
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    if len(found) != 1:
        raise UserError(f"{folder} holds {len(found)} weights files; name one: --clip MODEL:FILE")
    return found[0]


def _config_beside(weights: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return the model config beside the weights; JSON of another kind there does not count."""
    for path in (weights.with_name(OWN_CONFIG), weights.with_suffix(".json")):
        if path.is_file() and set(read_json(path).get("model_cfg", read_json(path))) >= CONFIG_KEYS:
            return read_config(path)
    return None


def _facts_by_name(name: str, weights: Path) -> dict[str, Any]:
    """Return what open_clip knows of weights that still bear their published name, or nothing."""
    import open_clip

    base = name.removesuffix("-quickgelu")
    for tag in open_clip.list_pretrained_tags_by_model(base):
        facts: dict[str, Any] = open_clip.get_pretrained_cfg(base, tag)
        repo = facts.get("hf_hub", "").rpartition("/")[0].rpartition("/")[2]
        if weights.name == Path(facts.get("url") or "-").name:
            return facts
        if repo and any(part.endswith(repo) for part in weights.absolute().parts):
            return facts
    return {}


def _check_is_data(weights: Path) -> None:
    """Refuse a TorchScript archive (OpenAI's first .pt files): loading one runs code."""
    if weights.suffix == ".safetensors" or not zipfile.is_zipfile(weights):
        return
    with zipfile.ZipFile(weights) as archive:
        if any(name.endswith("/constants.pkl") for name in archive.namelist()):
            raise UserError(
                f"{weights} is a TorchScript archive, which is code; name a .safetensors or "
                "state-dict file, or get one with `dreamix weights get clip`"
            )
