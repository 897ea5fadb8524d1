"""ModelScope's text-to-video model and zeroscope: a U-Net with separate spatial and temporal layers.

diffusers keeps their pipelines as deprecated since 0.33.1; they still load and run.
"""  # noqa: E501

from collections.abc import Sequence
from typing import ClassVar

from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from dreamix.backends.family import Defaults, Generators
from dreamix.backends.names import Pretrained, Weights
from dreamix.backends.picture_latents import PictureLatents
from dreamix.diffusion.masking import as_clips

ZEROSCOPE = Pretrained(Weights("cerspense/zeroscope_v2_576w"), size=(576, 320, 24))


class UNet3D(PictureLatents):
    """UNet3DConditionModel: spatial layers frame by frame, temporal attention and convolution."""

    name = "ModelScope"
    pipelines = ("TextToVideoSDPipeline", "VideoToVideoSDPipeline")
    masking = (
        "exact: temporal attention sees the frame alone (the fixed diagonal mask), the residual of "
        "temporal convolutions is dropped, temporal weights get no gradient"
    )
    departs = "nothing in the masking; only low-rank adapters are trained unless rank=None"
    lora: ClassVar = {
        "all": r".*\.to_(q|k|v|out\.0)",
        "spatial": r"(?!transformer_in\.|.*\.temp_attentions\.).*\.to_(q|k|v|out\.0)",
        "temporal": r"(transformer_in|.*\.temp_attentions)\..*\.to_(q|k|v|out\.0)",
    }
    defaults = Defaults(steps=50, guidance=9.0, height=256, width=256, frames=16)
    pretrained: ClassVar = {
        "modelscope": Pretrained(Weights("damo-vilab/text-to-video-ms-1.7b")),
        "zeroscope": ZEROSCOPE,
    }

    def predict(self, z: Tensor, timesteps: Tensor, told: Tensor) -> Tensor:
        """Return the network's prediction, noise or velocity as its scheduler says."""
        prediction: Tensor = self.pipe.unet(
            z.to(self.dtype), timesteps, encoder_hidden_states=told, return_dict=False
        )[0]
        return prediction

    def laid_out(self, z: Tensor) -> Tensor:
        """Return latents as they come: its own pipeline keeps the autoencoder's memory layout."""
        return z

    def draw(self, shape: Sequence[int], generator: Generators) -> Tensor:
        """Return standard normal noise, drawn frame by frame."""
        batch, channels, frames, height, width = shape
        if isinstance(generator, list):
            drawn = (batch, frames, channels, height, width)
            return randn_tensor(drawn, generator, self.device, self.dtype).transpose(1, 2)
        pictures = (batch * frames, channels, height, width)
        noise = randn_tensor(pictures, generator, self.device, self.dtype)
        return as_clips(noise[:, :, None], frames)
