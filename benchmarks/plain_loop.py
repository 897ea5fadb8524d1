"""The loop a careful user writes today: metric by metric, clip by clip, libraries as in READMEs.

Every function reads both clips from disk and computes one metric. Models are loaded once and the
frames of one clip go through them as one batch; both are kinder than most published evaluators.
Values are not kept: this measures time.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from dreamix.core.media import read_video
from evaluation.run.folder import RunFolder
from evaluation.score.plan import choose_metrics
from evaluation.settings import ModelSettings

Frames = np.ndarray  # uint8 (frames, height, width, 3)
Metric = Callable[[Frames, Frames, str, str], Any]  # source, edit, prompt, caption


def plain_scores(run_path: Path, clip: str, metrics: list[str]) -> None:
    """Compute every one of `metrics` for every clip of a run."""
    run = RunFolder(run_path)
    loop = plain_metrics(clip)
    missing = [name for name in metrics if name not in loop and name not in NOT_ON_FOOTAGE]
    assert not missing, f"the plain loop lacks {missing}"
    for name in metrics:
        for source, edited, prompt, caption in clips(run, name, clip) if name in loop else ():
            loop[name](source, edited, prompt, caption)


NOT_ON_FOOTAGE = {"ideal_gain", "ideal_psnr", "warp_error.true_flow"} | {
    f"{name}.masked" for name in ("lpips", "psnr", "ssim")
}


def clips(run: RunFolder, metric: str, clip: str) -> Iterator[tuple[Frames, Frames, str, str]]:
    """Yield what a metric is computed on: edits of the categories it is meant for."""
    from evaluation.metrics.base import METRICS

    assert choose_metrics([metric], ModelSettings(clip=clip), "auto").definitions
    for cell in run.cells():
        edit, row = run.suite.edit(cell.edit), run.clip_row(cell)
        if row and row.status == "ok" and edit.category not in METRICS.get(metric).not_for:
            source = read_video(run.source(edit.video)).frames
            edited = read_video(run.clip_path(row)).frames
            yield source, edited, edit.prompt, str(run.suite.videos[edit.video].caption)


def plain_metrics(clip: str) -> dict[str, Metric]:
    """Return the metrics, with their models loaded."""
    clip_ = OpenClip(clip)
    conse = Conse()
    lpips_ = make_lpips()
    brisque_ = make_brisque()
    return {
        "clip_t": lambda x, y, p, c: clip_.images(y) @ clip_.text(p),
        "clip_t_gain": lambda x, y, p, c: (
            (clip_.images(y) @ clip_.text(p)).mean() - (clip_.images(x) @ clip_.text(p)).mean()
        ),
        "clip_dir": lambda x, y, p, c: (
            (clip_.images(y) - clip_.images(x)) @ (clip_.text(p) - clip_.text(c))
        ),
        "frame_acc": lambda x, y, p, c: clip_.images(y) @ (clip_.text(p) - clip_.text(c)),
        "clip_i": lambda x, y, p, c: (clip_.images(x) * clip_.images(y)).sum(1),
        "clip_i_set": lambda x, y, p, c: clip_.images(x) @ clip_.images(y).T,
        "clip_f": lambda x, y, p, c: consecutive(clip_.images(y)),
        "clip_f.all_pairs": lambda x, y, p, c: clip_.images(y) @ clip_.images(y).T,
        "clip_f.vbench": lambda x, y, p, c: consecutive(clip_.images(y)),
        "clip_f.first": lambda x, y, p, c: clip_.images(y) @ clip_.images(y)[0],
        "clip_f.unprojected": lambda x, y, p, c: consecutive(clip_.images(y)),
        "conse_t": lambda x, y, p, c: conse.images(y) @ conse.text(p),
        "lpips": lambda x, y, p, c: lpips_(tensor(x), tensor(y)),
        "psnr": lambda x, y, p, c: [cv2.PSNR(a, b) for a, b in zip(x, y, strict=True)],
        "ssim": ssim,
        "brisque": lambda x, y, p, c: [brisque_.score(frame) for frame in y],
        "flicker": lambda x, y, p, c: np.abs(np.diff(y.astype(np.float32), axis=0)).mean(),
        "sharpness": lambda x, y, p, c: [tenengrad(frame) for frame in y],
        "motion_mag": lambda x, y, p, c: magnitude(flows(y)),
        "motion_ratio": lambda x, y, p, c: magnitude(flows(y)) / magnitude(flows(x)),
        "motion_fidelity": lambda x, y, p, c: cosines(flows(x), flows(y)),
        "warp_error.self_flow": lambda x, y, p, c: warp_error(y, flows(y), flows(y[::-1])),
        "warp_error.source_flow": lambda x, y, p, c: warp_error(y, flows(x), flows(x[::-1])),
    }


class OpenClip:
    """open_clip as its README shows it."""

    def __init__(self, clip: str) -> None:
        import open_clip

        name, _, path = clip.partition(":")
        self.model, _, self.preprocess = open_clip.create_model_and_transforms(
            name, pretrained=path
        )
        self.model.eval()
        self.tokenizer = open_clip.get_tokenizer(name)

    def images(self, frames: Frames) -> np.ndarray:
        """Return unit-norm (frames, dimensions)."""
        batch = torch.stack([self.preprocess(Image.fromarray(frame)) for frame in frames])
        with torch.no_grad():
            found = self.model.encode_image(batch)
        return (found / found.norm(dim=-1, keepdim=True)).numpy()

    def text(self, text: str) -> np.ndarray:
        """Return unit-norm (dimensions,)."""
        with torch.no_grad():
            found = self.model.encode_text(self.tokenizer([text]))[0]
        return (found / found.norm()).numpy()


class Conse:
    """EfficientNet-Lite0 and MiniLM from their packages, by this toolkit's loader."""

    def __init__(self) -> None:
        from evaluation.features.conse import load

        self.model = load(ModelSettings())

    def images(self, frames: Frames) -> np.ndarray:
        """Return (frames, dimensions)."""
        return self.model.images(self.model.prepare(frames))["projected"]

    def text(self, text: str) -> np.ndarray:
        """Return (dimensions,)."""
        return self.model.texts([text])[0]


