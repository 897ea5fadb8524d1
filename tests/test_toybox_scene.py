"""Toybox scenes and the one grammar of captions and prompts."""

import itertools
from pathlib import Path

import pytest

from dreamix.core.errors import UserError
from dreamix.core.seeding import rng_for
from dreamix.toybox.world import VALUES, VOCABULARY, Scene, caption, parse_caption

RECIPE = {"colour": "red", "shape": "ball", "motion": "bouncing", "background": "meadow"}


def test_the_world_is_as_broad_as_promised() -> None:
    """Issue: at least 8 colours, 6 shapes, 8 motions, 8 backgrounds, 3 effects, styles, moves."""
    least = {"colour": 8, "shape": 6, "motion": 8, "background": 8}
    assert all(len(VALUES[field]) >= count for field, count in least.items())
    # One of these words stands for "nothing".
    assert all(len(VALUES[field]) >= 4 for field in ("effect", "style", "camera"))


def test_a_recipe_and_its_scene_are_the_same_thing() -> None:
    scene = Scene.from_dict({**RECIPE, "effect": "snow", "seed": 7})
    assert scene.to_dict() == {
        **RECIPE,
        "effect": "snow",
        "style": "none",
        "camera": "still",
        "seed": 7,
    }
    assert Scene.from_dict(scene.to_dict()) == scene


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "organe"}, "no colour is called 'organe', did you mean orange"),
        ({"shape": 3}, "no shape is called 3"),
        ({"shape": ["ball"]}, "no shape is called ['ball']"),
        ({"color": "red"}, "a scene has no field 'color', did you mean colour?"),
        ({"seed": -1}, "the seed of a scene is a whole number from 0 up, got -1"),
        ({"seed": True}, "the seed of a scene is a whole number from 0 up, got True"),
        ({"seed": "1"}, "the seed of a scene is a whole number from 0 up, got '1'"),
    ],
)
def test_a_wrong_recipe_is_explained(change: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as error:
        Scene.from_dict({**RECIPE, **change})
    assert str(error.value).startswith(words)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(UserError, match="needs the field 'motion'"):
        Scene.from_dict({key: RECIPE[key] for key in ("colour", "shape", "background")})


@pytest.mark.parametrize(
    ("scene", "sentence"),
    [
        (Scene("red", "ball", "bouncing", "meadow"), "a red ball bouncing in a meadow"),
        (
            Scene("orange", "ring", "sliding left", "beach"),
            "an orange ring sliding left on a beach",
        ),
        (
            Scene("white", "star", "falling", "city", "snow", "pencil", "zooming in", 3),
            "a white star falling in a city at night, in the snow, pencil sketch style, "
            "camera zooming in",
        ),
    ],
)
def test_captions_read_well(scene: Scene, sentence: str) -> None:
    assert caption(scene) == sentence


def test_a_caption_tells_all_but_the_seed() -> None:
    """Every pair of words of two fields occurs; parse_caption is the inverse of caption."""
    rng = rng_for("toybox grammar")
    sentences: dict[str, Scene] = {}
    for one, two in itertools.combinations(VALUES, 2):
        for first, second in itertools.product(VALUES[one], VALUES[two]):
            words = {name: known[rng.integers(len(known))] for name, known in VALUES.items()}
            scene = Scene.from_dict({**words, one: first, two: second})
            sentence = caption(scene)
            assert Scene.from_dict(parse_caption(sentence)) == scene
            assert sentences.setdefault(sentence, scene) == scene
            assert set(sentence.replace(",", "").split()) <= set(VOCABULARY)
    assert len(sentences) > 1000


def test_the_vocabulary_is_sorted_and_has_no_word_too_many() -> None:
    assert list(VOCABULARY) == sorted(set(VOCABULARY))
    scenes = [
        Scene.from_dict({**RECIPE, field: word})
        for field, known in VALUES.items()
        for word in known
    ]
    used = {word for scene in scenes for word in caption(scene).replace(",", "").split()}
    assert used == set(VOCABULARY)


def test_the_manual_lists_every_phrase(root: Path) -> None:
    """The table in docs/toybox.md, row by row, is what captions are made of."""
    table = (root / "docs" / "toybox.md").read_text().split("| field | words |")[1]
    rows = [row.split("|")[1:3] for row in table.splitlines()[2 : 2 + len(VALUES)]]
    told = {field.strip(): words.strip().split(", ") for field, words in rows}
    for field, known in VALUES.items():
        scenes = [Scene.from_dict({**RECIPE, field: word}) for word in known]
        phrases = [phrase for phrase in told[field] for s in scenes if phrase in caption(s)]
        spoken = [word for word in known if word not in ("none", "still")]
        assert len(told[field]) == len(spoken) and set(told[field]) == set(phrases), field


def test_people_may_write_as_they_like() -> None:
    plain = parse_caption("a red ball bouncing in a meadow, in the snow, camera zooming in")
    assert (
        parse_caption(" An  red ball bouncing in a Meadow , camera zooming in, in the snow. ")
        == plain
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a red bal bouncing in a medow",
            "does not know the words 'bal', 'medow', did you mean ball",
        ),
        (
            "a ball red bouncing in a meadow",
            "'ball red bouncing in a meadow' should begin with one of: red, orange",
        ),
        ("a red ball bouncing", "'' should begin with one of: in a meadow"),
        ("", "'' should begin with one of: a, an"),
        ("a red ball bouncing in a meadow in the snow", "'in the snow' should follow a comma"),
        ("a red ball bouncing in a meadow, in the snow, in the rain", "tells its effect twice"),
        ("a red ball bouncing in a meadow, snow", "'snow' is none of in the snow, in the rain"),
        ("a red ball bouncing in a meadow,", "'' is none of"),
    ],
)
def test_what_is_no_caption_is_explained(text: str, words: str) -> None:
    with pytest.raises(UserError) as error:
        parse_caption(text)
    assert words in str(error.value)
