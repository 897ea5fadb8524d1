"""What a training leaves: averaged weights of the right network, in half precision."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from dreamix.core.errors import UserError
from dreamix.toybox.training.loop import CHECKPOINT, LOG
from dreamix.toybox.training.trained import load_average, save_half


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A training of nn.Linear(2, 1) that was stopped before its first probe."""
    mean = [torch.tensor([[0.1, 2.0]]), torch.tensor([-1.0])]
    averages = {"count": 7, "means": [mean, [torch.zeros(1, 2), torch.zeros(1)]]}
    torch.save({"update": 7, "seconds": 90.0, "averages": averages}, tmp_path / CHECKPOINT)
    return tmp_path


def test_the_averaged_weights_are_written_in_half_precision(folder: Path) -> None:
    """0.1 to 11 bits is 1638 / 2^14; the network itself keeps the average as it was."""
    network = nn.Linear(2, 1)
    load_average(network, folder)
    save_half(network, folder / "half.safetensors")
    stored = load_file(folder / "half.safetensors")
    assert {name: w.dtype for name, w in stored.items()} == dict.fromkeys(
        ("weight", "bias"), torch.float16
    )
    assert stored["weight"].tolist() == [[1638 / 2**14, 2]] and stored["bias"].tolist() == [-1]
    assert torch.equal(network.weight, torch.tensor([[0.1, 2.0]]))


def test_it_says_how_far_the_training_was(folder: Path) -> None:
    assert load_average(nn.Linear(2, 1), folder) == {"updates": 7, "minutes": 1.5, "log": {}}
    (folder / LOG).write_text("update,loss\n3,0.5\n6,0.25\n")
    assert load_average(nn.Linear(2, 1), folder)["log"] == {"update": "6", "loss": "0.25"}


def test_a_checkpoint_of_another_network_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="another network"):
        load_average(nn.Linear(2, 1, bias=False), folder)
