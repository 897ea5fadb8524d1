"""Baseline: the clip is generated from the prompt alone. Dreamix with s = 1 and no finetuning."""

from dataclasses import dataclass

from dreamix.backends.base import VideoModel
from dreamix.core.config import added
from dreamix.diffusion.settings import Denoising
from dreamix.methods.base import EditRequest, Made, denoised, method


@dataclass(frozen=True)
class TextToVideoConfig:
    """Settings of text-to-video: steps, guidance, eta (0 DDIM, 1 ancestral), as of `dreamix`."""

    steps: int = 25
    guidance: float = 4.0
    eta: float = 0.0
    guidance_2: float | None = added(None)


@method("text-to-video", config=TextToVideoConfig, needs={"video"}, reads={"prompt"}, together=True)
def text_to_video(
    requests: list[EditRequest], model: VideoModel, config: TextToVideoConfig
) -> list[Made]:
    """Returns what the base model generates from the prompt; the source gives its length only."""
    second = config.guidance_2
    how = Denoising(1.0, config.steps, config.guidance, config.eta, guidance_2=second)
    model.check_denoising(how)
    return denoised(requests, model, how)
