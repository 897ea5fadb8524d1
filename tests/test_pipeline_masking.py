"""The frame pass of pretrained families: what a frame sees, and which layers are trained."""

import pytest
import torch
from family_names import FIVE, SEPARABLE
from tiny_families import QUICK, SIDE, moving_clip, seeded, two_clips
from tiny_pipelines import TINY, quiet

from dreamix import DreamixPipeline
from dreamix.core.errors import UserError
from dreamix.diffusion.masking import temporal_parameters

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def dreamix(family: str) -> DreamixPipeline:
    torch.set_num_threads(1)
    return DreamixPipeline(quiet(TINY[family]()))


# -- the frame pass ----------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.check("frames alone")
@torch.no_grad()
def test_in_the_frame_pass_a_frame_does_not_see_another(dreamix: DreamixPipeline) -> None:
    """From pixels to prediction, to the bit: the autoencoder sees frames alone as well."""
    family = dreamix.family
    told = family.embed(["sks"], None).told.expand(4, -1, -1)
    timesteps = torch.full((4,), 300, device=family.device)
    one, two = (family.frame_clips(pixels) for pixels in two_clips())
    assert one.shape == (4, *family.latent_shape(1, SIDE, SIDE))
    with family.frame_pass():
        before, after = (family.predict(x, timesteps, told) for x in (one, two))
    assert torch.equal(before[:-1], after[:-1])
    assert not torch.equal(before[-1], after[-1])


@torch.no_grad()
def test_outside_of_it_every_frame_sees_the_others(dreamix: DreamixPipeline) -> None:
    """The claim above would be empty on a network that mixes no frames."""
    family = dreamix.family
    shape = (1, *family.latent_shape(9, SIDE, SIDE))
    x = torch.randn(shape, generator=seeded())
    other = x.clone()
    other[:, :, -1] += 1
    told = family.embed(["sks"], None).told
    before, after = (family.predict(z, torch.tensor([300]), told) for z in (x, other))
    changed = (before - after).abs().amax((0, 1, 3, 4))
    assert changed[0] > 0


@torch.no_grad()
@pytest.mark.parametrize("family", SEPARABLE)
def test_the_frame_pass_of_a_whole_clip_is_that_of_its_frames(family: str) -> None:
    """Masking a clip and masking its frames one by one are one thing."""
    whole = DreamixPipeline(quiet(TINY[family]())).family
    x = torch.randn((1, *whole.latent_shape(4, SIDE, SIDE)), generator=seeded())
    told, t = whole.embed(["sks"], None).told, torch.tensor([300])
    with whole.frame_pass():
        clip = whole.predict(x, t, told)
        frames = [whole.predict(x[:, :, i : i + 1], t, told) for i in range(4)]
    assert torch.allclose(clip, torch.cat(frames, 2), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("family", SEPARABLE)
@pytest.mark.parametrize("rank", [None, 4])
def test_frames_alone_give_temporal_weights_no_gradient(family: str, rank: int | None) -> None:
    """Separable networks: frames-only finetuning leaves temporal weights to the bit."""
    dreamix = DreamixPipeline(quiet(TINY[family]()))
    (network,) = dreamix.family.networks.values()
    before = [p.detach().clone() for p in temporal_parameters(network)]
    dreamix.finetune(moving_clip(3), alpha=0.0, **{**QUICK, "rank": rank})
    after = temporal_parameters(network)
    if rank is None:
        assert all(torch.equal(one, two) for one, two in zip(before, after, strict=True))
    else:
        names = {id(p): name for name, p in network.named_parameters()}
        up = [p for p in after if ".lora_B." in names[id(p)]]
        assert up
        assert not any(p.any() for p in up)


@pytest.mark.slow
@pytest.mark.parametrize("family", FIVE)
@pytest.mark.parametrize("train", ["spatial", "temporal"])
def test_the_choice_of_layers_is_kept_to(family: str, train: str) -> None:
    """Separable networks: adapters stand in the chosen layers only; so do trained weights."""
    dreamix = DreamixPipeline(quiet(TINY[family]()))
    if family not in SEPARABLE:
        with pytest.raises(UserError, match=f"finetunes all layers, not '{train}'"):
            dreamix.finetune(moving_clip(3), train=train, **QUICK)
        return
    (network,) = dreamix.family.networks.values()
    temporal = {id(p) for p in temporal_parameters(network)}
    before = {id(p): p.detach().clone() for p in network.parameters()}
    dreamix.finetune(moving_clip(3), train=train, **{**QUICK, "rank": None, "steps": 1})
    moved = {id(p) for p in network.parameters() if not torch.equal(p, before[id(p)])}
    assert moved
    assert moved <= temporal if train == "temporal" else not moved & temporal
    dreamix.finetune(moving_clip(3), train=train, **QUICK)
    adapted = {id(p) for name, p in network.named_parameters() if ".lora_" in name}
    inside = {id(p) for p in temporal_parameters(network)}
    assert adapted
    assert adapted <= inside if train == "temporal" else not adapted & inside
