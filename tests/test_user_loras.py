"""Adapters of users and of the toolkit in one pipeline: neither takes anything from the other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import WanPipeline
from family_names import ONE
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_families import QUICK, edited, moving_clip
from tiny_pipelines import TINY, quiet
from torch import Tensor
from user_loras import chosen, put, tuners, whole, with_lokr, with_loras

from dreamix import DreamixPipeline
from dreamix.backends.cascade import Cascade
from dreamix.backends.pipeline import FILES
from dreamix.core.errors import UserError

pytestmark = pytest.mark.filterwarnings("ignore")
CLIP = moving_clip(3)
ADAPTER = {**QUICK, "learning_rate": 0.05}
FULL = {**QUICK, "rank": None, "learning_rate": 1e-2}
FRESH = {**QUICK, "steps": 0}
HEADER = "lora_adapter_metadata"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def tiny(name: str = "wan2.1") -> DreamixPipeline:
    return DreamixPipeline(quiet(TINY[name]()))


def edit(dreamix: DreamixPipeline, **options: Any) -> Tensor:
    return edited(dreamix, 0.8, CLIP, num_inference_steps=2, **options)


# -- a user's LoRAs ----------------------------------------------------------------------------
def styled(family: str) -> DreamixPipeline:
    """Two LoRAs that count, by a half and twice, one that does not, named as a layer is."""
    dreamix = with_loras(tiny(family), "to_q", "style", "two")
    chosen(dreamix, {"two": 2.0, "style": 0.5})
    return dreamix


@pytest.mark.slow
@pytest.mark.parametrize("family", ONE)
def test_a_users_loras_stay_whatever_is_done(family: str, tmp_path: Path) -> None:
    """Finetune, switch, save, load, all weights, reset: their weights, scales, flags and which of
    them count stay, and without its adapter the edit is theirs to the bit."""
    dreamix = styled(family)
    theirs, before = edit(dreamix), whole(dreamix)
    assert not torch.equal(theirs, edit(tiny(family)))
    dreamix.finetune(CLIP, **FRESH)
    assert torch.equal(edit(dreamix), theirs)
    dreamix.finetune(CLIP, **ADAPTER)
    both = edit(dreamix)
    assert not torch.equal(both, theirs)
    dreamix.disable_adapter()
    assert torch.equal(edit(dreamix), theirs)
    dreamix.enable_adapter()
    assert torch.equal(edit(dreamix), both)
    dreamix.save_adapter(tmp_path)
    dreamix.reset()
    assert whole(dreamix) == before
    dreamix.load_adapter(tmp_path)
    assert torch.equal(edit(dreamix), both)
    dreamix.finetune(CLIP, **FULL)
    assert loras(dreamix) == loras(styled(family))
    assert not torch.equal(edit(dreamix), theirs)
    dreamix.reset()
    assert whole(dreamix) == before


def loras(dreamix: DreamixPipeline) -> dict[str, list[float]]:
    """Return the weights of all adapters."""
    networks = dreamix.family.networks.items()
    named = ((f"{n}.{k}", p) for n, network in networks for k, p in network.named_parameters())
    return {name: p.flatten().tolist() for name, p in named if ".lora_" in name}


def test_a_failed_finetuning_beside_loras_leaves_them_as_they_were() -> None:
    dreamix = styled("wan2.2")
    before = whole(dreamix)
    for how in (ADAPTER, FULL):
        with pytest.raises(UserError, match="diverged"):
            dreamix.finetune(CLIP, **{**how, "learning_rate": 1e30, "steps": 4})
        assert whole(dreamix) == before


def test_the_file_holds_the_adapter_alone_whatever_others_are_called(tmp_path: Path) -> None:
    """An adapter called as a layer is, in PEFT's names of weights, looks like that layer."""
    plain, beside = tiny(), with_loras(tiny(), "attn1", "blocks", "to_q")
    for dreamix, folder in ((plain, tmp_path / "plain"), (beside, tmp_path / "beside")):
        dreamix.finetune(CLIP, **FRESH)
        dreamix.save_adapter(folder)
    one, other = (load_file(tmp_path / name / FILES[0]) for name in ("plain", "beside"))
    assert {name: value.tolist() for name, value in one.items()} == {
        name: value.tolist() for name, value in other.items()
    }


