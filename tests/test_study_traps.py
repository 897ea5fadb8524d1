"""Words of traps can be read in any script, or the build says which letters it cannot draw.

Right values: characters of a font by fontTools, Unicode's own presentation forms of Arabic letters,
Hebrew set from the right by hand, rules of line breaking (Unicode's UAX 14) by hand.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image, features
from small_study import study

from dreamix.core.errors import UserError
from dreamix.core.fonts import installed, own_font
from dreamix.core.video import Video
from study_app.prepare import lettering as fonts
from study_app.prepare.lettering import check_fonts, lettering
from study_app.prepare.line_breaking import clusters, cut, needs_layout, text_parts
from study_app.prepare.traps import card, trap_texts, with_words
from study_app.prepare.typesetting import LEAST, typeset
from study_app.spec.study import Study
from study_app.spec.texts import is_right_to_left

# Of the font that comes with matplotlib.
COVERED = {
    "en": "Please answer 2 to every question",
    "de": "Bitte beantworten Sie jede Frage mit 2",
    "pl": "Proszę odpowiedzieć 2 na każde pytanie",
    "vi": "Vui lòng trả lời 2 cho mọi câu hỏi",
    "yo": "Jọ̀wọ́ dáhùn 2 sí gbogbo ìbéèrè",
    "tr": "Lütfen her soruya 2 yanıtını veriniz",
    "ru": "Пожалуйста, ответьте 2 на каждый вопрос",
    "el": "Παρακαλώ απαντήστε 2 σε κάθε ερώτηση",
    "ka": "გთხოვთ უპასუხოთ 2",
}
FROM_THE_RIGHT = {
    "he": "נא לענות 2 על כל שאלה",
    "ar": "الرجاء الإجابة بـ 2 على كل سؤال",
    "fa": "لطفاً به همهٔ پرسش‌ها «۲» پاسخ دهید",
}
# Of fonts that a machine may have (and .ci/run installs).
OTHERS = {
    "zh": "请对每个问题回答 2",
    "ja": "すべての質問に2と答えてください。",
    "ko": "모든 질문에 2라고 답해 주세요",
    "hi": "कृपया हर प्रश्न का उत्तर 2 दें",
    "th": "กรุณาตอบ 2 ในทุกคำถาม",
}
layout = pytest.mark.skipif(not fonts.has_layout(), reason="Pillow finds no FriBiDi here")


def text_of(language: str) -> str:
    """The words in a language; skipped where the machine cannot draw them."""
    if language in OTHERS:
        letters = {c for c in OTHERS[language] if c.isalpha()}
        if not any(all(ord(c) in cmap(font.path) for c in letters) for font in installed()):
            pytest.skip(f"no font of this machine has the letters of {language}")
    if needs_layout((COVERED | FROM_THE_RIGHT | OTHERS)[language]) and not fonts.has_layout():
        pytest.skip("Pillow finds no FriBiDi here")
    return (COVERED | FROM_THE_RIGHT | OTHERS)[language]


@lru_cache(maxsize=256)
def cmap(path: str) -> dict[int, str]:
    with TTFont(path, fontNumber=0, lazy=True) as font:
        return dict(font.getBestCmap() or {})


def ink(picture: np.ndarray) -> np.ndarray:
    """What is drawn on a card, cut out: (height, width)."""
    found = picture[..., 0].astype(int) - 40
    rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
    return found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def from_the_left(text: str, language: str) -> np.ndarray:
    """A card of characters as they stand from left to right, by Unicode's override (U+202D)."""
    return card(f"\u202d{text}\u202c", 600, 200, language)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """How much two drawings agree, the smaller one moved over the other: a correlation."""
    size = (200, 100)
    pair = [np.asarray(Image.fromarray(x.astype(np.uint8)).resize(size)) for x in (one, other)]
    return float(np.corrcoef(pair[0].ravel(), pair[1].ravel())[0, 1])


