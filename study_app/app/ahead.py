"""What the page does besides the screen: keep the address, fetch clips, lead back."""

from typing import Any

from sqlalchemy import select

from study_app.app.scene import Scene
from study_app.app.served import first_clip
from study_app.plan import Item
from study_app.screens import Screen
from study_app.store.tables import Trial

REDIRECT_AFTER = 10  # seconds


def ahead(scene: Scene, redirect: str | None = None) -> dict[str, Any]:
    """Return what the page is told on every screen."""
    rater = scene.rater
    return {
        "token": None if rater.id is None else rater.token,  # until there is a row
        "screen": rater.screen,
        "lang": scene.running.study.tag(rater.language),
        "dir": scene.direction,
        "fetch": [url(scene, name) for name in _next_clips(scene)],
        "redirect": redirect,
        "seconds": REDIRECT_AFTER,
        "text": scene.texts.redirect,
    }


def url(scene: Scene, name: str) -> str:
    """Return where a clip is, for this rater alone."""
    return f"v/{scene.rater.token}/{name}.mp4"


def _next_clips(scene: Scene) -> list[str]:
    """Return the clips that will be needed after this screen, if that is known.

    In an order that tells nothing: the plan's is that of the methods.
    """
    screen, running = scene.rater.screen, scene.running
    if screen == Screen.DEVICE:
        return [first_clip(running)]
    if screen == Screen.INSTRUCTIONS:
        items = running.plan.of_kind("training")[:2]
    else:
        items = upcoming(scene, 1 if screen == Screen.BREAK else 2)[-1:]
    return sorted({name for item in items for name in item.clips})


def upcoming(scene: Scene, count: int) -> list[Item]:
    """Return what the rater will see in their current trial and after it."""
    with scene.running.database.reading() as session:
        mine = select(Trial.item).where(Trial.rater_id == scene.rater.id, Trial.state == "dealt")
        keys = session.scalars(mine.order_by(Trial.place).limit(count)).all()
    return [scene.running.plan.by_key[key] for key in keys]
