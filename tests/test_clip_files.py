"""A CLIP model is found where it is, known for what it is, and refused where it is not right."""

import hashlib
import json
import shutil
import subprocess
import sys
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg
from safetensors.torch import load_file, save_file

from dreamix.core.errors import UserError
from evaluation.features import clip, clip_build, clip_files
from evaluation.features.base import file_sha256
from evaluation.settings import ModelSettings


def complaint(text: str, **others: Any) -> str:
    """The one line that `problem` gives."""
    found = clip.problem(ModelSettings(clip=text, **others))
    assert found and "\n" not in found
    return found


@pytest.fixture
def folder(tiny_clip: str, tmp_path: Path) -> Path:
    """A folder with copies of tiny.safetensors and tiny.json."""
    copies = tmp_path / "model"
    weights = Path(tiny_clip.partition(":")[2])
    shutil.copytree(weights.parent, copies)
    return copies


def config_of(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "tiny.json").read_text())
    return config


# Identity


def test_identity_is_free_of_paths_and_names_all_that_decides_a_score(
    tiny_clip: str, folder: Path
) -> None:
    same = clip.identity(ModelSettings(clip=tiny_clip))
    assert clip.identity(ModelSettings(clip=f"tiny:{folder}", batch=3)) == same
    weights = (folder / "tiny.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() in same
    gray = {"model_cfg": config_of(folder), "preprocess_cfg": {"mean": [0.5, 0.5, 0.5]}}
    (folder / "open_clip_config.json").write_text(json.dumps(gray))
    others = [
        ModelSettings(clip=tiny_clip, clip_fit="pad"),
        ModelSettings(clip=tiny_clip, dtype="bf16"),
        ModelSettings(clip=f"tiny:{folder}"),
    ]
    assert len({same, *map(clip.identity, others)}) == 4


def test_a_changed_file_has_another_hash(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"1")
    first = file_sha256(path)
    path.write_bytes(b"22")
    assert first != file_sha256(path) == hashlib.sha256(b"22").hexdigest()


def test_own_preprocessing_is_used(folder: Path) -> None:
    facts = {"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2], "interpolation": "bilinear"}
    path = folder / "mine.json"
    path.write_text(json.dumps({"model_cfg": config_of(folder), "preprocess_cfg": facts}))
    encoder = clip.load(ModelSettings(clip=f"{path}:{folder}/tiny.safetensors"))
    assert {key: encoder.preprocess[key] for key in facts} == facts
    assert encoder.prepare(np.zeros((1, 40, 50, 3), np.uint8)).shape == (1, 3, 32, 32)


def test_loading_leaves_the_global_generator_alone(tiny_clip: str) -> None:
    before = torch.random.get_rng_state()
    clip.load(ModelSettings(clip=tiny_clip))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_an_unknown_fit_or_dtype_is_named_with_the_known_ones(tiny_clip: str) -> None:
    assert "did you mean crop" in complaint(tiny_clip, clip_fit="corp")
    assert "fp32, bf16" in complaint(tiny_clip, dtype="fp8")


# What is refused


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("ViT-B-32:openai", "use ViT-B-32-quickgelu:openai"),
        ("ViT-L-14-336:openai", "use ViT-L-14-336-quickgelu:openai"),
        ("ViT-B-32-quickgelu:laion2b_s34b_b79k", "use ViT-B-32:laion2b_s34b_b79k"),
    ],
)
def test_a_tag_of_the_other_activation_is_refused(text: str, use: str) -> None:
    assert complaint(text).endswith(use)
    with pytest.raises(UserError, match="trained with"):
        clip.load(ModelSettings(clip=text))
    with pytest.raises(UserError, match="trained with"):
        clip.fetch(ModelSettings(clip=text))


@pytest.mark.parametrize(
    "name",
    [
        "ViT-B-32.pt",  # as OpenAI published it
        "vit_b_32-quickgelu-laion400m_e32-46683a32.pt",
        "vit_base_patch32_clip_224.openai/open_clip_model.safetensors",  # as the hub names it
    ],
)
def test_a_local_file_is_known_by_its_published_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    assert complaint(f"ViT-B-32:{path}").endswith(f"use ViT-B-32-quickgelu:{path}")
    assert clip.problem(ModelSettings(clip=f"ViT-B-32-quickgelu:{path}")) is None


