"""The Toybox renderer: the same bits everywhere, and a picture that can be read and learned."""

import ast
import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dreamix.core.errors import UserError
from dreamix.toybox.world import VALUES, Scene, render, render_base, truth
from dreamix.toybox.world.effects import AIRS
from dreamix.toybox.world.fixedmath import block_sums, cosine, grain, sine
from dreamix.toybox.world.shapes import SHAPES

PLAIN = Scene("red", "star", "swinging", "meadow", seed=4)
# Together they hold every word of every field.
EVERY_WORD = [
    Scene.from_dict({field: words[i % len(words)] for field, words in VALUES.items()} | {"seed": i})
    for i in range(12)
]
GOLDEN = (
    "8003ff59de166754f3299ff6dd5480fed98f3243086730b5e47cb1556980e1a0",
    "8572ac0350bb542c729de3ce4b90a90d46befcb1de97950205d6a0a7d441f588",
    "7f5b9229a663a5ae46739babdd55e37fb2584b4fe96e998c3a490910d9f7a473",
    "1cc74b2abf35275484aa803e534a38cdcd32f5a1d9a6f21e9f8580962ad00769",
    "cabebb5a3a15cfb625c75ae33c5eea2e7a0c8074ea3dae8ed603bc4462a3a336",
    "aa044a15a328b90b3d1b9b1ad83c2919abadb6ee9c1e7377ab03222b5976d124",
    "bf1fd8e7697443c559c9ec355943678a1c431a143763352c3a52b23411bac5b0",
    "ae65582d733362fd68a8a5692663d40faa2c010401af68c0417455696dcee602",
    "f99f9618ac58c5449dd4889c9aa4143ff214083c920932be79d7f9af78725cf9",
    "29796d9cf500dbc87b2103da89a7a62c5a7186a047edbd80ea4deb8b3e04b981",
    "1052ec77f1d5b93ddfefdf027b9477ec88d96110a0547e5e8e6c609031defd33",
    "6f17e900c713427877c04c16b47473eddd87aa5a7892460f1f8671004fd3a0bc",
)


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def changed(scene: Scene, **fields: str) -> Scene:
    return Scene.from_dict({**scene.to_dict(), **fields})


def test_every_word_is_among_the_golden_scenes() -> None:
    for field, words in VALUES.items():
        assert {getattr(scene, field) for scene in EVERY_WORD} == set(words)


@pytest.mark.parametrize("i", range(12))
def test_golden_clips(i: int) -> None:
    """Made by this renderer with numpy 2.4.6 on x86-64; numpy 1.26.4 gives the same bytes.

    A new hash means new pictures: models trained on the old ones and published scores are void.
    """
    assert sha256(render(EVERY_WORD[i]).frames) == GOLDEN[i], EVERY_WORD[i]


CODE = """
import hashlib, sys
from dreamix.toybox.world import VALUES, Scene, render, truth
total = hashlib.sha256()
for i in range(12):
    words = {field: known[i % len(known)] for field, known in VALUES.items()}
    scene = Scene.from_dict(words | {"seed": i})
    total.update(render(scene).frames.tobytes())
    total.update(truth(scene, 4).flow_forward.tobytes())
print(total.hexdigest())
"""


@pytest.mark.slow
def test_vector_units_make_no_difference(root: Path) -> None:
    """Without AVX2, AVX512 or their kin numpy takes other code paths; the bits stay the same."""
    code = (
        "import numpy as np; core = np._core if hasattr(np, '_core') else np.core\n"
        "print(*core._multiarray_umath.__cpu_dispatch__)"
    )
    features = _run(code, root)
    plain = _run(CODE, root, NPY_DISABLE_CPU_FEATURES=features)
    assert plain == _run(CODE, root)


def _run(code: str, root: Path, **env: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, **env}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# Elementwise operations that IEEE 754 fixes to the last bit, integers, and moving data about.
EXACT = {
    *("arange", "array", "ascontiguousarray", "concatenate", "empty", "empty_like", "full"),
    *("stack", "where", "zeros", "zeros_like", "ndarray"),
    *("float32", "int16", "int32", "int64", "uint16", "uint32", "uint8"),
    *("floor", "maximum", "minimum", "multiply", "sqrt"),
}
NOT_RENDERER = {"__init__", "audit", "benchmark", "contract", "grammar", "sheet"}


def test_the_renderer_calls_only_what_is_exact(root: Path) -> None:
    """No sines, powers, float sums, matrix products: they differ between machines."""
    files = sorted((root / "dreamix" / "toybox" / "world").glob("*.py"))
    modules = {file.stem: file for file in files if file.stem not in NOT_RENDERER}
    assert {"renderer", "subject", "shapes", "fixedmath"} <= modules.keys()
    for module, file in modules.items():
        _check_exact(module, ast.parse(file.read_text()))


def _check_exact(module: str, tree: ast.Module) -> None:
    for node in ast.walk(tree):
        assert not isinstance(node, ast.MatMult | ast.Pow), f"{module}: ** or @"
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            assert owner != "np" or node.attr in EXACT, f"{module}: np.{node.attr}"
            assert owner != "math" or node.attr in {"floor", "ceil", "sqrt"}, (
                f"{module}: math.{node.attr}"
            )
            assert node.attr not in {"sum", "mean", "std", "prod", "dot", "cumsum"}, (
                f"{module}: {node.attr}"
            )
        if isinstance(node, ast.ImportFrom):
            assert str(node.module).split(".")[0] not in {"math", "numpy", "torch", "cv2", "PIL"}


