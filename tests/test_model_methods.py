"""Methods that need a model, end to end on a cascade of random weights."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_cascade import save_tiny, state_of

from dreamix.core.config import config_from_text
from dreamix.core.errors import UserError
from dreamix.core.video import Video
from dreamix.data.suite_entries import CATEGORIES
from dreamix.methods.base import METHODS, Edited, EditRequest, Made
from dreamix.methods.dreamix import PRESETS, DreamixConfig, chosen
from dreamix.methods.plug_and_play import PlugAndPlayConfig, guide
from dreamix.single_edit import edit_of, request_for, scene_source
from dreamix.toybox.cascade import backend
from dreamix.toybox.cascade.backend import Toybox
from dreamix.toybox.cascade.files import load_networks
from dreamix.toybox.cascade.superres import enlarge

CAPTION = "a red ball bouncing in a meadow"
PROMPT = "a blue ball bouncing in a meadow"
QUICK = {
    "dreamix": "steps=2:finetune_steps=1:frames=1",
    "text-to-video": "steps=2",
    "sdedit": "steps=2",
    "ddim-inversion": "steps=2",
    "plug-and-play": "steps=2:inversion=1",
    "tune-a-video": "steps=2:finetune_steps=1",
    "animate": "steps=2:finetune_steps=1:frames=1",
    "subject": "steps=2:finetune_steps=1:frames=1",
}
SEEDED = ("dreamix", "text-to-video", "sdedit", "animate", "subject")


@pytest.fixture(scope="module")
def toybox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toybox]:
    """A cascade whose super-resolution stage takes one step: eight would say no more here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "enlarge", partial(enlarge, steps=1))
        yield Toybox("toybox", save_tiny(tmp_path_factory.mktemp("cascade")), None)


def asked(seed: int = 0, prompt: str = PROMPT, scene: int = 5, name: str = "edit") -> EditRequest:
    source = scene_source(CAPTION, scene, "toybox")
    edit = replace(edit_of(source, prompt, "appearance", print), id=name)
    return request_for(source, edit, seed, "x")


def make(name: str, toybox: Toybox, settings: str | None = None, **request: Any) -> Made:
    found = METHODS.get(name)
    config = config_from_text(found.config, settings or QUICK[name], name)
    (made,) = found.make([asked(**request)], toybox, config)
    return made if isinstance(made, Made) else Made(made, {})


def pixels(made: Edited) -> np.ndarray:
    video = made.video if isinstance(made, Made) else made
    assert isinstance(video, Video)
    return video.frames


def test_every_method_with_a_model_is_tested_here() -> None:
    assert {n for n in METHODS.names() if METHODS.get(n).backend} - {"fake"} == {*QUICK}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_method_repeats_and_leaves_the_models_as_found(name: str, toybox: Toybox) -> None:
    """Made twice, by the backend and by a new one, in between another edit."""
    networks = load_networks(toybox.folder)
    assert toybox.model.unet is networks.unet
    before = [state_of(network) for network in networks]
    first = pixels(make(name, toybox))
    assert first.shape == (16, 96, 160, 3)
    assert first.dtype == np.uint8
    other = pixels(make(name, toybox, prompt="a red star spinning on a beach"))
    assert not np.array_equal(first, other)
    assert [state_of(network) for network in networks] == before
    anew = Toybox("toybox", toybox.folder, None)
    assert np.array_equal(first, pixels(make(name, anew)))


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_is_another_edit(name: str, toybox: Toybox) -> None:
    found = METHODS.get(name)
    assert found.seeded(found.config())
    assert not np.array_equal(pixels(make(name, toybox)), pixels(make(name, toybox, seed=1)))


@pytest.mark.slow
@pytest.mark.parametrize("eta", [0, 1])
def test_level_1_without_finetuning_is_text_to_video_to_the_byte(eta: int, toybox: Toybox) -> None:
    settings = f"noise=1:ablation=no-finetune:steps=2:eta={eta}"
    plain = pixels(make("text-to-video", toybox, f"steps=2:eta={eta}"))
    assert np.array_equal(pixels(make("dreamix", toybox, settings)), plain)
    elsewhere = pixels(make("dreamix", toybox, settings, scene=6))
    assert np.array_equal(elsewhere, plain), "the source leaves no trace"


def test_level_0_of_sdedit_is_the_source(toybox: Toybox) -> None:
    made = make("sdedit", toybox, "noise=0:steps=2")
    assert np.array_equal(pixels(made), asked().source.frames)


@pytest.mark.slow
def test_facts_say_level_step_and_finetuning(toybox: Toybox) -> None:
    """A preset's level of 0.8 is step 800 of the network's 1000; weights that are there cost 0."""
    anew = Toybox("toybox", toybox.folder, None)
    settings = QUICK["dreamix"] + ":noise=0.8"
    first, again = (make("dreamix", anew, settings).facts for _ in range(2))
    assert (first["noise_level"], first["start_step"]) == (0.8, 800)
    assert first["finetune_seconds"] > 0
    assert again["finetune_seconds"] == 0
    assert make("dreamix", anew, "steps=2:finetune_steps=0").facts["finetune_seconds"] == 0
    assert make("sdedit", anew, "noise=0.5:steps=2").facts == {
        "noise_level": 0.5,
        "start_step": 500,
    }
    assert make("tune-a-video", anew).facts["finetune_seconds"] > 0


