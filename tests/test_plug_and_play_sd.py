"""Plug-and-Play on Stable Diffusion: against both public implementations, written down by hand.

The references replace the forward functions of the layers, as pnp-diffusers does, on a network of
Stable Diffusion's shape with few and random weights.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from console import Program, program
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tiny_cascade import randomised
from tiny_pipelines import WORDS, clip_encoder, clip_tokenizer, frame_vae, moving_clip, quiet
from torch import Tensor, nn

from dreamix.backends.base import open_backend
from dreamix.backends.image import Pictures
from dreamix.backends.image_injection import (
    PictureEdit,
    Words,
    feature_layer,
    injected,
    inverted,
    pictures_in_batches,
)
from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_video
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite, VideoEntry
from dreamix.methods.base import METHODS, EditRequest, Made, variants
from dreamix.methods.plug_and_play import UGLY, PlugAndPlayConfig
from evaluation.runner import run_suite

pytestmark = pytest.mark.filterwarnings("ignore")
LAYERS = {1: (1, 2), 2: (0, 1, 2), 3: (0, 1, 2)}  # pnp-diffusers, register_attention_control
STEPS = 10
PROMPT, CAPTION = "a dog", "a cat"


def tiny_sd(prediction: str = "epsilon") -> StableDiffusionPipeline:
    """Stable Diffusion's classes and layout of blocks, 8 to 16 channels wide."""
    unet = UNet2DConditionModel(
        block_out_channels=(8, 8, 16, 16),
        cross_attention_dim=WORDS,
        attention_head_dim=4,
        norm_num_groups=4,
        sample_size=16,
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type=prediction,
    )
    parts = (frame_vae(), clip_encoder(), clip_tokenizer(), randomised(unet, seed=5), scheduler)
    return quiet(StableDiffusionPipeline(*parts, None, None, requires_safety_checker=False))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sd")
    tiny_sd().save_pretrained(path)
    return path


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="module")
def pipe() -> Any:
    return tiny_sd()


def latents(count: int = 2, seed: int = 0) -> Tensor:
    return torch.randn((count, 4, 16, 16), generator=torch.Generator().manual_seed(seed))


def words(pipe: Any, negative: str = CAPTION, target: str = PROMPT) -> Words:
    texts = ("", negative, target)
    return Words(*(pipe.encode_prompt(text, pipe.device, 1, False)[0] for text in texts))


def plan(official: bool, **changes: Any) -> PictureEdit:
    kind = (lambda share: share) if official else (lambda _: 1.0)
    extra = int(official)
    made = PictureEdit(STEPS, 4 * STEPS, 8 + extra, 5 + extra, 7.5, kind)
    return made._replace(**changes)


# -- the references ----------------------------------------------------------------------------
class CopiedAttention:
    """Self-attention by hand, whose queries and keys are the source's for the others as well."""

    def __init__(self, on: Callable[[], int]) -> None:
        self.parts = on

    def __call__(self, attention: Any, x: Tensor, *_: Any, **__: Any) -> Tensor:
        q, k, v = attention.to_q(x), attention.to_k(x), attention.to_v(x)
        if parts := self.parts():
            source = len(x) // parts
            for part in range(1, parts):
                q[part * source : (part + 1) * source] = q[:source]
                k[part * source : (part + 1) * source] = k[:source]
        q, k, v = (attention.head_to_batch_dim(each) for each in (q, k, v))
        weights = (q @ k.transpose(1, 2) * attention.scale).softmax(dim=-1)
        out: Tensor = attention.to_out[0](attention.batch_to_head_dim(weights @ v))
        return out


def copied_residual(block: Any, parts_now: Callable[[], int]) -> Callable[..., Tensor]:
    """The forward function of a residual block, its features the source's before the shortcut."""

    def forward(x: Tensor, embedding: Tensor, *_: Any, **__: Any) -> Tensor:
        h = block.conv1(nn.functional.silu(block.norm1(x)))
        h = h + block.time_emb_proj(nn.functional.silu(embedding))[:, :, None, None]
        h = block.conv2(nn.functional.silu(block.norm2(h)))
        if parts := parts_now():
            source = len(h) // parts
            for part in range(1, parts):
                h[part * source : (part + 1) * source] = h[:source]
        return (block.conv_shortcut(x) if block.conv_shortcut is not None else x) + h

    return forward