@pytest.mark.parametrize("quick", [True, False])
def test_the_config_beside_local_weights_tells_the_activation(quick: bool, tmp_path: Path) -> None:
    wrong, right = ("ViT-B-32", "ViT-B-32-quickgelu")[:: 1 if quick else -1]
    config = {"model_cfg": clip_files.builtin_config(right)}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    (tmp_path / "weights.bin").touch()
    assert complaint(f"{wrong}:{tmp_path}").endswith(f"use {right}:{tmp_path / 'weights.bin'}")
    assert clip.problem(ModelSettings(clip=f"{right}:{tmp_path}")) is None


def test_a_model_built_with_the_other_activation_is_refused(tiny_clip: str) -> None:
    files = clip_files.find_clip(tiny_clip)
    model, _ = clip_build.build_clip(files)
    quick = replace(files, config={**files.config, "quick_gelu": True})
    with pytest.raises(UserError, match="without QuickGELU"):
        clip_build._check_activation(model, quick)


def test_a_warning_of_open_clip_about_the_activation_is_an_error(
    tiny_clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def warned(*_: Any, **__: Any) -> None:
        warnings.warn("QuickGELU mismatch between final model config and pretrained tag")

    monkeypatch.setattr(open_clip, "create_model", warned)
    with pytest.raises(UserError, match="QuickGELU mismatch"):
        clip.load(ModelSettings(clip=tiny_clip))


def test_weights_must_fit_in_every_tensor(folder: Path) -> None:
    state = load_file(folder / "tiny.safetensors")
    del state["ln_final.weight"]
    save_file(state, folder / "tiny.safetensors")
    with pytest.raises(UserError, match=r"does not fit tiny: .*ln_final.weight"):
        clip.load(ModelSettings(clip=f"tiny:{folder}"))


def test_weights_of_another_image_size_are_not_stretched(folder: Path) -> None:
    config = config_of(folder)
    config["vision_cfg"]["image_size"] = 64
    (folder / "tiny.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"visual.positional_embedding is \(17, 32\), not \(65, 32"):
        clip.load(ModelSettings(clip=f"tiny:{folder}"))


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_damaged_weights_are_a_user_error(suffix: str, folder: Path) -> None:
    path = folder / f"tiny.{suffix}"
    path.write_bytes(b"not weights")
    with pytest.raises(UserError, match="does not fit tiny"):
        clip.load(ModelSettings(clip=f"tiny:{path}"))


def test_code_in_place_of_weights_is_not_run(folder: Path) -> None:
    with zipfile.ZipFile(folder / "tiny.pt", "w") as archive:
        archive.writestr("tiny/constants.pkl", b"")
    assert "TorchScript" in complaint(f"tiny:{folder}/tiny.pt")


def test_state_dicts_of_torch_are_read_too(folder: Path, tiny_clip: str) -> None:
    torch.save(load_file(folder / "tiny.safetensors"), folder / "tiny.pt")
    (folder / "tiny.safetensors").unlink()
    found = clip.load(ModelSettings(clip=f"tiny:{folder}")).texts(["a cat"])
    expected = clip.load(ModelSettings(clip=tiny_clip)).texts(["a cat"])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ViT-B-32-quickgelu", "MODEL:TAG or MODEL:PATH"),
        ("ViT-B32:openai", "did you mean ViT-B-32"),
        ("ViT-B-32:laion2b_s34b", "did you mean laion2b_s34b_b79k"),
        ("ViT-B-32:./absent.bin", "no CLIP weights at absent.bin"),
        ("absent.json:./absent.bin", "no CLIP weights at absent.bin"),
    ],
)
def test_what_is_missing_is_named(text: str, says: str) -> None:
    assert says in complaint(text)


def test_json_of_another_kind_is_refused_as_config_and_ignored_beside(folder: Path) -> None:
    (folder / "tiny.json").write_text('{"loss": 0.1}')
    weights = folder / "tiny.safetensors"
    assert "lacks" in complaint(f"{folder}/tiny.json:{weights}")
    assert "open_clip has no model 'tiny'" in complaint(f"tiny:{weights}")
    assert clip.problem(ModelSettings(clip=f"ViT-B-32:{weights}")) is None


def test_two_weights_files_in_a_folder_are_one_too_many(folder: Path) -> None:
    (folder / "more.bin").touch()
    assert "holds 2 weights files" in complaint(f"tiny:{folder}")


# The hub's cache, and what is downloaded

REPOSITORY = "models--timm--vit_base_patch32_clip_224.openai"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put_in_cache(cache: Path, repository: str, name: str, content: bytes) -> Path:
    """Lay a file into the cache as the hub's client does; return its blob."""
    digest = hashlib.sha256(content).hexdigest()
    folder = cache / repository
    for part in ("blobs", "refs", "snapshots/1234"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text("1234")
    blob = folder / "blobs" / digest
    blob.write_bytes(content)
    (folder / "snapshots" / "1234" / name).symlink_to(f"../../blobs/{digest}")
    return blob


def test_absent_weights_are_named_with_the_command_that_gets_them(cache: Path) -> None:
    line = complaint(ModelSettings().clip)
    assert "`dreamix weights get clip --clip ViT-B-32-quickgelu:openai`" in line
    assert "--clip ViT-B-32-quickgelu:PATH" in line


def test_weights_in_the_cache_are_found_and_their_hash_is_not_computed_again(cache: Path) -> None:
    blob = put_in_cache(cache, REPOSITORY, "open_clip_model.safetensors", b"weights")
    assert clip.problem(ModelSettings()) is None
    blob.write_bytes(b"changed, so that reading it would show")
    assert hashlib.sha256(b"weights").hexdigest() in clip.identity(ModelSettings())


def test_a_text_side_from_the_hub_must_be_in_the_cache_too(cache: Path) -> None:
    put_in_cache(cache, "models--timm--ViT-B-16-SigLIP", "open_clip_model.safetensors", b"weights")
    assert "text side of ViT-B-16-SigLIP" in complaint("ViT-B-16-SigLIP:webli")
    put_in_cache(cache, "models--timm--ViT-B-16-SigLIP", "tokenizer_config.json", b"{}")
    assert clip.problem(ModelSettings(clip="ViT-B-16-SigLIP:webli")) is None


def test_asking_imports_neither_torch_nor_open_clip(tmp_path: Path) -> None:
    code = (
        "import sys; from evaluation.features import clip; from evaluation.settings import *; "
        "line = clip.problem(ModelSettings()); "
        "assert 'weights get' in line, line; "
        "sys.exit('torch' in sys.modules or 'open_clip' in sys.modules)"
    )
    environment = {"HF_HUB_CACHE": str(tmp_path)}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )


def test_what_is_written_here_about_openai_weights_is_what_open_clip_says() -> None:
    for name, repository in clip_files.OPENAI.items():
        facts = open_clip.get_pretrained_cfg(f"{name}-quickgelu", "openai")
        assert facts["hf_hub"] == repository and facts["quick_gelu"]
        assert {key: facts[key] for key in clip_files.PREPROCESS} == clip_files.PREPROCESS
    defaults = PreprocessCfg()
    assert clip_files.PREPROCESS["mean"] == defaults.mean
    assert clip_files.PREPROCESS["std"] == defaults.std


def test_fetch_gives_the_file_or_one_line(monkeypatch: pytest.MonkeyPatch, tiny_clip: str) -> None:
    monkeypatch.setattr(open_clip, "download_pretrained", lambda facts: f"/{facts['hf_hub']}file")
    monkeypatch.setattr(clip, "unreachable", lambda address: None)
    monkeypatch.setattr(clip_files, "in_hub_cache", lambda *names: None)
    assert clip.fetch(ModelSettings()) == f"/{clip_files.OPENAI['ViT-B-32']}file"

    def unreachable(_: Any) -> str:
        raise FileNotFoundError("Failed to download file.\nLast error: no network")

    monkeypatch.setattr(open_clip, "download_pretrained", unreachable)
    with pytest.raises(UserError, match=r"cannot download .* no network.* --clip .*:PATH"):
        clip.fetch(ModelSettings())
    with pytest.raises(UserError, match="names a file"):
        clip.fetch(ModelSettings(clip=tiny_clip))
    monkeypatch.setattr(clip, "unreachable", lambda address: f"{address} is away")
    monkeypatch.setattr(open_clip, "download_pretrained", None)  # not tried then
    with pytest.raises(UserError, match=r"cannot download .*https://.* is away.* --clip .*:PATH"):
        clip.fetch(ModelSettings())


def test_weights_that_are_here_are_got_without_a_look_at_the_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(clip, "unreachable", None)
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(clip_files, "in_hub_cache", lambda repository, name: tmp_path / name)
    assert clip.fetch(ModelSettings()) == str(tmp_path / "open_clip_model.safetensors")
