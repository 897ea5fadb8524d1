"""A second language is more than a block of texts: direction, language and title of the page."""

from dataclasses import replace

import pytest
import yaml
from drawn_page import DrawnPage
from served_study import texts_in
from small_study import PLAN, study
from starlette.applications import Starlette
from starlette.testclient import TestClient

from study_app.app import server
from study_app.app.app_state import Site, set_site
from study_app.app.first_page import page_in
from study_app.app.routes import routes
from study_app.declaration import Running
from study_app.enrollment import EntryLink, enroll
from study_app.spec.study import Study, study_from_text
from study_app.spec.template import TEMPLATE
from study_app.spec.texts import closest_language, direction_of
from study_app.store.database import Database

TEXT = TEMPLATE.read_text().replace("$name", "s").replace("$run", "r").replace("$methods", "[a]")


def in_tongues(*tongues: str, **changes: str) -> Study:
    text = TEXT + "".join(texts_in(tongue) for tongue in tongues)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return study_from_text(text, "study.yaml")


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        *((code, "rtl") for code in ("ar", "he", "iw", "fa", "ur", "ps", "sd", "ug", "yi", "dv")),
        *((code, "rtl") for code in ("ckb", "ar-EG", "AR_eg", "fa-AF", "pa-Arab", "az-Arab-IR")),
        *((code, "ltr") for code in ("en", "de", "pt-BR", "zh-Hant", "ur-Latn", "sd-Deva", "ha")),
        *((code, "ltr") for code in ("pa", "az", "ku", "tr", "hi", "arn", "fr-DZ", "el", "x")),
    ],
)
def test_the_direction_follows_the_code(code: str, wanted: str) -> None:
    """Right values from Chromium's ICU: `new Intl.Locale(code).getTextInfo().direction`."""
    assert direction_of(code, "") == wanted


@pytest.mark.parametrize(
    ("code", "text", "wanted"),
    [
        ("ku-IQ", "کام گۆڕانکاری باشترە؟", "rtl"),  # ICU knows the region; here the letters tell
        ("arabic", "أيّ تعديل أفضل؟ (Dreamix)", "rtl"),
        ("hebrew", "איזו עריכה טובה יותר?", "rtl"),
        ("xx", "Which edit is better? عربي", "ltr"),
    ],
)
def test_letters_tell_the_direction_where_the_code_does_not(
    code: str, text: str, wanted: str
) -> None:
    assert direction_of(code, text) == wanted


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        *((code, "ar") for code in ("ar", "AR", "ar-EG", "ar_eg", " ar ", "ar-Latn-EG")),
        *((code, "pt-BR") for code in ("pt-BR", "pt-br", "PT_BR", "pt", "pt-PT", "pt-BR-x-lab")),
        *((code, "zh-Hant") for code in ("zh-Hant", "zh-hant-TW", "zh")),
        *((code, None) for code in ("de", "", None, "arn", "p", "-", "english", "x" * 999)),
    ],
)
def test_a_link_finds_the_language_that_is_meant(asked: str | None, found: str | None) -> None:
    """RFC 4647, 3.4 (lookup): without case, and shorter from the end; else one of the language."""
    assert closest_language(asked, ["en", "ar", "pt-BR", "zh-Hant"]) == found


@pytest.mark.slow
def test_who_comes_by_a_link_of_a_region_reads_their_language(database: Database) -> None:
    running = Running(in_tongues("ar", "de"), PLAN, database)
    for number, (asked, code) in enumerate((("ar-EG", "ar"), ("DE_at", "de"), ("fr", "en"))):
        rater = enroll(running, EntryLink(platform_id=str(number), language=asked), 1)
        assert rater and rater.language == code


