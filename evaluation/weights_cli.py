"""`dreamix weights`: which models the metrics use, whether they are here, and how to get them."""

from typing import Any

import click

from evaluation.cli import MODEL_OPTIONS, model_settings


@click.group()
def weights() -> None:
    """Show and fetch the weights of metric models."""


@weights.command("list")
@MODEL_OPTIONS
def list_(**models: Any) -> None:
    """List the models: what exactly they are, or what is missing."""
    from evaluation.features.base import MODELS

    settings = model_settings(models)
    for name in MODELS.names():
        spec = MODELS.get(name)
        problem = spec.problem(settings)
        click.echo(f"{name:8} {'missing: ' + problem if problem else spec.identity(settings)}")


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