def test_the_sine_is_a_sine() -> None:
    """Within 4e-6 of the C library's, as promised, for scalars and arrays alike."""
    turns = np.arange(-2000, 2000) / 777
    assert np.abs(sine(turns) - np.sin(2 * np.pi * turns)).max() < 4e-6
    assert np.abs(cosine(turns) - np.cos(2 * np.pi * turns)).max() < 4e-6
    assert [sine(float(turn)) for turn in turns] == list(sine(turns))
    assert (sine(0.0), sine(0.5)) == (0.0, 0.0)


def test_fine_texture_vanishes_from_the_base_grid() -> None:
    """Every 4x4 block of the grain sums to 0; multiples of 1/2048 add up without rounding."""
    noise = grain(96, 160)
    assert noise.std() > 0.3
    assert (block_sums(noise.reshape(24, 4, 40, 4)) == 0).all()


def test_the_default_clip_is_two_seconds_of_96_by_160() -> None:
    clip = render(PLAIN)
    assert (clip.frames.shape, clip.fps, clip.duration) == ((16, 96, 160, 3), 8.0, 2.0)


def test_fewer_frames_are_the_beginning_of_more() -> None:
    for scene in EVERY_WORD:
        assert (render(scene, 8).frames == render(scene).frames[:8]).all()


def test_half_the_frame_rate_shows_every_second_frame() -> None:
    for scene in EVERY_WORD:
        assert (render(scene, 8, fps=4.0).frames == render(scene).frames[::2]).all()


def test_a_larger_picture_shows_the_same() -> None:
    """Halved again, 192x320 differs from 96x160 by its finer edges only."""
    large = render(PLAIN, 4, 192, 320).frames.reshape(4, 96, 2, 160, 2, 3).mean(axis=(2, 4))
    assert np.abs(large - render(PLAIN, 4).frames).mean() < 3.0


def test_the_base_grid_is_the_rounded_mean_of_4x4_blocks() -> None:
    frames = render(PLAIN).frames.astype(int)
    means = frames.reshape(16, 24, 4, 40, 4, 3).sum(axis=(2, 4)) / 16
    assert (render_base(PLAIN) == np.floor(means + 0.5)).all()


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ({"frames": 17}, "lasts 2 s"),
        ({"frames": 0}, "lasts 2 s"),
        ({"frames": 9, "fps": 4.0}, "lasts 2 s"),
        ({"fps": 0.0}, "lasts 2 s"),
        ({"height": 100}, "3:5"),
        ({"height": 96, "width": 96}, "3:5"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(size: dict[str, float], words: str) -> None:
    with pytest.raises(UserError, match=words):
        render(PLAIN, **size)  # type: ignore[arg-type]


def test_only_the_seed_moves_what_no_caption_tells() -> None:
    assert (render(PLAIN).frames == render(changed(PLAIN)).frames).all()
    assert (render(PLAIN).frames != render(Scene("red", "star", "swinging", "meadow")).frames).any()


def test_the_backdrop_of_a_still_scene_stays_still() -> None:
    """Outside subject, halo and shadow no pixel changes from frame to frame."""
    frames = render(Scene("red", "star", "rising", "beach")).frames
    assert (frames[:, :, :30] == frames[0, :, :30]).all()


@pytest.mark.parametrize("shape", VALUES["shape"])
def test_subjects_are_11_to_15_pixels_across_on_the_base_grid(shape: str) -> None:
    for seed in range(8):
        mask = truth(Scene("red", shape, "resting", "room", seed=seed), 1).masks[0]
        across = max(mask.any(axis=0).sum(), mask.any(axis=1).sum())
        assert 44 <= across <= 60


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_signed_distances_of_known_reach(shape: str) -> None:
    """A distance grows by 1 per unit, less across a fold, never more; all lies within the reach."""
    u, v = np.meshgrid(*2 * [np.linspace(-1.6, 1.6, 641, dtype=np.float32)])
    away = SHAPES[shape].distance(u, v)
    assert away[321, 560] > 0 and away.min() <= -0.25
    slope = np.hypot(*np.gradient(away.astype(float), 0.005))[1:-1, 1:-1]
    assert np.median(slope) == pytest.approx(1, abs=1e-3) and slope.max() < 1.03
    reach = np.hypot(u, v)[away <= 0].max()
    assert SHAPES[shape].reach - 0.02 < reach <= SHAPES[shape].reach


@pytest.mark.slow
def test_every_word_shows_on_the_base_grid() -> None:
    """Two scenes that differ by one word differ visibly in the first 8 base frames.

    Mean absolute difference of the whole picture, of which the subject is 1/8, in grey levels.
    """
    for field, words in VALUES.items():
        for one, two in itertools.combinations(words, 2):
            first, second = (render_base(changed(PLAIN, **{field: w}), 8) for w in (one, two))
            assert np.abs(first.astype(int) - second).mean() > 1.5, (field, one, two)


@pytest.mark.parametrize("background", VALUES["background"])
def test_every_colour_stands_out_from_every_background(background: str) -> None:
    """Across the subject's edge, outline against halo, brightness steps by more than 40 levels."""
    for colour in VALUES["colour"]:
        scene = Scene(colour, "box", "sliding right", background)
        row = render(scene, 1).frames[0, 62].astype(int).sum(axis=1) / 3
        edge = int(truth(scene, 1).masks[0, 62].argmax())
        around = row[edge - 5 : edge + 5]
        assert around.max() - around.min() > 40, colour


@pytest.mark.parametrize("name", AIRS)
def test_effects_cannot_overflow(name: str) -> None:
    """White under an effect is at most 255: tone * 255 + tint <= 255 in every channel."""
    assert all(AIRS[name].tone * 255 + tint <= 255 for tint in AIRS[name].tint)