@pytest.mark.slow
@pytest.mark.parametrize("language", [*COVERED, *FROM_THE_RIGHT, *OTHERS])
def test_every_letter_is_drawn_and_has_a_shape_of_its_own(language: str) -> None:
    """Before, all letters of seven of these languages were one box, and some of two others."""
    text = text_of(language)
    for token in lettering(text, language).tokens:
        known = cmap(token.font)
        assert all(ord(c) in known for c in token.text if c not in "\u200c\u200d")
    letters = sorted({c for c in text if c.isalpha()})
    assert len({card(c, 80, 80, language).tobytes() for c in letters}) == len(letters)
    box = card("\N{WHITE VERTICAL RECTANGLE}", 80, 80).tobytes()
    assert box not in {card(c, 80, 80, language).tobytes() for c in letters}


@pytest.mark.slow
@pytest.mark.parametrize("language", [*COVERED, *FROM_THE_RIGHT, *OTHERS])
@pytest.mark.parametrize("size", [(68, 120), (214, 120), (640, 360)])
def test_words_are_never_cut_off(language: str, size: tuple[int, int]) -> None:
    for text in (text_of(language), " ".join([text_of(language)] * 2))[: 2 if size[0] > 68 else 1]:
        picture = card(text, *size, language)
        drawn = (picture != 40).any(axis=-1)
        assert drawn.any() and not drawn[[0, -1]].any() and not drawn[:, [0, -1]].any()


def test_what_has_no_room_is_refused() -> None:
    told = r"no room for 'a a .{,60}\.\.\. on a clip of 160 x 120 pixels: shorten"
    with pytest.raises(UserError, match=told):
        card("a " * 400, 160, 120)


def test_letters_are_not_smaller_than_can_be_read() -> None:
    for size in ((68, 120), (120, 120), (1920, 1080)):
        set_ = typeset(lettering(COVERED["en"]), *size)
        assert all(piece.font.size >= LEAST for line in set_.lines for piece in line.pieces)
        assert len({piece.font.size for line in set_.lines for piece in line.pieces}) == 1


@layout
def test_hebrew_stands_from_right_to_left() -> None:
    """Hebrew letters do not join: from the left they are the word backwards."""
    drawn = card("שאלה", 600, 200, "he")
    assert np.array_equal(drawn, from_the_left("הלאש", "he"))
    assert not np.array_equal(drawn, from_the_left("שאלה", "he"))


@layout
def test_figures_and_latin_words_keep_their_direction_in_hebrew() -> None:
    """By the bidirectional algorithm the figures keep their order among words in the other."""
    assert np.array_equal(card("ענה 24 כאן", 600, 200, "he"), from_the_left("ןאכ 24 הנע", "he"))
    assert np.array_equal(card("ענה AB כאן", 600, 200, "he"), from_the_left("ןאכ AB הנע", "he"))
    assert is_right_to_left("Prolific: ענה על כל שאלה") and not is_right_to_left(
        "Please answer: כן"
    )


@layout
def test_arabic_letters_are_joined() -> None:
    """Unicode has the shapes of joined letters as characters: seen at the start of a word, lam and
    alef as one at its end, meem alone. From the left they stand in the other order."""
    shaped = "\N{ARABIC LETTER MEEM ISOLATED FORM}\N{ARABIC LIGATURE LAM WITH ALEF FINAL FORM}"
    shaped += "\N{ARABIC LETTER SEEN INITIAL FORM}"
    assert np.array_equal(card("سلام", 600, 200, "ar"), from_the_left(shaped, "ar"))
    apart = " ".join("سلام")
    assert (
        ink(card(apart, 600, 200, "ar")).shape[1] > 1.3 * ink(card("سلام", 600, 200, "ar")).shape[1]
    )


@layout
def test_devanagari_vowels_stand_where_they_are_read() -> None:
    """The sign of i is written before its consonant although it is spoken and stored after it."""
    text_of("hi")
    drawn, consonant = ink(card("ति", 200, 200, "hi")), ink(card("त", 200, 200, "hi"))
    plain = typeset(lettering("त", "hi"), 200, 200).lines[0].pieces[0].font
    assert plain.size == typeset(lettering("ति", "hi"), 200, 200).lines[0].pieces[0].font.size
    wide = consonant.shape[1]
    below = slice(-consonant.shape[0], None)
    sides = [alike(consonant, drawn[below, :wide]), alike(consonant, drawn[below, -wide:])]
    assert sides[1] > 0.9 > sides[0]


