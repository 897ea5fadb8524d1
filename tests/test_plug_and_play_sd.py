"""Plug-and-Play on Stable Diffusion: against both public implementations, written down by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from console import Program, program
from diffusers import (
    DDIMScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
)
from plug_and_play_references import (
    CAPTION,
    PROMPT,
    latents,
    official,
    plan,
    pnp_diffusers,
    short_sd,
    tiny_sd,
    words,
)
from tiny_families import moving_clip
from torch import Tensor, nn

from dreamix.backends.base import open_backend
from dreamix.backends.image import Pictures
from dreamix.backends.image_injection import (
    PictureEdit,
    Trace,
    feature_layer,
    injected,
    inverted,
    pictures_in_batches,
    scheduler_of,
)
from dreamix.core.config import config_hash
from dreamix.core.errors import UserError
from dreamix.core.media import read_video, write_video
from dreamix.core.video import Video
from dreamix.data.suite import Edit, Suite, VideoEntry
from dreamix.methods.base import METHODS, EditRequest, Made, variants
from dreamix.methods.plug_and_play import UGLY, PlugAndPlayConfig
from evaluation.run.runner import run_suite

pytestmark = pytest.mark.filterwarnings("ignore")
STEPS = 10


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


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("theirs", [official, pnp_diffusers])
def test_it_is_what_the_public_implementation_computes(theirs: Any) -> None:
    """Inversion, features and edit; largest difference below 1e-5 of the largest latent. A model
    of 20 timesteps is inverted in 19, as theirs of 1000 in 999, and edited in 4."""
    pipe, z0 = short_sd(), latents(size=8)
    told, edit = words(pipe), plan(theirs is official)
    trace = inverted(pipe, z0, told.nothing, edit)
    found, plain = (
        injected(pipe, trace, told, each)
        for each in (edit, edit._replace(feature_steps=0, attention_steps=0))
    )
    expected = theirs(z0, edit)
    assert (plain - expected).abs().max() > 1e-2 * expected.abs().max()
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

    class Fake(Pictures):
        presets = {"plug-and-play": preset}  # noqa: RUF012

        def edited_pictures(self, source: Video, *rest: Any) -> list[Video]:  # type: ignore[override]
            asked.extend(rest)
            return [source]

    method, fake = METHODS.get("plug-and-play"), Fake("sd1.5", None, None, None)  # type: ignore[arg-type]
    method.make([request()], fake, method.config(**method.usual(fake)))
    prompts, negatives, edit, _, batch = asked
    assert (prompts, negatives) == ([PROMPT], [negative])
    assert (edit.steps, edit.inversion, edit.guidance) == (50, 1000, guidance)
    assert (edit.feature_steps, edit.attention_steps) == (features, attention)
    assert (edit.denoised, batch) == (preset == "official", None)
    assert [edit.negative(share) for share in (0.0, 0.5, 1.0)] == (
        [0, 0.5, 1] if preset == "official" else [1, 1, 1]
    )


@torch.no_grad()
@pytest.mark.parametrize(("denoised", "features", "attention"), [(True, 41, 26), (False, 40, 25)])
@pytest.mark.slow
def test_layers_are_injected_in_as_many_steps(
    denoised: bool, features: int, attention: int
) -> None:
    """Counted at the layers themselves, while the network computes 50 steps."""
    pipe = tiny_sd()
    counted = {"conv2": 0, "to_q": 0, "to_k": 0, "all": 0}
    residual = pipe.unet.up_blocks[1].resnets[1]
    block = pipe.unet.up_blocks[3].attentions[2].transformer_blocks[0].attn1
    for name, layer in (("conv2", residual.conv2), ("to_q", block.to_q), ("to_k", block.to_k)):

        def count(layer: nn.Module, _: Any, name: str = name) -> None:
            counted[name] += bool(layer._forward_hooks)
            counted["all"] += name == "conv2"

        layer.register_forward_pre_hook(count)
    z = latents(1, size=8)
    trace = Trace(z, dict.fromkeys(range(1, 982, 20), z))
    edit = PictureEdit(50, 999, features, attention, 7.5, lambda _: 1.0, denoised)
    injected(pipe, trace, words(pipe), edit)
    assert counted == {"conv2": features, "to_q": attention, "to_k": attention, "all": 50}


class Silent(nn.Module):
    """A network that predicts no noise, and notes the timesteps that it is told."""

    dtype = torch.float32

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def forward(self, x: Tensor, t: int, **_: Any) -> Any:
        self.told.append(t)
        return type("Out", (), {"sample": torch.zeros_like(x)})


@pytest.mark.slow
@torch.no_grad()
def test_an_inversion_of_999_steps_goes_through_every_timestep(pipe: Any) -> None:
    """pnp-diffusers up to the first of the edit, 981; the authors from 0 to 999 and back to it."""
    abar, z = pipe.scheduler.alphas_cumprod, latents()
    for denoised, told, top in (
        (False, [*range(1, 982)], 981),
        (True, [*range(999), *range(999, 1, -1)], 999),
    ):
        net = Silent()
        holder = type("P", (), {"unet": net, "scheduler": pipe.scheduler, "device": pipe.device})()
        edit = plan(denoised, steps=50, inversion=1000)
        trace = inverted(holder, z, words(pipe).nothing, edit)
        assert net.told == told
        assert sorted(trace.at) == [*range(1, 982, 20)]
        # without noise predicted a latent is only scaled: sqrt(abar_t / abar_0)
        assert torch.allclose(trace.start, z * (abar[top] / abar[0]).sqrt(), atol=1e-6)
        assert torch.allclose(trace.at[41], z * (abar[41] / abar[0]).sqrt(), atol=1e-6)


@pytest.mark.parametrize("solver", [EulerDiscreteScheduler, PNDMScheduler, DDIMScheduler])
def test_a_folder_with_another_solver_is_edited_as_if_it_held_ddim(solver: Any) -> None:
    """DDIM's defaults in diffusers cut off at 1 what is no picture but a latent."""
    pipe = tiny_sd()
    expected = pipe.scheduler.alphas_cumprod
    noise = {key: pipe.scheduler.config[key] for key in ("beta_start", "beta_end", "beta_schedule")}
    pipe.scheduler = solver(**noise)
    found = scheduler_of(pipe, 50)
    assert [int(t) for t in found.timesteps] == [*range(981, 0, -20)]
    assert (found.config.clip_sample, float(found.final_alpha_cumprod)) == (False, expected[0])
    assert torch.equal(found.alphas_cumprod, expected)


