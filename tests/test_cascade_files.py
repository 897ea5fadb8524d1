"""The embedded cascade's words and its folder: what goes in comes out, what is wrong is said."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from tiny_cascade import save_tiny, tiny_base, tiny_encoder, tiny_superres

from dreamix.core.errors import UserError
from dreamix.toybox.cascade.files import identity, load_networks, save_part
from dreamix.toybox.cascade.text import LENGTH, RARE, WIDTH, WORDS, encode, tokenize
from dreamix.toybox.world import VOCABULARY

PROMPT = "a red ball bouncing in a meadow, in the rain, pencil sketch style, camera zooming in"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("cascade"))


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(whole, tmp_path / "cascade"))


def read_back(numbers: list[int]) -> list[str]:
    return [WORDS[number] for number in numbers if number]


def test_tokens_are_start_words_end_padding() -> None:
    (numbers,) = tokenize(["A red ball, bouncing in a meadow."]).tolist()
    words = ["a", "red", "ball", "bouncing", "in", "a", "meadow"]
    assert read_back(numbers) == ["<start>", *words, "<end>"]
    assert numbers[len(words) + 2 :] == [0] * (LENGTH - len(words) - 2)
    assert read_back(tokenize([""])[0].tolist()) == ["<start>", "<end>"]


def test_every_word_of_the_grammar_and_the_rare_token_are_known() -> None:
    assert len(set(WORDS)) == len(WORDS)
    assert {*VOCABULARY, RARE} < {*WORDS}
    assert RARE not in VOCABULARY
    assert read_back(tokenize([f"{RARE} {PROMPT}"])[0].tolist())[1] == RARE


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("a red unicorn", "does not know 'unicorn'"),
        ("a mauve ball glowing", "does not know 'mauve', 'glowing'"),
        ("a red bal bouncing", "'bal', did you mean ball"),
        ("<pad> red ball", "does not know '<pad>'"),
        (" ".join(["red"] * (LENGTH - 1)), f"has {LENGTH - 1} words, .* reads {LENGTH - 2}"),
    ],
)
def test_what_it_cannot_read_is_one_line(prompt: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        tokenize(["a red ball", prompt])
    assert "\n" not in str(raised.value)


@torch.no_grad()
def test_the_pooled_vector_is_that_of_the_end_and_ignores_the_padding() -> None:
    """Attention is causal, so what follows the end is not seen; of "" it is position 1."""
    encoder = tiny_encoder()
    tokens = tokenize([PROMPT, "", "a red ball"])
    states, pooled = encode(encoder, tokens)
    assert states.shape == (3, LENGTH, WIDTH)
    ends = (tokens == WORDS.index("<end>")).int().argmax(1)
    assert ends.tolist() == [len(PROMPT.split()) + 1, 1, 4]
    assert torch.equal(pooled, states[torch.arange(3), ends])
    other = tokens.masked_fill(tokens == 0, WORDS.index("red"))
    torch.testing.assert_close(encode(encoder, other)[1], pooled, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_cascade_comes_back_in_half_precision(whole: Path) -> None:
    """Single precision again, with the values that half precision holds."""
    loaded = load_networks(whole)
    for found, made in zip(loaded, (tiny_encoder(), tiny_base(), tiny_superres()), strict=True):
        assert not found.training
        expected = made.state_dict()
        for name, value in found.state_dict().items():
            assert value.dtype == expected[name].dtype
            kept = expected[name].half().float() if value.is_floating_point() else expected[name]
            assert torch.equal(value, kept), name


def test_reading_and_writing_are_silent(
    whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """transformers would draw a progress bar into the output of `dreamix edit`."""
    load_networks.cache_clear()
    load_networks(whole)
    save_part("text_encoder", tiny_encoder(), tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_saving_leaves_the_network_as_it_is(tmp_path: Path) -> None:
    unet = tiny_base()
    save_part("unet", unet, tmp_path)
    before = tiny_base().state_dict()
    assert all(torch.equal(value, before[name]) for name, value in unet.state_dict().items())


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ("unet", "lacks unet "),
        ("unet/config.json", "lacks unet "),
        ("super_resolution/diffusion_pytorch_model.safetensors", "lacks super_resolution "),
        ("tokenizer/words.json", "lacks tokenizer "),
    ],
)
def test_a_missing_part_is_named(folder: Path, lost: str, said: str) -> None:
    """By what reads the weights and by what only names them."""
    path = folder / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    for read in (load_networks, identity):
        with pytest.raises(UserError, match=f"is no Toybox cascade: it {said}"):
            read(folder)


def test_another_vocabulary_is_refused(folder: Path) -> None:
    """Words in another order would each mean another."""
    words = json.loads((folder / "tokenizer" / "words.json").read_text())
    (folder / "tokenizer" / "words.json").write_text(json.dumps(words[::-1]))
    with pytest.raises(UserError, match="another vocabulary"):
        load_networks(folder)


def test_identity_is_that_of_the_weights(whole: Path, folder: Path) -> None:
    assert identity(folder) == identity(whole)
    save_part("super_resolution", tiny_superres(seed=1), folder)
    assert identity(folder) != identity(whole)