def test_there_is_nothing_to_save_but_a_users_lora(tmp_path: Path) -> None:
    dreamix = with_loras(tiny(), "style")
    with pytest.raises(UserError, match="no adapter to save: finetune with a rank first"):
        dreamix.save_adapter(tmp_path / "out")
    with pytest.raises(UserError, match="unload_lora_weights"):
        dreamix.save_pretrained(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_kronecker_adapter_stays_too() -> None:
    """It has layers of another class; a LoRA goes around them."""
    dreamix = with_lokr(tiny())
    theirs, before = edit(dreamix), whole(dreamix)
    dreamix.finetune(CLIP, **FRESH)
    assert torch.equal(edit(dreamix), theirs)
    dreamix.finetune(CLIP, **ADAPTER)
    assert not torch.equal(edit(dreamix), theirs)
    dreamix.reset()
    assert whole(dreamix) == before


def test_loras_that_come_after_the_finetuning_stay_when_it_goes() -> None:
    """In layers of the toolkit's adapter and in others of their own."""
    dreamix, alone = tiny(), with_loras(tiny(), "late", layers=["to_q", "ffn.net.2"])
    dreamix.finetune(CLIP, **ADAPTER)
    with_loras(dreamix, "late", layers=["to_q", "ffn.net.2"])
    chosen(dreamix, {"late": 1.0, "dreamix": 1.0})
    dreamix.finetune(CLIP, **ADAPTER)
    dreamix.reset()
    assert torch.equal(edit(dreamix), edit(alone))
    assert {name for layer in tuners(dreamix) for name in layer.active_adapters} == {"late"}


def test_diffusers_own_functions_know_of_both() -> None:
    """`set_adapters` chooses among them, `get_list_adapters` names them."""
    dreamix = with_loras(tiny(), "style")
    dreamix.finetune(CLIP, **ADAPTER)
    assert dreamix.pipe.get_list_adapters() == {"transformer": ["style", "dreamix"]}
    assert dreamix.pipe.get_active_adapters() == ["style", "dreamix"]
    dreamix.pipe.set_adapters(["style"])
    assert torch.equal(edit(dreamix), edit(with_loras(tiny(), "style")))
    dreamix.pipe.delete_adapters("style")
    dreamix.enable_adapter()
    alone = tiny()
    alone.finetune(CLIP, **FRESH)
    assert not torch.equal(edit(dreamix), edit(alone))


def test_loras_that_are_switched_off_are_no_place_for_an_adapter(tmp_path: Path) -> None:
    """`disable_lora` switches whole layers off: the new adapter would learn nothing."""
    source = tiny()
    source.finetune(CLIP, **ADAPTER)
    source.save_adapter(tmp_path)
    dreamix = with_loras(tiny(), "style")
    dreamix.pipe.disable_lora()
    before = whole(dreamix)
    for work in (lambda: dreamix.finetune(CLIP, **ADAPTER), lambda: dreamix.load_adapter(tmp_path)):
        with pytest.raises(UserError, match="call enable_lora"):
            work()
        assert whole(dreamix) == before
    dreamix.pipe.enable_lora()
    dreamix.load_adapter(tmp_path)
    source.pipe.disable_lora()
    source.enable_adapter()
    assert not torch.equal(edit(source), edit(tiny()))


# -- what an adapter's file says ---------------------------------------------------------------
def written(folder: Path, config: LoraConfig) -> None:
    """Write a random LoRA as a user of diffusers does, with its metadata."""
    dreamix = tiny()
    put(dreamix, "default", config)
    network = dreamix.pipe.transformer
    WanPipeline.save_lora_weights(
        folder,
        transformer_lora_layers=get_peft_model_state_dict(network),
        transformer_lora_adapter_metadata=network.peft_config["default"].to_dict(),
    )


BY_LAYER = {"rank_pattern": {"attn1.to_q": 2}, "alpha_pattern": {"to_v": 1, r"blocks.1.*to_q": 9}}


@pytest.mark.parametrize(
    "options",
    [
        {"lora_alpha": 3, **BY_LAYER},
        pytest.param({"lora_alpha": 16}, marks=pytest.mark.slow),
        pytest.param({"lora_alpha": 16, "use_rslora": True}, marks=pytest.mark.slow),
    ],
    ids=["by layer", "alpha", "root"],
)
def test_an_adapter_counts_as_much_as_its_file_says(options: Any, tmp_path: Path) -> None:
    """Equal to diffusers' own loading to the bit, and so is what `save_adapter` writes of it."""
    layers = ["to_q", "to_k", "to_v", "to_out.0"]
    written(tmp_path / "theirs", LoraConfig(r=4, target_modules=layers, **options))
    expected, ours = tiny(), tiny()
    expected.pipe.load_lora_weights(tmp_path / "theirs")
    ours.load_adapter(tmp_path / "theirs")
    assert torch.equal(edit(ours), edit(expected))
    ours.save_adapter(tmp_path / "ours")
    again, plain = tiny(), tiny()
    again.load_adapter(tmp_path / "ours")
    plain.pipe.load_lora_weights(tmp_path / "ours")
    assert torch.equal(edit(again), edit(expected))
    assert torch.equal(edit(plain), edit(expected))


def test_the_header_of_a_plain_adapter_says_nothing(tmp_path: Path) -> None:
    """As files always were: alpha is the rank."""
    dreamix = tiny()
    dreamix.finetune(CLIP, **FRESH)
    dreamix.save_adapter(tmp_path)
    with safe_open(tmp_path / FILES[0], framework="pt") as held:
        assert held.metadata() == {"format": "pt"}


TO_Q = "transformer.blocks.0.attn1.to_q"


def told(**settings: Any) -> Callable[[dict[str, Tensor]], dict[str, str]]:
    """Return what gives a file a header of those settings."""
    header = {f"transformer.{key}": value for key, value in settings.items()}
    return lambda _: {HEADER: json.dumps(header)}


def more(key: str, value: Tensor | None = None) -> Callable[[dict[str, Tensor]], dict[str, str]]:
    """Return what gives a file another tensor, or takes one out."""

    def change(held: dict[str, Tensor]) -> dict[str, str]:
        if value is None:
            del held[key]
        else:
            held[key] = value
        return {}

    return change


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (told(use_dora=True), "an adapter with use_dora"),
        (told(lora_bias=True), "an adapter with lora_bias"),
        (told(peft_type="LOKR"), "is a LOKR"),
        (told(init_lora_weights="pissa"), "beside changed weights .init_lora_weights pissa"),
        (told(r=8), "says rank 8 of .*, which has 4"),
        (told(lora_alpha="much"), "lora_alpha or alpha_pattern in its header is no number"),
        (told(alpha_pattern=["to_q"]), "alpha_pattern in its header is no number"),
        (told(alpha_pattern={"(": 3}), "alpha_pattern in its header is no number"),
        (lambda _: {HEADER: "{"}, "is no JSON object"),
        (lambda _: {HEADER: "[1]"}, "is no JSON object"),
        (more(f"{TO_Q}.alpha", torch.tensor(4.0)), f"holds {TO_Q}.alpha, which is not read"),
        (more(f"{TO_Q}.lora_B.bias", torch.zeros(24)), f"holds {TO_Q}.lora_B.bias"),
        (more(f"{TO_Q}.lora_magnitude_vector", torch.ones(24)), "lora_magnitude_vector"),
        (more("text_encoder.x.lora_A.weight", torch.zeros(4, 4)), "holds text_encoder"),
        (more("transformer_2.x.lora_A.weight", torch.zeros(4, 4)), "holds transformer_2"),
        (more(f"{TO_Q}.lora_B.weight"), "half an adapter of blocks.0.attn1.to_q"),
        (more(f"{TO_Q}.lora_B.weight", torch.zeros(24, 3)), "half an adapter of blocks.0.attn1"),
        (more(f"{TO_Q}.lora_B.weight", torch.zeros(23, 4)), "an adapter of another model: lora_B"),
        (more(f"{TO_Q}.lora_A.weight", torch.full((4, 24), torch.nan)), "of finite numbers"),
        (
            lambda held: (
                held.update(
                    {f"transformer.blocks.0.norm2.lora_{k}.weight": torch.zeros(4, 4) for k in "AB"}
                )
                or {}
            ),
            "is an adapter of another model: ",
        ),
    ],
)
def test_a_file_that_says_more_than_is_read_is_refused_by_name(
    change: Callable[[dict[str, Tensor]], dict[str, str]], said: str, tmp_path: Path
) -> None:
    """Never loaded in part: the pipeline is as before."""
    dreamix = tiny()
    dreamix.finetune(CLIP, **FRESH)
    dreamix.save_adapter(tmp_path)
    before, file = whole(dreamix), tmp_path / FILES[0]
    held = load_file(file)
    metadata = change(held)
    save_file(held, file, {"format": "pt", **metadata})
    with pytest.raises(UserError, match=said) as error:
        dreamix.load_adapter(tmp_path)
    assert str(file) in str(error.value)
    assert whole(dreamix) == before


