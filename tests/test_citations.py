"""Citations in the methods paragraph: every form, and that every entry can be cited."""

import re
from pathlib import Path

import pytest

from reports.page.paper import as_latex, as_text, cited, entries

SENTENCE = "Adjusted for 9 tests [@holm1979; @cameron2011], 5% two-sided."


def test_text_names_authors_and_years() -> None:
    assert as_text(SENTENCE) == (
        "Adjusted for 9 tests (Holm 1979; Cameron et al. 2011), 5% two-sided."
    )


def test_latex_cites_keys_and_escapes_the_rest() -> None:
    assert as_latex(SENTENCE) == r"Adjusted for 9 tests~\cite{holm1979,cameron2011}, 5\% two-sided."
    assert as_latex("By Holm [@holm1979] and a_b.") == r"By Holm~\cite{holm1979} and a\_b."
    assert as_latex("No citation.") == "No citation."
    two = as_latex("The rule of BT.500 [@bt500] and that of P.913 [@p913] count.")
    assert two == r"The rule of BT.500~\cite{bt500} and that of P.913~\cite{p913} count."


def test_cited_works_come_once_and_sorted() -> None:
    found = cited([SENTENCE, SENTENCE, "Again [@bradley1952]."])
    assert [entry.key for entry in found] == ["bradley1952", "cameron2011", "holm1979"]


def test_a_key_without_an_entry_is_an_error() -> None:
    with pytest.raises(KeyError, match="nobody2000"):
        cited(["As shown [@nobody2000]."])


def test_every_entry_is_found_and_says_who_and_when(root: Path) -> None:
    text = (root / "reports" / "references.bib").read_text()
    keys = re.findall(r"^@\w+\{([^,]+),", text, flags=re.MULTILINE)
    assert sorted(entries()) == sorted(keys), "an entry has to end with a brace alone on a line"
    for entry in entries().values():
        assert re.fullmatch(r".+ \d{4}", entry.label), entry


def test_every_citation_in_the_code_has_an_entry(root: Path) -> None:
    found = set()
    for path in (root / "reports").rglob("*.py"):
        found |= set(re.findall(r"@([a-z]+\d+[a-z0-9]*)", path.read_text()))
    assert found <= set(entries()), found - set(entries())