def reference(z0: Tensor, official: bool) -> Tensor:
    """Both public implementations, from clean latents to edited ones, in single precision.

    official: guidance 7.5 on e~ = a e_uncond + (1 - a) e_neg with a from 1 to 0; injection while
    i <= 8 and i <= 5 of 10 (40 and 25 of 50). Else pnp-diffusers: the first 8 and 5 steps.
    """
    pipe = tiny_sd()
    scheduler, told = pipe.scheduler, words(pipe)
    scheduler.set_timesteps(STEPS)
    sampled = [int(t) for t in scheduler.timesteps]
    scheduler.set_timesteps(4 * STEPS)
    climbed = [t for t in sorted({*sampled, *map(int, scheduler.timesteps)}) if t <= sampled[0]]
    saved, x, abar = {}, z0, scheduler.alphas_cumprod
    for i, t in enumerate(climbed):
        before = abar[climbed[i - 1]] if i else scheduler.final_alpha_cumprod
        eps = pipe.unet(x, t, encoder_hidden_states=told.nothing.expand(len(x), -1, -1)).sample
        x0 = (x - (1 - before) ** 0.5 * eps) / before**0.5
        x = abar[t] ** 0.5 * x0 + (1 - abar[t]) ** 0.5 * eps
        saved[t] = x
    state = {"i": 0, "parts": 4 if official else 3}
    extra = int(official)
    features = lambda: state["parts"] if state["i"] < 8 + extra else 0  # noqa: E731
    attention = lambda: state["parts"] if state["i"] < 5 + extra else 0  # noqa: E731
    residual = pipe.unet.up_blocks[1].resnets[1]
    residual.forward = copied_residual(residual, features)
    for block, places in LAYERS.items():
        for place in places:
            layer = pipe.unet.up_blocks[block].attentions[place].transformer_blocks[0].attn1
            layer.set_processor(CopiedAttention(attention))
    scheduler.set_timesteps(STEPS)
    x = saved[sampled[0]]
    for i, t in enumerate(sampled):
        state["i"] = i
        against = [told.nothing, told.negative] if official else [told.negative]
        spoken = torch.cat(
            [w.expand(len(x), -1, -1) for w in (told.nothing, *against, told.target)]
        )
        batch = torch.cat([saved[t], *[x] * (len(against) + 1)])
        _, *others, target = pipe.unet(batch, t, encoder_hidden_states=spoken).sample.chunk(
            len(against) + 2
        )
        a = 1 - i / (STEPS - 1)
        base = a * others[0] + (1 - a) * others[1] if official else others[0]
        x = scheduler.step(base + 7.5 * (target - base), t, x).prev_sample
    return x


@torch.no_grad()
@pytest.mark.parametrize("official", [True, False], ids=["official", "pnp-diffusers"])
def test_it_is_what_the_public_implementation_computes(pipe: Any, official: bool) -> None:
    """Largest difference below 1e-5 of the largest latent."""
    z0, told, edit = latents(), words(pipe), plan(official)
    found = injected(pipe, inverted(pipe, z0, told.nothing, edit), told, edit)
    expected = reference(z0, official)
    assert not torch.allclose(expected, z0, atol=0.1)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


@pytest.mark.parametrize(
    ("preset", "features", "attention", "guidance", "negative"),
    [("official", 41, 26, 10.0, CAPTION), ("pnp-diffusers", 40, 25, 7.5, UGLY)],
)
def test_a_preset_has_the_numbers_of_its_implementation(
    preset: str, features: int, attention: int, guidance: float, negative: str
) -> None:
    """i <= 40 and i <= 25 of 50 counted from 0, against the first int(50 x 0.8) and int(50 x 0.5);
    999 steps of inversion, the most that there are between 1 and 999."""
    asked: list[Any] = []

    class Fake:
        plug_and_play, usual = preset, Pictures("sd1.5", None, None, None).usual  # type: ignore[arg-type]

        def check_prompts(self, _: Any) -> None: ...
        def edited_pictures(self, source: Video, *rest: Any) -> list[Video]:
            asked.extend(rest)
            return [source]

    method = METHODS.get("plug-and-play")
    method.make([request()], Fake(), method.config(**method.usual(Fake())))
    prompts, negatives, edit, _ = asked
    assert (prompts, negatives) == ([PROMPT], [negative])
    assert (edit.steps, edit.inversion, edit.guidance) == (50, 1000, guidance)
    assert (edit.feature_steps, edit.attention_steps) == (features, attention)
    assert [edit.negative(share) for share in (0.0, 0.5, 1.0)] == (
        [0, 0.5, 1] if preset == "official" else [1, 1, 1]
    )


