"""`dreamix doctor`: what this machine can run. Nothing is downloaded."""

import json
from typing import Any

import click


@click.command()
@click.option(
    "--backend",
    metavar="NAME|FOLDER[@WxH[xF]]",
    help="One backend in detail: how its memory and its operations come about. Another size than "
    "the usual, or a FOLDER, takes a minute or two.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Hold the arithmetic of memory to what small pipelines really take here: minutes.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def doctor(backend: str | None, check: bool, as_json: bool) -> None:
    """Say what this machine can run: memory, weights that are here, minutes to expect.

    Figures of pretrained models are estimates; nothing is downloaded.
    """
    if check:
        _check(as_json)
    elif backend:
        _detail(backend, as_json)
    else:
        _overview(as_json)


def _overview(as_json: bool) -> None:
    from dreamix.doctor import page
    from dreamix.doctor.judgement import rate, rows
    from dreamix.doctor.machine import this_machine

    machine = this_machine()
    speed = rate("cuda" if machine.cuda else "cpu", half=machine.cuda is not None)
    found = rows(machine, speed)
    if as_json:
        held = {"machine": _plain(machine), "flops_per_second": speed}
        click.echo(json.dumps({**held, "backends": [_plain(row) for row in found]}, default=str))
        return
    for line in [
        *page.machine_lines(machine),
        "",
        *page.table(found),
        *page.brought(),
        *page.footnotes(machine, speed),
    ]:
        click.echo(line)


def _plain(value: object) -> Any:
    """Return named tuples as dictionaries, all the way down."""
    if hasattr(value, "_asdict"):
        return {key: _plain(each) for key, each in value._asdict().items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _detail(name: str, as_json: bool) -> None:
    from dreamix.doctor import page
    from dreamix.doctor.backend import asked, traced

    one = asked(name)
    if not one.known:
        click.echo(f"{name}: tracing {one.size.frames} frames; this takes minutes", err=True)
    found = traced(one)
    if as_json:
        held = {where: each.as_dict() for where, each in found.items()}
        click.echo(json.dumps({"name": name, "source": one.plan.source, "footprints": held}))
        return
    click.echo("\n".join(page.detail(name, one.plan.source, found, one.plan.usual_steps)))


def _check(as_json: bool) -> None:
    from dreamix.doctor.measured import measured_apart, scaled_names, works_of
    from dreamix.doctor.page import measured_head, measured_line

    if not as_json:
        click.echo(measured_head())
    for name in scaled_names():
        for found in measured_apart(name, works_of(name)):
            click.echo(json.dumps(_plain(found)) if as_json else measured_line(found))