def make_lpips() -> Callable[[torch.Tensor, torch.Tensor], Any]:
    """Return LPIPS of the package; its trunk is random here, which costs the same time."""
    import lpips

    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()

    def distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return network(x, y)

    return distance


def make_brisque() -> Any:
    """Return the scorer of the package brisque 0.2.0, mended for numpy 2.4."""
    from brisque import BRISQUE

    class Mended(BRISQUE):
        def scale_features(self, features: Any) -> Any:
            return super().scale_features([np.asarray(x).item() for x in features])

    return Mended(url=False)


def tensor(frames: Frames) -> torch.Tensor:
    """Return float (frames, 3, height, width) in -1..1."""
    return torch.from_numpy(frames.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1


def ssim(x: Frames, y: Frames, prompt: str, caption: str) -> list[float]:
    """Return scikit-image's SSIM with Wang's window."""
    from skimage.metrics import structural_similarity

    how = {
        "channel_axis": 2,
        "gaussian_weights": True,
        "sigma": 1.5,
        "use_sample_covariance": False,
    }
    return [structural_similarity(a, b, **how) for a, b in zip(x, y, strict=True)]


def consecutive(embeddings: np.ndarray) -> np.ndarray:
    """Return the cosine of each frame and the next."""
    return (embeddings[:-1] * embeddings[1:]).sum(1)


def tenengrad(frame: np.ndarray) -> float:
    """Return the mean energy of Sobel gradients."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    gradients = [cv2.Sobel(grey, cv2.CV_32F, 1 - i, i) for i in range(2)]
    return float((gradients[0] ** 2 + gradients[1] ** 2).mean())


def flows(frames: Frames) -> np.ndarray:
    """Return DIS flow from each frame to the next."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    return np.stack([dis.calc(a, b, None) for a, b in itertools.pairwise(grey)])


def magnitude(flow: np.ndarray) -> float:
    """Return the mean length of the vectors."""
    return float(np.linalg.norm(flow, axis=-1).mean())


def cosines(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the cosine of two flows at each pixel."""
    lengths = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    return (x * y).sum(-1) / np.maximum(lengths, 1e-9)


def warp_error(frames: Frames, forward: np.ndarray, backward: np.ndarray) -> list[float]:
    """Return the masked squared error of frames warped along the flow (Lai et al.)."""
    height, width = frames.shape[1:3]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    errors = []
    for t, flow in enumerate(forward):
        target = grid + flow
        warped = cv2.remap(frames[t + 1], target, None, cv2.INTER_LINEAR)
        returned = cv2.remap(backward[-1 - t], target, None, cv2.INTER_LINEAR)
        seen = ((flow + returned) ** 2).sum(-1) <= 0.01 * (flow**2 + returned**2).sum(-1) + 0.5
        difference = (warped.astype(np.float32) - frames[t]) / 255
        errors.append(float((difference**2)[seen].mean()))
    return errors
