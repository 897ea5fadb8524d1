"""Adapters of pretrained families as files: this toolkit and diffusers read each other's."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders import PeftAdapterMixin
from family_names import FIVE
from safetensors.torch import load_file
from tiny_families import QUICK, edited, moving_clip
from tiny_pipelines import TINY, quiet

from dreamix import DreamixPipeline
from dreamix.backends.adapters import has_adapter
from dreamix.backends.pipeline import FILES
from dreamix.core.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def dreamix(family: str) -> DreamixPipeline:
    torch.set_num_threads(1)
    return DreamixPipeline(quiet(TINY[family]()))


# -- adapters as files -------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.check("adapter")
def test_an_adapter_is_saved_and_loaded_by_this_and_by_plain_diffusers(
    family: str, dreamix: DreamixPipeline, tmp_path: Path
) -> None:
    """Same output, difference 0: here, and in a pipeline that only diffusers has touched."""
    clip = moving_clip(5)
    plain = TINY[family]()
    dreamix.finetune(clip, **{**QUICK, "learning_rate": 0.05})
    tuned = edited(dreamix, 0.7, clip)
    dreamix.save_adapter(tmp_path)
    fresh = DreamixPipeline(quiet(TINY[family]()))
    fresh.load_adapter(tmp_path)
    assert torch.equal(edited(fresh, 0.7, clip), tuned)
    loaded_by_diffusers(family, quiet(plain), tmp_path)
    assert torch.equal(edited(DreamixPipeline(plain), 0.7, clip), tuned)


def loaded_by_diffusers(family: str, pipe: Any, folder: Path) -> None:
    """Load an adapter as a user without this toolkit does.

    diffusers 0.42.1 cannot load any adapter into UNet3DConditionModel, whose class lacks its
    `PeftAdapterMixin`; its function works when it is handed the network.
    """
    if family == "modelscope":
        with pytest.raises(AttributeError, match="load_lora_adapter"):
            pipe.load_lora_weights(folder, weight_name=FILES[0])
        network = pipe.unet
        network.__class__ = type("WithAdapters", (type(network), PeftAdapterMixin), {})
        network.load_lora_adapter(folder, prefix="unet", weight_name=FILES[0])
        return
    pipe.load_lora_weights(folder, weight_name=FILES[0])
    if family == "wan2.2":
        pipe.load_lora_weights(folder, weight_name=FILES[1], load_into_transformer_2=True)


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE, indirect=True)
def test_adapter_files_hold_pefts_names(dreamix: DreamixPipeline, tmp_path: Path) -> None:
    dreamix.finetune(moving_clip(3), **{**QUICK, "steps": 0})
    dreamix.save_adapter(tmp_path)
    held = load_file(tmp_path / "pytorch_lora_weights.safetensors")
    prefix = dreamix.family.network_name
    assert all(name.startswith(f"{prefix}.") for name in held)
    assert {name[-13:] for name in held} == {"lora_A.weight", "lora_B.weight"}
    assert {value.dtype for value in held.values()} == {torch.float32}


def broken(file: Path, _: DreamixPipeline) -> None:
    file.unlink()


def of_another_model(file: Path, dreamix: DreamixPipeline) -> None:
    from safetensors.torch import save_file

    prefix = dreamix.family.network_name
    save_file({f"{prefix}.nowhere.lora_A.weight": torch.zeros(4, 4)}, file)


def of_another_width(file: Path, _: DreamixPipeline) -> None:
    from safetensors.torch import save_file

    held = load_file(file)
    save_file({k: v[:, :3].contiguous() if "lora_A" in k else v for k, v in held.items()}, file)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (broken, "there is no adapter at"),
        (of_another_model, "there is no layer nowhere"),
        (of_another_width, "is an adapter of another model"),
    ],
)
def test_an_adapter_that_does_not_fit_is_one_line(
    spoil: Callable[[Path, DreamixPipeline], None], said: str, tmp_path: Path
) -> None:
    dreamix = DreamixPipeline(quiet(TINY["wan2.1"]()))
    dreamix.finetune(moving_clip(3), **{**QUICK, "steps": 0})
    dreamix.save_adapter(tmp_path)
    dreamix.reset()
    spoil(tmp_path / "pytorch_lora_weights.safetensors", dreamix)
    with pytest.raises(UserError, match=said):
        dreamix.load_adapter(tmp_path)
    (network,) = dreamix.family.networks.values()
    assert not has_adapter(network)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rank": 0}, "rank of an adapter is 1 or more, not 0"),
        ({"optimizer": "sgd"}, "adamw or adamw8bit"),
        ({"optimizer": "adamw8bit"}, "pip install bitsandbytes"),
        ({"mixed_precision": "int4"}, "precision is no, bf16, fp16"),
        ({"train": "everything"}, "finetunes all or spatial or temporal layers"),
        ({"train": "temporal", "alpha": 0.0}, "trains no temporal layer"),
        ({"alpha": 2.0}, r"in 0\.\.1, not 2"),
        ({"height": 33}, "multiples of"),
    ],
)
def test_settings_that_mean_nothing_are_one_line(
    options: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bitsandbytes", "bitsandbytes.optim"):  # as where it is not installed
        monkeypatch.setitem(sys.modules, name, None)
    dreamix = DreamixPipeline(quiet(TINY["modelscope"]()))
    with pytest.raises(UserError, match=said):
        dreamix.finetune(moving_clip(2), **{**QUICK, **options})


@pytest.mark.parametrize("family", FIVE, indirect=True)
def test_there_is_no_adapter_to_save_before_one_was_made(
    dreamix: DreamixPipeline, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no adapter to save"):
        dreamix.save_adapter(tmp_path)