@pytest.mark.parametrize("family", ONE)
@pytest.mark.parametrize(
    "dtype", [torch.bfloat16, pytest.param(torch.float16, marks=pytest.mark.slow)]
)
def test_an_adapter_in_half_precision_comes_back_to_the_bit(
    family: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    """The adapter is in single precision on both sides of the file."""
    one, fresh = (DreamixPipeline(quiet(TINY[family]()).to(dtype)) for _ in range(2))
    one.finetune(CLIP, **ADAPTER)
    expected = edit(one, output_type="latent")
    fresh.load_adapter(one.save_adapter(tmp_path))
    assert torch.equal(edit(fresh, output_type="latent"), expected)
    kinds = {p.dtype for n in fresh.family.networks.values() for p in n.parameters()}
    assert torch.float32 in kinds


# -- networks that were changed ----------------------------------------------------------------
@pytest.mark.parametrize("family", ONE)
def test_fused_projections_are_refused_before_any_work(family: str, tmp_path: Path) -> None:
    """The adapted layers would not be called: neither is anything changed, nor the clip read."""
    dreamix = tiny(family)
    network = next(iter(dreamix.family.networks.values()))
    if not hasattr(network, "fuse_qkv_projections"):
        pytest.skip(f"{type(network).__name__} of diffusers fuses no projections")
    dreamix.finetune(CLIP, **ADAPTER)
    dreamix.save_adapter(tmp_path)
    tuned = edit(dreamix)
    network.fuse_qkv_projections()
    before = whole(dreamix)
    for work in (
        lambda: dreamix.finetune("no clip at all", **ADAPTER),
        lambda: dreamix.finetune("no clip at all", **FULL),
        lambda: dreamix.load_adapter(tmp_path),
        lambda: edit(dreamix),
    ):
        with pytest.raises(UserError, match="call unfuse_qkv_projections"):
            work()
        assert whole(dreamix) == before
    network.unfuse_qkv_projections()
    assert torch.equal(edit(dreamix), tuned)


@pytest.mark.parametrize("family", ONE)
def test_names_of_a_compiled_network_are_those_of_the_network(family: str, tmp_path: Path) -> None:
    """Compiled whole, or block by block: the same file, and either loads it. Nothing is run."""
    plain, compiled, parts = tiny(family), tiny(family), tiny(family)
    name = plain.family.network_name
    setattr(compiled.pipe, name, torch.compile(getattr(compiled.pipe, name), backend="eager"))
    block_by_block(getattr(parts.pipe, name))
    held = {}
    for each, dreamix in (("plain", plain), ("compiled", compiled), ("parts", parts)):
        dreamix.finetune(CLIP, **FRESH)
        dreamix.save_adapter(tmp_path / each)
        held[each] = load_file(tmp_path / each / FILES[0])
        dreamix.reset()
    for each in ("compiled", "parts"):
        assert {*held[each]} == {*held["plain"]}
        assert all(torch.equal(value, held["plain"][k]) for k, value in held[each].items())
    for dreamix in (plain, compiled, parts):
        dreamix.load_adapter(tmp_path / "compiled")
        dreamix.save_adapter(tmp_path / "again")
        again = load_file(tmp_path / "again" / FILES[0])
        assert all(torch.equal(value, held["plain"][k]) for k, value in again.items())


def block_by_block(network: Any) -> None:
    """Compile what is in the network's lists of blocks."""
    for blocks in [m for m in network.children() if isinstance(m, torch.nn.ModuleList)]:
        for i, block in enumerate(blocks):
            blocks[i] = torch.compile(block, backend="eager")


@pytest.mark.slow
def test_a_compiled_network_is_finetuned_as_the_network() -> None:
    plain, compiled = tiny(), tiny()
    compiled.pipe.transformer = torch.compile(compiled.pipe.transformer, backend="eager")
    for dreamix in (plain, compiled):
        dreamix.finetune(CLIP, **ADAPTER)
    assert torch.allclose(edit(plain), edit(compiled), atol=1e-4)
    with pytest.raises(UserError, match="diverged"):
        compiled.finetune(CLIP, **{**ADAPTER, "learning_rate": 1e30, "steps": 4})
    assert torch.allclose(edit(plain), edit(compiled), atol=1e-4)
    compiled.reset()
    assert torch.allclose(edit(tiny()), edit(compiled), atol=1e-4)


def test_a_file_of_an_earlier_version_that_was_compiled_is_read(tmp_path: Path) -> None:
    """Its names begin with `transformer._orig_mod`."""
    dreamix, fresh = tiny(), tiny()
    dreamix.finetune(CLIP, **ADAPTER)
    dreamix.save_adapter(tmp_path)
    held = load_file(tmp_path / FILES[0])
    old = {k.replace("transformer.", "transformer._orig_mod.", 1): v for k, v in held.items()}
    save_file(old, tmp_path / FILES[0])
    fresh.load_adapter(tmp_path)
    assert whole(fresh) == whole(dreamix)


def test_an_adapter_that_is_fused_into_the_weights_is_no_thing_to_take_out(tmp_path: Path) -> None:
    """Refused by name, for whatever would need the weights apart; `unfuse_lora` opens it again."""
    dreamix = tiny()
    bare = edit(dreamix)
    dreamix.finetune(CLIP, **ADAPTER)
    dreamix.save_adapter(tmp_path)
    tuned = edit(dreamix)
    dreamix.pipe.fuse_lora()
    before = whole(dreamix)
    for work in (
        dreamix.reset,
        dreamix.disable_adapter,
        lambda: dreamix.finetune(CLIP, **ADAPTER),
        lambda: dreamix.finetune(CLIP, **FULL),
        lambda: dreamix.load_adapter(tmp_path),
    ):
        with pytest.raises(UserError, match="LoRA dreamix is fused into the weights: call unfuse"):
            work()
        assert whole(dreamix) == before
    assert (edit(dreamix) - tuned).abs().max() < 1e-3
    dreamix.pipe.unfuse_lora()
    dreamix.reset()
    assert (edit(dreamix) - bare).abs().max() < 1e-3


def test_an_adapter_that_was_fused_and_unloaded_cannot_be_forgotten() -> None:
    dreamix = tiny()
    dreamix.finetune(CLIP, **ADAPTER)
    dreamix.pipe.fuse_lora()
    dreamix.pipe.unload_lora_weights()
    with pytest.raises(UserError, match="was fused into the weights: load the pipeline again"):
        dreamix.reset()


def test_a_users_lora_that_is_fused_keeps_a_finetuning_out(tmp_path: Path) -> None:
    dreamix = with_loras(tiny(), "style")
    dreamix.pipe.fuse_lora()
    before = whole(dreamix)
    for how in (ADAPTER, FULL):
        with pytest.raises(UserError, match="the LoRA style is fused into the weights"):
            dreamix.finetune(CLIP, **how)
    dreamix.reset()
    assert whole(dreamix) == before


# -- single files ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["wan.safetensors", "model.ckpt", "folder/wan-q4.gguf"])
@pytest.mark.parametrize("there", [True, False])
def test_a_single_file_is_no_pipeline(name: str, there: bool, tmp_path: Path) -> None:
    from dreamix.backends.base import open_backend

    file = tmp_path / name
    if there:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"weights")
    said = "is a single file, and single files are not read"
    for load in (
        lambda: DreamixPipeline.from_pretrained(str(file)),
        lambda: Cascade.from_pretrained(file, file),
        lambda: DreamixPipeline.from_pretrained("nobody/x", motion_adapter=str(file)),
    ):
        with pytest.raises(UserError, match=said):
            load()
    if there:
        with pytest.raises(UserError, match=said):
            _ = open_backend(f"wan2.1-1.3b:{file}").identity
