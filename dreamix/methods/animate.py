"""Image to video: a still image is made a coarse clip by a moving camera, and that is edited.

    1. the first frame of the source, seen by a moving camera     data/camera
    2. Dreamix on that clip with frames-only finetuning           methods/dreamix, alpha = 0

Molad et al. 2023, section on applications; frames-only is what a review of the paper says of it.
How far the camera moves and every other number is ours.
"""

from dataclasses import dataclass

from dreamix.backends.base import VideoModel
from dreamix.core.config import added
from dreamix.core.video import Video
from dreamix.data.camera import moved
from dreamix.data.worlds import read
from dreamix.methods.base import EditRequest, Made, method
from dreamix.methods.dreamix import DreamixConfig, dreamix

FPS = 8  # of the coarse clip of a still that tells none
ASKED = "asked"  # the camera that the prompt asks for


@dataclass(frozen=True)
class AnimateConfig:
    """Settings of image-to-video; those that `dreamix` has mean the same here.

    camera: none, zoom-in, zoom-out, pan-left|right|up|down, turn-left|right, tilt-up|down; `asked`
            is the one that the prompt asks for, in a world's words, none for other prompts.
    amount: how far the camera gets: see dreamix/data/camera.py.
    fill:   what is beyond the picture's edge: replicate, reflect or white.
    """

    camera: str = ASKED
    amount: float = 0.3
    fill: str = "replicate"
    noise: float | None = None
    finetune_steps: int | None = None
    learning_rate: float = 1e-4
    frames: int = 8
    rare_token: bool = False
    steps: int = 25
    guidance: float = 4.0
    eta: float = 0.0
    guidance_2: float | None = added(None)

    @property
    def editing(self) -> DreamixConfig:
        """The settings of the editor."""
        names = ("noise", "finetune_steps", "learning_rate", "frames", "rare_token", "steps")
        kept = {name: getattr(self, name) for name in (*names, "guidance", "eta", "guidance_2")}
        return DreamixConfig(ablation="frames-only", **kept)


@method(
    "animate",
    config=AnimateConfig,
    needs={"video", "finetuning"},
    reads={"prompt"},
    together=True,
)
def animate(requests: list[EditRequest], model: VideoModel, config: AnimateConfig) -> list[Made]:
    """Returns the first frame set in motion: seen by a moving camera, then edited by Dreamix."""
    asked = [camera_of(request.prompt, config.camera) for request in requests]
    made: dict[tuple[str | int, ...], Made] = {}
    for camera in dict.fromkeys(asked):
        group = [r for r, own in zip(requests, asked, strict=True) if own == camera]
        clip = coarse(group[0].source, camera, config.amount, config.fill)
        coarser = [request.of(clip) for request in group]
        for request, (video, facts) in zip(
            group, dreamix(coarser, model, config.editing), strict=True
        ):
            made[request.names] = Made(video, {"camera": camera, **facts})
    return [made[request.names] for request in requests]


def camera_of(prompt: str, camera: str) -> str:
    """Return the camera, or the one that a prompt of a world asks for; others ask for none."""
    if camera != ASKED:
        return camera
    found = read(prompt)
    return found.world.camera(prompt) if found else "none"


def coarse(source: Video, camera: str, amount: float, fill: str) -> Video:
    """Return the first frame of a clip as a moving camera sees it, as long as the clip.

    A still (a clip of one frame) is shown at 8 fps for as long as it lasts.
    """
    count = len(source) if len(source) > 1 else max(1, round(source.duration * FPS))
    frames = moved(source.frames[0], camera, count, amount=amount, fill=fill)
    return Video(frames, count / source.duration)