@torch.no_grad()
def test_an_inversion_of_999_steps_goes_through_every_timestep(pipe: Any) -> None:
    seen: list[int] = []

    class Net(nn.Module):
        dtype = torch.float32

        def forward(self, x: Tensor, t: int, **_: Any) -> Any:
            seen.append(t)
            return type("Out", (), {"sample": torch.zeros_like(x)})

    holder = type("P", (), {"unet": Net(), "scheduler": pipe.scheduler, "device": pipe.device})()
    edit = plan(False, steps=50, inversion=1000)
    path = inverted(holder, latents(), words(pipe).nothing, edit)
    assert seen == list(range(1, 982))
    assert list(path) == list(range(1, 982, 20))
    # without noise predicted a latent is only scaled: sqrt(abar_t / abar_0)
    share = (pipe.scheduler.alphas_cumprod[981] / pipe.scheduler.final_alpha_cumprod).sqrt()
    assert torch.allclose(path[981], latents() * share, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_without_injection_it_is_diffusers_own_edit_of_the_inverted_latents(
    prediction: str,
) -> None:
    """Largest difference below 1e-5 of the largest latent, for both kinds of prediction."""
    pipe = tiny_sd(prediction)
    edit, told = plan(False, feature_steps=0, attention_steps=0), words(pipe)
    path = inverted(pipe, latents(), told.nothing, edit)
    theirs = pipe(
        [PROMPT] * 2,
        negative_prompt=[CAPTION] * 2,
        latents=path[max(path)].clone(),
        num_inference_steps=STEPS,
        guidance_scale=7.5,
        output_type="latent",
    ).images
    found = injected(pipe, path, told, edit)
    assert (found - theirs).abs().max() < 1e-5 * theirs.abs().max()


@torch.no_grad()
@pytest.mark.slow
def test_the_source_comes_back_and_the_nearer_the_finer_the_inversion() -> None:
    """No words, guidance 1, features injected throughout: DDIM there and back. The network says
    little, so that it is nearly the same from one step to the next, as a trained one is."""
    pipe = tiny_sd()
    pipe.unet.conv_out.weight.mul_(0.05)
    told = words(pipe, negative="", target="")
    errors = []
    for steps in (10, 40):
        edit = plan(False, steps=steps, inversion=steps, guidance=1.0, feature_steps=steps)
        back = injected(pipe, inverted(pipe, latents(), told.nothing, edit), told, edit)
        errors.append(float((back - latents()).norm() / latents().norm()))
    assert errors[1] < errors[0] / 2
    assert errors[1] < 0.1


# -- clips -------------------------------------------------------------------------------------
def request(prompt: str = PROMPT, name: str = "edit", frames: int = 3) -> EditRequest:
    clip = moving_clip(frames, 64)
    entry = VideoEntry("v", CAPTION, "v.mp4")
    suite = Suite("s", "1", "none", Path(), Path(), {"v": entry}, ())
    edit = Edit(name, "v", prompt, "object")
    return EditRequest(suite, edit, 0, "plug-and-play", lambda _: clip)


def make(backend: Any, *requests: EditRequest, **settings: Any) -> list[Video]:
    method = METHODS.get("plug-and-play")
    made = method.make([*requests], backend, PlugAndPlayConfig(steps=2, inversion=2, **settings))
    return [one.video if isinstance(one, Made) else one for one in made]  # type: ignore[misc]


@pytest.fixture
def backend(folder: Path) -> Any:
    found = open_backend(f"{folder}@64x64")
    assert isinstance(found, Pictures)
    return found


def test_frames_do_not_depend_on_how_many_share_a_batch(backend: Any) -> None:
    """At most one level of 255 apart: sums of other batches are rounded otherwise."""
    (four,) = make(backend, request())
    backend.at_once = 1
    (one,) = make(backend, request())
    assert four.frames.shape == (3, 64, 64, 3)
    assert np.abs(four.frames.astype(int) - one.frames).max() <= 1
    assert four.fps == request().source.fps


def test_prompts_of_a_video_share_its_inversion_and_nothing_else(backend: Any) -> None:
    calls: list[str] = []
    pair = [request(), request("a fox", "other")]
    pair[0].progress = calls.append
    both = make(backend, *pair)
    alone = [make(backend, one)[0] for one in (request(), request("a fox", "other"))]
    for one, other in zip(both, alone, strict=True):
        assert np.array_equal(one.frames, other.frames)
    assert not np.array_equal(both[0].frames, both[1].frames)
    assert sum(text.startswith("inverting 1/") for text in calls) == 1


def test_a_batch_too_large_for_the_accelerator_is_halved() -> None:
    tried: list[int] = []

    def work(batch: Tensor) -> list[Tensor]:
        tried.append(len(batch))
        if len(batch) > 1:
            raise torch.cuda.OutOfMemoryError
        return [batch + 1]

    (found,) = pictures_in_batches(list(torch.arange(6.0).split(4)), work)
    assert found.tolist() == [1, 2, 3, 4, 5, 6]
    assert tried == [4, 2, 1, 1, 2, 1, 1, 2, 1, 1]


def test_an_interrupt_leaves_the_network_as_it_was(pipe: Any) -> None:
    told, edit = words(pipe), plan(True)
    path = inverted(pipe, latents(), told.nothing, edit)

    def interrupt(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    before = injected(pipe, path, told, edit)
    with pytest.raises(KeyboardInterrupt):
        injected(pipe, path, told, edit, interrupt)
    assert not any(module._forward_hooks for module in pipe.unet.modules())
    assert torch.equal(injected(pipe, path, told, edit), before)


def test_the_features_are_those_before_the_shortcut(pipe: Any) -> None:
    assert feature_layer(pipe.unet) is pipe.unet.up_blocks[1].resnets[1].conv2


def test_fused_projections_and_other_networks_are_one_line() -> None:
    fused = tiny_sd()
    fused.unet.fuse_qkv_projections()
    edit = plan(True)
    with pytest.raises(UserError, match="unfuse_qkv_projections"):
        injected(fused, {}, words(fused), edit)
    fused.unet = nn.Linear(1, 1)
    with pytest.raises(UserError, match="up blocks of Stable Diffusion 1 or 2"):
        injected(fused, {}, words(tiny_sd()), edit)


@pytest.mark.parametrize("method", ["dreamix", "sdedit", "text-to-video", "subject", "animate"])
def test_an_image_model_runs_nothing_that_needs_motion(backend: Any, method: str) -> None:
    found = METHODS.get(method)
    with pytest.raises(UserError, match="an image model, which knows no motion: plug-and-play"):
        found.make([request()], backend, found.config())


@pytest.mark.parametrize(
    ("suffix", "says"),
    [("@100x64", "multiples of 64"), ("@64x64x8", "edits every frame there is: leave x8 out")],
)
def test_a_size_that_it_does_not_take_is_one_line(folder: Path, suffix: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        open_backend(f"{folder}{suffix}")


def test_settings_of_the_embedded_model_are_said_to_be_so(backend: Any) -> None:
    with pytest.raises(UserError, match="refine and top are settings of the embedded model"):
        make(backend, request(), refine=1)


def test_one_clip_from_the_command_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A clip that is no square keeps its aspect: 96x64 has the area of 64x96 pixels asked for."""
    write_video(tmp_path / "cat.mp4", moving_clip(3, 64), lossless=True)
    run: Program = program(monkeypatch, capsys)
    out = tmp_path / "dog.mp4"
    code, said, err = run(
        "edit", tmp_path / "cat.mp4", "--prompt", PROMPT, "--method", "plug-and-play", "--caption",
        CAPTION, "--backend", f"{folder}@128x64", "--steps", 2, "--set", "inversion=2",
        "--category", "object", "--out", out,
    )  # fmt: skip
    assert code == 0, err
    assert said.startswith(f"{out}: 3 frames of 128x64, plug-and-play")
    assert read_video(out).frames.shape == (3, 64, 128, 3)


def test_a_run_takes_the_steps_of_the_public_implementations(folder: Path, tmp_path: Path) -> None:
    """Where the user says nothing; what is said stands, and both are in run.json."""
    model = open_backend(f"{folder}@64x64")
    (usual,) = variants("plug-and-play", model)
    assert (usual.config.steps, usual.config.inversion) == (50, 20)
    (said,) = variants("plug-and-play:steps=2:inversion=2", model)
    assert (said.config.steps, said.config.inversion) == (2, 2)
    (embedded,) = variants("plug-and-play", open_backend("toybox"))
    assert embedded.config == PlugAndPlayConfig()
    write_video(tmp_path / "v.mp4", moving_clip(3, 64), lossless=True)
    videos = {"v": VideoEntry("v", CAPTION, "v.mp4")}
    edits = tuple(Edit(f"v_{i}", "v", text, "object") for i, text in enumerate((PROMPT, "a fox")))
    suite = Suite("s", "1", "none", tmp_path, tmp_path, videos, edits)
    run = run_suite(suite, [said], tmp_path / "run", backend=f"{folder}@64x64")
    assert [run.clip_row(cell).status for cell in run.cells()] == ["ok", "ok"]  # type: ignore[union-attr]
    assert run.info["methods"]["plug-and-play"]["config"]["steps"] == 2
