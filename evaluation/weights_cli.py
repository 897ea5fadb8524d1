"""`dreamix weights`: which models the metrics use, whether they are here, and how to get them."""

from typing import TYPE_CHECKING, Any

import click

from evaluation.options import MODEL_OPTIONS, model_settings

if TYPE_CHECKING:
    from evaluation.features.base import ModelSpec
    from evaluation.settings import ModelSettings


@click.group()
def weights() -> None:
    """Show and fetch the weights of metric models."""


@weights.command("list")
@MODEL_OPTIONS
def list_(**models: Any) -> None:
    """List the models: what exactly they are, or what is missing."""
    from evaluation.features.base import MODELS
    from evaluation.settings import OWN_CLIPS

    chosen = model_settings(models)
    settings = [chosen.on(world) for world in (None, *OWN_CLIPS.names())]
    for name in MODELS.names():
        for line in dict.fromkeys(_described(MODELS.get(name), each) for each in settings):
            click.echo(f"{name:8} {line}")


def _described(spec: "ModelSpec", settings: "ModelSettings") -> str:
    """Return what a model is, or what is missing."""
    problem = spec.problem(settings)
    return f"missing: {problem}" if problem else spec.identity(settings)


@weights.command()
@click.argument("name")
@MODEL_OPTIONS
def get(name: str, **models: Any) -> None:
    """Download the weights of a model. Nothing else in this program downloads anything."""
    from dreamix.core.errors import UserError
    from evaluation.features.base import MODELS

    spec, settings = MODELS.get(name), model_settings(models)
    if spec.fetch is None:
        state = spec.problem(settings) or "it is here"
        raise UserError(f"{name} has nothing to download: {state}")
    click.echo(spec.fetch(settings))
