"""Toybox, the embedded world: scenes from a small grammar, rendered exactly, their truth known."""

from dreamix.data.toybox.grammar import VOCABULARY, caption, parse_caption
from dreamix.data.toybox.ground_truth import Truth, truth
from dreamix.data.toybox.renderer import render, render_base
from dreamix.data.toybox.scene import GREY, VALUES, Scene
from dreamix.data.toybox.stills import stills

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
