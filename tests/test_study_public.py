"""What leaves a study for publication has no code, and only its owner reads it before that."""

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest
import yaml
from small_study import study
from study_people import VARIED, add_rater, opened_in
from two_raters import KNOWN

from study_app.export.documents import public_study
from study_app.export.writing import export, export_bytes
from study_app.open_study import Opened
from study_app.spec.study import study_from_text
from study_app.spec.template import TEMPLATE
from study_app.store.database import open_database

DONE, OUT = "CODE-OK-77", "OUT-12"
URL = f"https://app.prolific.com/submissions/complete?cc={DONE}"
BLOCKS = {
    "as the template has it": f"""recruiting:
  kind: prolific
  completion_code: {DONE}  # {DONE} at Prolific too
  screen_out_code: "{OUT}"
  completion_url: {URL}
""",
    "in one line": f"recruiting: {{kind: prolific, completion_code: '{DONE}', "
    f"screen_out_code: {OUT}, completion_url: '{URL}'}}\n",
    "over several lines": f"""recruiting:
  completion_code: >-
    {DONE}
  screen_out_code: |
    {OUT}
  kind: prolific
  completion_url: "https://app.prolific.com/submissions/\\
    complete?cc={DONE}"
""",
    "by an alias": f"""recruiting:
  kind: prolific
  completion_code: &code {DONE}
  screen_out_code: *code
  completion_url: {URL}
""",
    "in letters that are escaped": f"""recruiting:
  kind: prolific
  completion_code: "CODE\\x2DOK\\u002D77"
  screen_out_code: {OUT}
  completion_url: {URL}
""",
    "only in the URL": f"recruiting: {{kind: open, completion_url: '{URL}'}}\n",
}


def file_with(block: str) -> str:
    """The template of a study with a block of recruiting in it, and a code in its texts."""
    text = TEMPLATE.read_text().replace("$name", "s").replace("$run", "r")
    text = text.replace("$methods", "[a, b, c]").replace("trials: 20", "trials: 9")
    before, rest = text.split("recruiting:\n", 1)
    after = rest.split("\n\n", 1)[1]
    after = after.replace("Thank you. Nothing was kept", f"Thank you ({OUT}, {DONE}). Nothing", 1)
    return f"{before}{block}\n{after}"


@pytest.mark.parametrize("name", BLOCKS)
def test_no_code_is_left_and_the_rest_is_as_it_was(name: str) -> None:
    text = file_with(BLOCKS[name])
    given = study_from_text(text, "x")
    assert DONE in str(given.recruiting)
    public = public_study(text)
    left = study_from_text(public, "x")
    assert DONE not in public and "CODE" not in public.replace("cc=CODE", "")
    assert OUT not in public or "only" in name or "alias" in name
    same = {"recruiting", "texts"}
    assert left.model_dump(exclude=same) == given.model_dump(exclude=same)
    assert left.recruiting.kind == given.recruiting.kind
    declined = next(iter(left.texts.values())).declined
    assert "Thank you" in declined and DONE not in declined


@pytest.mark.parametrize("place", ["analysis: |\n  ", "# ", 'version: "1'])
def test_no_code_is_left_wherever_it_stands(place: str) -> None:
    """In the plan of the analysis, which was forgotten, in comments and in short settings."""
    text = file_with(BLOCKS["as the template has it"])
    assert place in text
    public = public_study(text.replace(place, f"{place}-{DONE}-", 1))
    assert DONE not in public
    study_from_text(public, "x")


def test_comments_stay_and_a_study_without_codes_is_the_same_text() -> None:
    text = file_with(BLOCKS["as the template has it"])
    assert public_study(text).count("#") == text.count("#")
    for plain in (TEMPLATE.read_text().replace("$", ""), "name: s\n", "recruiting:\n"):
        assert public_study(plain) == plain


def test_a_code_of_two_digits_takes_no_number_with_it() -> None:
    text = file_with("recruiting: {kind: prolific, completion_code: '12'}\n")
    found = yaml.safe_load(public_study(text))
    assert found["recruiting"] == {"kind": "prolific", "completion_code": "withheld"}
    assert found["size"] == yaml.safe_load(text)["size"]


@pytest.fixture
def running(tmp_path: Path) -> Opened:
    """A study whose codes, admin token, database password and secret must not leave it."""
    database = open_database(f"sqlite:///{tmp_path / 'ratings.sqlite'}")
    found = opened_in(tmp_path, database, study(), KNOWN)
    (tmp_path / "study.yaml").write_text(file_with(BLOCKS["as the template has it"]))
    add_rater(database, VARIED, minutes=9.0, platform="prolific", platform_id="5f1e0a9c7b")
    return found


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_no_file_of_an_export_has_a_secret_and_all_are_the_owners(
    running: Opened, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREAMIX_ADMIN_TOKEN", "token-of-the-admin-page")
    monkeypatch.setenv("DREAMIX_DATABASE", "postgresql://u:sEcret@h/x")
    before = os.umask(umask)
    try:
        folder = export(running, running.folder / "out" / "all", 0).folder
    finally:
        os.umask(before)
    secrets = (DONE, OUT, "0" * 64, "token-of", "sEcret", "5f1e0a9c7b", "token-0-0")
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not [text for text in secrets if text.encode() in content], path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    packed = zipfile.ZipFile(io.BytesIO(export_bytes(running, 0)[1]))
    assert not [name for name in packed.namelist() if DONE.encode() in packed.read(name)]