@torch.no_grad()
@pytest.mark.parametrize(
    "prediction", ["epsilon", pytest.param("v_prediction", marks=pytest.mark.slow)]
)
def test_without_injection_it_is_diffusers_own_edit_of_the_inverted_latents(
    prediction: str,
) -> None:
    """Largest difference below 1e-5 of the largest latent, for both kinds of prediction."""
    pipe = tiny_sd(prediction)
    told = words(pipe)
    edit = plan(False, steps=STEPS, inversion=STEPS, feature_steps=0, attention_steps=0)
    trace = inverted(pipe, latents(), told.nothing, edit)
    theirs = pipe(
        [PROMPT] * 2,
        negative_prompt=[CAPTION] * 2,
        latents=trace.start.clone(),
        num_inference_steps=STEPS,
        guidance_scale=7.5,
        output_type="latent",
    ).images
    found = injected(pipe, trace, told, edit)
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
        edit = plan(False, steps=steps, inversion=steps, guidance=1.0)
        edit = edit._replace(feature_steps=steps, attention_steps=steps)
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
    config = PlugAndPlayConfig(**{"steps": 2, "inversion": 2, **settings})
    made = method.make([*requests], backend, config)
    return [one.video if isinstance(one, Made) else one for one in made]  # type: ignore[misc]


@pytest.fixture
def backend(folder: Path) -> Any:
    found = open_backend(f"{folder}@64x64")
    assert isinstance(found, Pictures)
    return found


@pytest.mark.slow
def test_frames_do_not_depend_on_how_many_share_a_batch(backend: Any) -> None:
    """At most one level of 255 apart: sums of other batches are rounded otherwise."""
    calls: list[str] = []
    single = request()
    single.progress = calls.append
    (four,) = make(backend, request())
    (one,) = make(backend, single, frame_batch=1)
    assert [text for text in calls if "inverting" in text][-1] == "inverting 9/9"  # steps x frames
    assert len({text for text in calls}) == len(calls)
    assert four.frames.shape == (3, 64, 64, 3)
    assert np.abs(four.frames.astype(int) - one.frames).max() <= 1
    assert four.fps == request().source.fps


@pytest.mark.slow
def test_prompts_of_a_video_share_its_inversion_and_nothing_else(backend: Any) -> None:
    calls: list[str] = []
    pair = [request(), request("a fox", "other")]
    pair[0].progress = calls.append
    both = make(backend, *pair)
    alone = [make(backend, one)[0] for one in (request(), request("a fox", "other"))]
    for one, other in zip(both, alone, strict=True):
        assert np.array_equal(one.frames, other.frames)
    assert not np.array_equal(both[0].frames, both[1].frames)
    inversion = [text for text in calls if text.startswith("inverting")]
    assert len(set(inversion)) == len(inversion)
    assert calls[-1] == "denoising 12/12"  # 2 steps, 3 frames, 2 prompts


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


