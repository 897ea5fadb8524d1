"""AnimateDiff: Stable Diffusion 1.5 with motion modules put between its layers."""

import logging
from collections.abc import Sequence
from typing import ClassVar

from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from dreamix.backends.family import Defaults, Generators
from dreamix.backends.names import Pretrained, Weights
from dreamix.backends.picture_latents import PictureLatents

log = logging.getLogger("dreamix")


class AnimateDiff(PictureLatents):
    """UNetMotionModel: an image model's layers frame by frame, motion modules across frames."""

    name = "AnimateDiff"
    pipelines = ("AnimateDiffPipeline", "AnimateDiffVideoToVideoPipeline")
    masking = (
        "motion modules are skipped whole, so that what is left is the image model on single "
        "frames; their weights get no gradient"
    )
    departs = (
        "the paper keeps temporal attention with a diagonal mask; here its value and feed-forward "
        "path is skipped as well, because the image model was trained without it"
    )
    lora: ClassVar = {
        "all": r".*\.to_(q|k|v|out\.0)",
        "spatial": r"(?!.*\.motion_modules\.).*\.to_(q|k|v|out\.0)",
        "temporal": r".*\.motion_modules\..*\.to_(q|k|v|out\.0)",
    }
    defaults = Defaults(steps=50, guidance=7.5, height=512, width=512, frames=16)
    pretrained: ClassVar = {
        "animatediff": Pretrained(
            Weights(
                "stable-diffusion-v1-5/stable-diffusion-v1-5",
                motion="guoyww/animatediff-motion-adapter-v1-5-3",
            )
        )
    }

    def __init__(self, pipe: object) -> None:
        super().__init__(pipe)
        config = self.pipe.scheduler.config
        betas, clips = config.get("beta_schedule", "linear"), config.get("clip_sample", False)
        if betas != "linear" or clips:
            log.warning(
                "AnimateDiff's motion modules were trained on linear betas without clipping, this "
                "scheduler has %s betas%s: pipe.scheduler = DDIMScheduler.from_config("
                'pipe.scheduler.config, beta_schedule="linear", clip_sample=False)',
                *(betas, " and clips" if clips else ""),
            )

    @property
    def most_frames(self) -> int:
        """As many as the motion modules have places for."""
        return int(self.pipe.unet.config.motion_max_seq_length)

    def predict(self, z: Tensor, timesteps: Tensor, told: Tensor) -> Tensor:
        """Return the network's prediction; every frame is told the prompt."""
        words = told.repeat_interleave(z.shape[2], dim=0)
        prediction: Tensor = self.pipe.unet(
            z.to(self.dtype), timesteps, encoder_hidden_states=words, return_dict=False
        )[0]
        return prediction

    def draw(self, shape: Sequence[int], generator: Generators) -> Tensor:
        """Return standard normal noise, drawn frame by frame."""
        batch, channels, frames, height, width = shape
        drawn = (batch, frames, channels, height, width)
        return randn_tensor(drawn, generator, self.device, self.dtype).transpose(1, 2)
