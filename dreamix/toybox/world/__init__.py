"""Toybox, the embedded world: scenes from a small grammar, rendered exactly, their truth known."""

from dreamix.toybox.world.grammar import VOCABULARY, caption, parse_caption
from dreamix.toybox.world.ground_truth import Truth, truth
from dreamix.toybox.world.renderer import render, render_base
from dreamix.toybox.world.scene import GREY, VALUES, Scene
from dreamix.toybox.world.stills import stills

__all__ = [
    "GREY",
    "VALUES",
    "VOCABULARY",
    "Scene",
    "Truth",
    "caption",
    "parse_caption",
    "render",
    "render_base",
    "stills",
    "truth",
]