@torch.no_grad()
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupt_leaves_the_network_as_it_was(error: type[BaseException]) -> None:
    """Raised inside the network, after layers have been injected; it then computes the same."""
    pipe, z = short_sd(), latents(size=8)
    told, edit = words(pipe), plan(True)
    trace = Trace(z, dict.fromkeys((1, 6, 11, 16), z))
    before = injected(pipe, trace, told, edit)

    def interrupt(*_: Any) -> None:
        assert feature_layer(pipe.unet)._forward_hooks
        raise error

    hook = pipe.unet.conv_out.register_forward_pre_hook(interrupt)
    with pytest.raises(error):
        injected(pipe, trace, told, edit)
    hook.remove()
    assert not any(module._forward_hooks for module in pipe.unet.modules())
    assert torch.equal(injected(pipe, trace, told, edit), before)


@torch.no_grad()
def test_a_picture_is_edited_alone_as_among_others(pipe: Any) -> None:
    """Largest difference below 1e-5 of the largest latent."""
    z, told, edit = latents(size=8), words(pipe), plan(True, inversion=4)
    both, alone = (
        injected(pipe, inverted(pipe, part, told.nothing, edit), told, edit) for part in (z, z[1:])
    )
    assert (both[1:] - alone).abs().max() < 1e-5 * both.abs().max()


def test_the_features_are_those_before_the_shortcut(pipe: Any) -> None:
    assert feature_layer(pipe.unet) is pipe.unet.up_blocks[1].resnets[1].conv2


def test_fused_projections_and_other_networks_are_one_line() -> None:
    fused = tiny_sd()
    fused.unet.fuse_qkv_projections()
    edit = plan(True)
    with pytest.raises(UserError, match="unfuse_qkv_projections"):
        injected(fused, Trace(latents(), {}), words(fused), edit)
    fused.unet = nn.Linear(1, 1)
    with pytest.raises(UserError, match="up blocks of Stable Diffusion 1 or 2"):
        injected(fused, Trace(latents(), {}), words(tiny_sd()), edit)


@pytest.mark.parametrize("method", ["dreamix", "sdedit", "text-to-video", "subject", "animate"])
def test_an_image_model_runs_nothing_that_needs_motion(backend: Any, method: str) -> None:
    found = METHODS.get(method)
    with pytest.raises(UserError, match=f"{method} does not run on backend .* has no (video|fine)"):
        found.make([request()], backend, found.config())


@pytest.mark.parametrize(
    ("suffix", "says"),
    [("@100x64", "multiples of 64"), ("@64x64x8", "edits every frame there is: leave x8 out")],
)
def test_a_size_that_it_does_not_take_is_one_line(folder: Path, suffix: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        open_backend(f"{folder}{suffix}")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"refine": 1}, "refine and top are settings of the embedded model"),
        ({"source": "saved"}, "source is inverted or denoised, not 'saved'"),
        ({"frame_batch": 0}, "frame_batch is 1 or more, not 0"),
        ({"inversion": 0}, "inversion is 1 or more, not 0"),
        ({"steps": 1000}, "takes up to 999 steps, not 1000"),
    ],
)
def test_a_setting_that_means_nothing_here_is_one_line(
    backend: Any, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        make(backend, request(), **{"steps": 2, "inversion": 2, **settings})


def test_settings_of_image_models_are_said_to_be_so() -> None:
    with pytest.raises(UserError, match="source and frame_batch are settings of image models"):
        make(open_backend("toybox"), request("a red ball bouncing in a meadow"), frame_batch=2)


def test_new_settings_leave_the_configurations_of_finished_runs_alone() -> None:
    """The hash that runs made before `source` and `frame_batch` have in their run.json."""
    assert config_hash(PlugAndPlayConfig()) == "eb5b4650930a"
    assert config_hash(PlugAndPlayConfig(frame_batch=4)) != "eb5b4650930a"


def test_frames_have_the_area_that_the_network_was_trained_at(folder: Path) -> None:
    """768x768, as 2.1's: its latents have sides of 96, an eighth."""
    model = open_backend(str(folder))
    assert isinstance(model, Pictures)
    model.pipe.unet.register_to_config(sample_size=96 * 8 // model.pipe.vae_scale_factor)
    assert model._shape(moving_clip(1, 64)) == (768, 768)


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
    assert run.info.methods["plug-and-play"].config["steps"] == 2
