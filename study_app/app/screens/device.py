"""Does the device do: a real clip plays, the window is large enough."""

import streamlit as st

from study_app.app import component
from study_app.app.ahead import ahead, url
from study_app.app.scene import Scene
from study_app.app.screens.ends import screen_out
from study_app.app.served import first_clip
from study_app.app.words import player_words
from study_app.device import in_the_way, width_needed
from study_app.spec.texts import filled


def device(scene: Scene) -> None:
    """Draw a clip and ask whether it plays; the page measures meanwhile."""
    st.markdown(scene.texts.device)
    _check(scene)


def unfit(scene: Scene) -> None:
    """Draw what is in the way, and the check once more."""
    st.markdown(scene.texts.device_unfit)
    for reason in reasons(scene):
        st.warning(reason)
    _check(scene)
    screen_out(scene)


def reasons(scene: Scene) -> list[str]:
    """Return in words why the device will not do."""
    found, wanted = scene.rater.device or {}, scene.running.study.device
    facts = {
        "width": found.get("width", 0),
        "least": width_needed(wanted, found),
        "why": found.get("why") or "-",
    }
    return [
        filled(getattr(scene.texts, f"device_{reason}"), facts)
        for reason in in_the_way(wanted, found)
    ]


def _check(scene: Scene) -> None:
    clip = first_clip(scene.running)
    component.player(
        {
            "mode": "check",
            "trial": f"check {scene.rater.screen}",
            "token": scene.rater.token,
            "clips": [{"label": scene.texts.buttons.source, "url": url(scene, clip)}],
            "height": scene.running.study.display_height,
            "least": scene.running.study.least_height,
            "words": player_words(scene),
            "dir": scene.direction,
        }
    )
    component.watch_page(ahead(scene))
