"""Fixtures that every test file can use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder of real test footage that does not belong to the project; skips where it is absent."""
    folder = Path(os.environ.get("DREAMIX_SHARED", ROOT.parent / "shared"))
    if not (folder / "realset" / "suite.yaml").exists():
        pytest.skip(f"no real footage at {folder} (set DREAMIX_SHARED to a folder that holds it)")
    return folder


TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """`--clip` of a CLIP with random weights, for whatever does not depend on what they know."""
    import json

    import numpy as np
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("tiny-clip")
    model = open_clip.CLIP(**TINY_CLIP)
    rng = np.random.default_rng(0)
    weights = {
        name: torch.from_numpy(rng.normal(0, 0.1, tuple(tensor.shape)).astype(np.float32))
        for name, tensor in model.state_dict().items()
    }
    save_file(weights, folder / "tiny.safetensors")
    (folder / "tiny.json").write_text(json.dumps(TINY_CLIP))
    return f"tiny:{folder / 'tiny.safetensors'}"
