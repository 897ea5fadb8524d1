"""The researcher's page: closed to everybody but those who may see it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_study import PLAN, study
from streamlit.testing.v1 import AppTest
from study_people import OWN, VARIED, add_rater, opened_in

from study_app.app.charts import coverage_chart
from study_app.declaration import Running
from study_app.monitor import study_status
from study_app.state import current_state
from study_app.store.database import Database, now, open_database

TOKEN = "0123456789abcdef"
OIDC = {"auth": {"cookie_secret": "x"}, "admin": {"emails": ["Ann@uni.edu"]}}


def page(running: object, token: object) -> None:
    """The script of a page."""
    from study_app.app.admin import draw

    draw(running, token)  # type: ignore[arg-type]


def opened(running: Running, token: str | None, **more: Any) -> AppTest:
    script = AppTest.from_function(page, args=(running, token), default_timeout=30)
    for name, value in more.items():
        setattr(script, name, value)
    script.run()
    assert not script.exception
    return script


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")


@pytest.fixture
def running(database: Database, tmp_path: Path) -> Running:
    add_rater(database, VARIED, start=now() - 600_000, minutes=6)
    add_rater(database, VARIED[:2], dealt=OWN[3:5], start=now() - 300_000, number=1)
    return opened_in(tmp_path, database, study())


def words(script: AppTest) -> str:
    """All that the page says."""
    kinds = ("title", "markdown", "caption", "metric", "warning", "error")
    found = [element for kind in kinds for element in script.get(kind)]
    return "\n".join(str(e.value) + str(getattr(e, "label", "")) for e in found)


def shows_figures(script: AppTest) -> bool:
    return "Votes by edit and method" in words(script) or bool(script.metric)


def test_without_a_token_the_page_says_how_to_set_one_and_shows_nothing(running: Running) -> None:
    script = opened(running, None)
    assert "DREAMIX_ADMIN_TOKEN" in words(script) and "secrets.toml" in words(script)
    assert not shows_figures(script) and not script.button and not script.text_input


@pytest.mark.slow
def test_a_wrong_token_shows_nothing(running: Running) -> None:
    script = opened(running, TOKEN)
    assert not shows_figures(script)
    for wrong in ("", "0", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "ä" * 16):
        script.text_input[0].set_value(wrong)
        script.button[0].click().run()
        assert not shows_figures(script)
        assert [error.value for error in script.error] == ["This is not the token."]


def enter(running: Running) -> AppTest:
    script = opened(running, TOKEN)
    script.text_input[0].set_value(TOKEN)
    script.button[0].click().run()
    assert not script.exception
    return script


@pytest.mark.slow
def test_the_right_token_shows_how_the_study_stands(running: Running) -> None:
    """Eight of 360 votes; one finished; six minutes; two trials are held."""
    script = enter(running)
    assert {metric.label: metric.value for metric in script.metric} | {
        "Votes": "2%",
        "Raters finished": "1",
        "Time taken": "6 min",
        "Trials held": "2",
    } == {metric.label: metric.value for metric in script.metric}
    assert "8 of 360" in words(script) and "SIMULATED" not in words(script)
    assert not script.text_input, "the token is not asked for again"
    assert shows_figures(script.run()), "nor after the next look"


def test_the_token_goes_nowhere_that_is_written_down(running: Running) -> None:
    script = opened(running, TOKEN, query_params={"admin": TOKEN, "token": TOKEN})
    assert not shows_figures(script)


@pytest.mark.slow
def test_buttons_pause_go_on_and_close(running: Running) -> None:
    script = enter(running)
    for label, state in (("Pause", "paused"), ("Go on", "open"), ("Close", "closed")):
        next(button for button in script.button if button.label == label).click().run()
        assert not script.exception
        assert current_state(running.database).name == state
        assert state in script.title[0].value
    assert "Open again" in [button.label for button in script.button]


@pytest.mark.slow
def test_the_export_is_made_on_request(running: Running) -> None:
    script = enter(running)
    assert not script.get("download_button")
    next(button for button in script.button if "export" in button.label).click().run()
    assert not script.exception
    assert script.get("download_button")


def test_a_simulated_study_says_so(database: Database, tmp_path: Path) -> None:
    add_rater(database, VARIED, simulated=True, minutes=6)
    script = enter(opened_in(tmp_path, database, study()))
    assert "SIMULATED" in script.warning[0].value


@pytest.mark.slow
def test_a_mixed_store_exports_nothing(database: Database, tmp_path: Path) -> None:
    add_rater(database, VARIED, simulated=True, minutes=6)
    add_rater(database, VARIED, number=1)
    script = enter(opened_in(tmp_path, database, study()))
    next(button for button in script.button if "export" in button.label).click().run()
    assert any("would mix them" in error.value for error in script.error)
    assert not script.get("download_button")


def test_an_empty_study_can_be_looked_at(database: Database, tmp_path: Path) -> None:
    script = enter(opened_in(tmp_path, database, study()))
    assert "Nobody has come yet." in words(script)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("user", "comes_in"),
    [
        ({"is_logged_in": False}, False),
        ({"is_logged_in": True, "email": "ann@uni.edu", "email_verified": True}, True),
        ({"is_logged_in": True, "email": "ann@uni.edu"}, False),
        ({"is_logged_in": True, "email": "ann@uni.edu", "email_verified": False}, False),
        ({"is_logged_in": True, "email": "bob@uni.edu", "email_verified": True}, False),
        ({"is_logged_in": True, "email_verified": True}, False),
    ],
)
def test_logging_in_lets_those_in_who_are_on_the_list(
    running: Running, user: dict[str, Any], comes_in: bool
) -> None:
    script = opened(running, None, secrets=OIDC, user=user)
    assert not script.exception
    assert shows_figures(script) == comes_in


def test_an_empty_list_lets_nobody_in(running: Running) -> None:
    user = {"is_logged_in": True, "email": "ann@uni.edu", "email_verified": True}
    assert not shows_figures(opened(running, None, secrets={"auth": {}}, user=user))


@pytest.mark.slow
def test_many_edits_are_thin_columns(database: Database) -> None:
    """24 edits have their names and numbers; as 127 of the benchmark they have not."""
    few = coverage_chart(study_status(Running(study(), PLAN, database), 1)).to_dict()
    assert [layer["mark"]["type"] for layer in few["layer"]] == ["rect", "text"]
    many = replace(PLAN, items=tuple(replace(OWN[0], key=str(i), edit=f"e{i}") for i in range(127)))
    chart = coverage_chart(study_status(Running(study(), many, database), 1)).to_dict()
    assert chart["mark"]["type"] == "rect" and "layer" not in chart