def test_a_language_that_was_taken_out_is_the_first_in_all_there_is() -> None:
    """Neither English from right to left, nor a tag of HTML that names Arabic."""
    found = in_tongues("de")
    assert (found.direction("ar"), found.tag("ar")) == ("ltr", "en")
    text = TEXT + texts_in("ar").replace("  ar:", "  ar_EG:", 1)
    assert study_from_text(text, "x").tag("ar-EG") == "ar-EG"


def test_a_block_may_say_its_direction() -> None:
    found = in_tongues("ar", "de", **{"  de:\n": "  de:\n    dir: rtl\n"})
    assert [found.direction(code) for code in found.texts] == ["ltr", "rtl", "rtl"]
    assert in_tongues("de").direction("de") == "ltr"


def test_the_texts_in_other_languages_are_whole_and_say_all_in_it() -> None:
    """Each text differs from the English one, except for a word that is the same in German."""
    found = in_tongues("ar", "de")
    english, *others = [yaml.safe_dump(t.model_dump(mode="json")) for t in found.texts.values()]
    for other in others:
        same = set(english.splitlines()) & set(other.splitlines())
        said = {line for line in same if line.partition(":")[2].strip(" '|-")}
        assert said <= {"  source: Original", "  answer: 1", "  answer: 2", "dir: null"} | {
            line for line in said if line.lstrip(" -").startswith("answer:")
        }, said


def test_the_first_page_is_in_a_language_before_any_script_has_come() -> None:
    found = in_tongues("ar")
    page = page_in(found, "ar").decode()
    assert page.count('<html lang="ar" dir="rtl">') == 1
    assert page.count("<title>أيّ تعديل أفضل؟</title>") == 1
    assert "يجري تحميل الصفحة" in page and "This page is loading" not in page
    assert '<html lang="en" dir="ltr">' in page_in(found, "ar", admin=True).decode()
    for other in (None, "xx", "<script>"):
        assert '<html lang="en" dir="ltr">' in page_in(found, other).decode()


def test_a_title_is_text_whatever_stands_in_it() -> None:
    odd = {"title: Which edit is better?": "title: '</title><b>$x {y} \\1'"}
    page = page_in(study(**odd), "en")
    assert page.count(b"&lt;/title&gt;&lt;b&gt;$x {y} \\1") == 2
    assert b"<b>" not in page


@pytest.mark.slow
def test_the_first_page_of_a_rater_is_in_their_language(site: Site) -> None:
    """Whatever the link asks for; who has none yet gets what it asks for."""
    texts = site.running.study.texts
    both = site.running.study.model_copy(update={"texts": texts | in_tongues("ar").texts})
    site = site._replace(running=replace(site.running, study=both))
    client = TestClient(Starlette(routes=list(routes(site))))
    rater = enroll(site.running, EntryLink(language="ar"), 1)
    assert rater and rater.language == "ar"
    assert 'lang="ar"' in client.get(f"/?t={rater.token}").text
    assert 'lang="ar"' in client.get(f"/?t={rater.token}&lang=en").text
    assert 'lang="ar"' in client.get("/?t=nobody&lang=ar").text
    assert 'lang="en"' in client.get("/").text
    answer = client.get("/")
    assert (answer.headers["content-encoding"], answer.headers["cache-control"]) == (
        "gzip",
        "no-cache",
    )
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == answer.text


@pytest.mark.slow
def test_a_page_that_fails_says_so_in_the_language_of_the_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = site.running.study.texts | in_tongues("ar").texts
    both = site.running.study.model_copy(update={"texts": texts})
    set_site(site._replace(running=replace(site.running, study=both)))
    told: list[str] = []
    monkeypatch.setattr(server.st, "error", told.append)
    for state in ({"language": "ar"}, {}):
        monkeypatch.setattr(server.st, "session_state", state)
        server._tell_trouble(RuntimeError("x"))
    assert "حدث خطأ ما" in told[0] and "Something went wrong" in told[1]


def test_what_a_page_remembers_is_the_language_of_the_rater(site: Site) -> None:
    assert DrawnPage(site).app.session_state["language"] == "en"