@layout
def test_several_fonts_stand_in_the_direction_of_reading(tmp_path: Path) -> None:
    """Parts in other fonts follow one another to the right, or to the left in Hebrew."""
    text_of("hi")
    one, two, three = typeset(lettering("Prolific: प्रश्न ок"), 900, 200).lines[0].pieces
    assert one.text.startswith("Prolific") and three.text == " ок" and one.at < two.at < three.at
    first, second = typeset(lettering("שאלה שאלה प्रश्न", "he"), 900, 200).lines[0].pieces
    assert "שאלה" in second.text and first.at < second.at


def test_letters_that_no_font_has_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the machine had no fonts but matplotlib's, which has no Chinese."""
    monkeypatch.setattr(fonts, "installed", lambda: ())
    told = r"^texts\.en\.trap: no font here has 请 \(U\+8BF7\), 选 \(U\+9009\): install .*checks\.f"
    with pytest.raises(UserError, match=told):
        trap_texts(asking("请选 {answer}"), Path())
    assert "and 2 more" in fonts._listed("abcdefghij")
    assert fonts._listed("\x07b\ud800") == "U+0007, b (U+0062), U+D800"


def test_a_word_is_not_joined_from_two_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    serif = Path(own_font()).with_name("DejaVuSerif.ttf")
    monkeypatch.setattr(
        fonts, "has", lambda font, c: (c.isupper() == ("Serif" in font)) or c == " "
    )
    with pytest.raises(UserError, match="no one font here has all letters of Ab: install"):
        lettering("Ab", named=[serif])
    marks = [(Path(t.font).stem, t.text, t.gap) for t in lettering("A.?B", named=[serif]).tokens]
    assert marks == [
        ("DejaVuSerif", "A", " "),
        ("DejaVuSans", ".", None),
        ("DejaVuSans", "?", None),
        ("DejaVuSerif", "B", None),
    ]
    tokens = lettering("AB cd", named=[serif]).tokens
    assert [Path(token.font).stem for token in tokens] == ["DejaVuSerif", "DejaVuSans"]


def test_without_a_layout_engine_only_plain_scripts_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pillow's own layout puts one letter after another: right for Polish, wrong for Hebrew."""
    monkeypatch.setattr(fonts, "has_layout", lambda: False)
    monkeypatch.setattr("study_app.prepare.typesetting.has_layout", lambda: False)
    for language in ("pl", "vi", "ru", "el"):
        assert (card(COVERED[language], 320, 180, language) == 255).any()
    for text in (*FROM_THE_RIGHT.values(), OTHERS["hi"], OTHERS["th"], COVERED["yo"]):
        with pytest.raises(UserError, match=r"cannot be set here: Pillow finds no FriBiDi"):
            lettering(text)


def test_pillow_tells_when_it_cannot_set_from_the_right() -> None:
    assert fonts.has_layout() == bool(features.check("raqm") and features.check("fribidi"))


def asking(trap: str, **changes: str) -> Study:
    """A study whose traps have these words."""
    one = study(**changes)
    texts = {"en": one.texts["en"].model_copy(update={"trap": trap})}
    return one.model_copy(update={"texts": texts})


def test_a_font_that_is_named_goes_first(tmp_path: Path) -> None:
    serif = Path(own_font()).with_name("DejaVuSerif.ttf")
    (tmp_path / "mine.ttf").write_bytes(serif.read_bytes())
    named = asking("Say {answer}", **{"font: []": "font: mine.ttf"})
    two, _ = trap_texts(named, tmp_path)
    assert two.text == "Say 2"
    assert {token.font for token in two.lettering.tokens} == {str(tmp_path / "mine.ttf")}
    plain, _ = trap_texts(asking("Say {answer}"), tmp_path)
    assert plain.lettering.identity() != two.lettering.identity(), "another picture, another name"
    assert plain.lettering.identity() == lettering("Say 4").identity()