@pytest.mark.slow
def test_edits_of_one_clip_share_its_finetuning(toybox: Toybox) -> None:
    anew = Toybox("toybox", toybox.folder, None)
    make("dreamix", anew)
    made = make("dreamix", anew, prompt="a red star spinning on a beach", seed=3)
    assert made.facts["finetune_seconds"] == 0
    assert len(anew._held) == 1


def test_the_rare_token_reaches_the_prompt(toybox: Toybox) -> None:
    settings = "steps=2:finetune_steps=0:rare_token="
    plain, rare = (pixels(make("dreamix", toybox, settings + switch)) for switch in ("no", "yes"))
    assert not np.array_equal(plain, rare)


def test_every_category_has_a_preset() -> None:
    assert {*PRESETS} == {*CATEGORIES}


def test_ablations_change_a_preset_in_one_thing() -> None:
    """And what is told by hand stands above the preset."""
    whole = chosen(DreamixConfig(), "motion")
    assert whole == PRESETS["motion"]
    assert chosen(DreamixConfig("no-finetune"), "motion") == whole._replace(finetune_steps=0)
    assert chosen(DreamixConfig("video-only"), "motion") == whole._replace(alpha=1.0)
    assert chosen(DreamixConfig("frames-only"), "motion") == whole._replace(alpha=0.0)
    by_hand = replace(DreamixConfig(), noise=0.0, finetune_steps=0, alpha=0.0)
    assert chosen(by_hand, "motion") == (0.0, 0, 0.0)


def test_guidance_of_plug_and_play_is_what_was_asked_the_presets_or_the_backends() -> None:
    """10 and 7.5 are the public implementations'; 2 suits the embedded model."""
    stranger: Any = SimpleNamespace(presets={})
    ours: Any = SimpleNamespace(presets={"plug-and-play": "toybox"})
    assert guide(PlugAndPlayConfig(), stranger).weight == 10
    assert guide(PlugAndPlayConfig(), ours).weight == 2
    assert guide(PlugAndPlayConfig("official"), ours).weight == 10
    constant = guide(PlugAndPlayConfig("pnp-diffusers", guidance=3), ours)
    assert (constant.weight, constant.negative(0.0), constant.negative(1.0)) == (3, 1, 1)
    assert [guide(PlugAndPlayConfig(), ours).negative(share) for share in (0, 0.5, 1)] == [
        0,
        0.5,
        1,
    ]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("dreamix", "ablation=mixd", "no ablation 'mixd', did you mean mixed.* \\(known: mixed, "),
        ("dreamix", "ablation=video-only:alpha=0.5", "video-only sets alpha itself"),
        ("dreamix", "noise=1.5:finetune_steps=0", "between 0 and 1, not 1.5"),
        ("dreamix", "alpha=2", "in 0..1, not 2"),
        ("dreamix", "steps=0:finetune_steps=0", "at least one step"),
        ("plug-and-play", "preset=offical", "no preset 'offical', did you mean official"),
        ("plug-and-play", "inversion=0", "inversion is 1 or more, not 0"),
        ("ddim-inversion", "top=0", "above 0"),
        ("sdedit", "noise=-1", "not -1"),
    ],
)
def test_a_setting_that_means_nothing_is_one_line(
    name: str, settings: str, said: str, toybox: Toybox
) -> None:
    with pytest.raises(UserError, match=said) as raised:
        make(name, toybox, settings)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_prompts_made_together_are_the_prompts_made_alone(
    name: str, toybox: Toybox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the byte, on one thread, as the runner has it: batches are for speed alone."""
    monkeypatch.setattr(toybox, "cache", None)
    found = METHODS.get(name)
    config = config_from_text(found.config, QUICK[name], name)
    prompts = {"a": PROMPT, "b": "a red star bouncing in a meadow", "c": f"{CAPTION}, in pencil"}
    requests = [asked(prompt=prompt, name=key) for key, prompt in prompts.items()]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        together = found.make(requests, toybox, config)
        alone = [found.make([request], toybox, config)[0] for request in requests]
    finally:
        torch.set_num_threads(threads)
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(pixels(one), pixels(other))
    assert not np.array_equal(pixels(together[0]), pixels(together[1]))


@pytest.mark.parametrize("name", QUICK)
def test_an_unknown_word_is_said_before_any_work(name: str, toybox: Toybox) -> None:
    """Finetuning and inversion take minutes: the prompt is read before them."""
    told: list[str] = []
    request = asked(prompt="a blue unicorn")
    request.progress = told.append
    found = METHODS.get(name)
    with pytest.raises(UserError, match="does not know 'unicorn'"):
        found.make([request], toybox, found.config())
    assert told == []