def test_a_font_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.ttf").write_text("no font")
    for name, told in (
        ("text.ttf", "is not a font that can be used"),
        ("none", "there is no file"),
    ):
        named = asking("Say {answer}", **{"font: []": f"font: [{name}]"})
        with pytest.raises(UserError, match=rf"^checks\.font: .*{told}"):
            trap_texts(named, tmp_path)
    check_fonts([Path(own_font())])


def test_a_font_whose_letters_are_boxes_is_not_taken() -> None:
    """Last Resort comes with matplotlib and has every character: as the box of its block."""
    boxes = Path(mpl.get_data_path(), "fonts/ttf/LastResortHE-Regular.ttf")
    assert ord("ж") in cmap(str(boxes))
    assert {Path(t.font).stem for t in lettering("жук", named=[boxes]).tokens} == {"DejaVuSans"}


@pytest.mark.parametrize(
    "trap", ["Answer two", "Answer {two}", "Answer {answer", "{answer.x}", "{}"]
)
def test_a_trap_that_does_not_say_its_answer_is_refused(trap: str) -> None:
    with pytest.raises(UserError, match=r"^texts\.en\.trap: \{answer\} has to stand in it"):
        trap_texts(asking(trap), Path())


def test_traps_of_pairs_are_drawn_with_the_words_of_their_answers() -> None:
    words = trap_texts(asking("Say {answer}", **{"design: absolute": "design: pairwise"}), Path())
    asked = study().texts["en"].pair_questions["alignment"]
    assert [(w.text, w.expected) for w in words] == [
        (f"Say {asked.left}", -1),
        (f"Say {asked.right}", 1),
    ]
    assert trap_texts(asking("no answer", **{"traps: 1": "traps: 0"}), Path()) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Say  two\nnow", ["Say", "two", "now"]),
        ("2\u00a0% here", ["2\u00a0%", "here"]),
        ("请回答 2。", ["请", "回", "答", "2。"]),  # no line begins with a full stop
        ("「はい」と", ["「は", "い」", "と"]),  # none ends with an opening mark
        ("キャット", ["キャッ", "ト"]),  # none begins with a small kana
        ("第12題", ["第", "12", "題"]),
        ("모든 질문에", ["모든", "질문에"]),  # Korean has blanks
        ("ตอบ\u200bสอง", ["ตอบ", "สอง"]),
        ("དྲི་བ་རེར་ལན།", ["དྲི་", "བ་", "རེར་", "ལན།"]),  # syllables of Tibetan
        ("wohl\u00adbehalten", ["wohlbehalten"]),
    ],
)
def test_lines_end_where_a_script_allows_it(text: str, wanted: Sequence[str]) -> None:
    assert [part.text for part in text_parts(text)] == wanted


def test_letters_stay_with_their_marks() -> None:
    assert clusters("प्रश्न") == ["प्र", "श्न"]
    assert clusters("คำถาม") == ["คำ", "ถา"[:1], "ถา"[1:], "ม"]
    assert clusters("ใน") == ["ใน"]
    assert [len(part.text) for part in cut(text_parts("e\u0323\u0301a")[0])] == [2, 1]


@pytest.mark.parametrize("language", ["中文", "en_US", "x" * 300, "zh-Hant", "", "a b", "\0"])
def test_a_language_may_have_any_name(language: str) -> None:
    assert np.array_equal(card("Answer 2", 120, 120, language), card("Answer 2", 120, 120))


def test_words_are_broken_only_where_they_have_no_room() -> None:
    lines = typeset(lettering("Rindfleischetikettierung ist da"), 120, 120).lines
    texts = ["".join(piece.text for piece in line.pieces) for line in lines]
    assert "".join(texts).replace(" ", "") == "Rindfleischetikettierungistda"
    assert any(text.endswith("ist da") or text == "ist da" for text in texts)


def test_words_of_a_trap_are_drawn_at_the_size_they_are_shown() -> None:
    video = Video(np.full((10, 360, 640, 3), 200, np.uint8), 8)
    found = with_words(video, lettering(COVERED["pl"])).frames
    assert (found[:4] == 200).all() and (found[4:] == found[4]).all()
    blocks = found[4].reshape(72, 5, 128, 5, 3)
    assert (blocks != blocks[:, :1, :, :1]).any()
