"""The options of `dreamix bench`, and what is meant by the names in them."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from dreamix.backends.names import default_backend
from dreamix.core.errors import UserError
from dreamix.core.names import near_misses
from dreamix.remote.place_type import Place, localized
from evaluation.cluster.cli import WHERE
from evaluation.settings import ModelSettings

if TYPE_CHECKING:
    from pathlib import Path

    from dreamix.methods.base import Variant
    from evaluation.judge.audit.record import AuditRecord
    from evaluation.judge.judge import JudgeSettings

F = Callable[..., Any]
PATH = Place()


def options(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that applies several, in the order they are shown by --help."""

    def apply(function: F) -> F:
        for decorate in reversed(decorators):
            function = decorate(function)
        return function

    return apply


RUN_OPTIONS = options(
    click.option(
        "--methods",
        multiple=True,
        required=True,
        metavar="NAME[,NAME...]",
        help="Methods: unedited, external:'outputs/*', mine=external:pattern=a/{edit}.mp4 ...",
    ),
    click.option(
        "--seeds",
        type=click.IntRange(1),
        help="Repeats of methods that draw.  [default: 1; outputs brought in have the seeds found]",
    ),
    click.option("--edits", multiple=True, metavar="PATTERN", help="Only these edit ids."),
    click.option("--media-root", type=PATH, help="Folder that the suite's paths start from."),
    click.option(
        "--backend",
        default=default_backend(),
        show_default=True,
        metavar="NAME[:PATH]",
        help="Model of the methods that need one; PATH has other weights than its own.",
    ),
    click.option("--out", type=Place("write"), required=True, metavar="RUN", help="Run folder."),
    *WHERE,
)
ASKING_OPTIONS = options(
    click.option(
        "--judge-frames",
        type=click.IntRange(2, 64),
        help="Stills of a clip that a judge is shown.  [default: 8]",
    ),
    click.option(
        "--judge-side",
        type=click.IntRange(32, 4096),
        help="Their long side in pixels.  [default: 448]",
    ),
    click.option(
        "--judge-body",
        metavar="JSON",
        help="What the server wants beside: "
        '\'{"chat_template_kwargs": {"enable_thinking": false}}\' for a model that thinks.',
    ),
    click.option("--judge-png", is_flag=True, help="Send them as PNG.  [default: JPEG 95]"),
    click.option(
        "--judge-together", type=click.IntRange(1, 256), help="Requests at once.  [default: 4]"
    ),
    click.option(
        "--judge-rate",
        type=click.FloatRange(0, min_open=True),
        metavar="N",
        help="Requests a minute, at most.",
    ),
    click.option(
        "--budget",
        multiple=True,
        metavar="N",
        help="Requests (500) or tokens (2Mtokens) that judges may cost, at most.",
    ),
    click.option(
        "--price", metavar="IN:OUT", help="Price of a million tokens, for the estimate of the cost."
    ),
)
AUDIT_OPTION = click.option(
    "--judge-audit",
    "audits",
    multiple=True,
    type=PATH,
    metavar="FOLDER",
    help="What `judge audit` found: metrics of abilities that failed do not apply.",
)
JUDGE_OPTIONS = options(
    click.option(
        "--judge",
        "judges",
        multiple=True,
        metavar="NAME=openai:URL#MODEL",
        help="A vision-language model to ask; NAME=local:FOLDER; NAME=archive: asks nobody again.",
    ),
    AUDIT_OPTION,
    click.option(
        "--judge-asks",
        multiple=True,
        metavar="WHAT[,WHAT]",
        help="scales (1 to 5 on each axis), checklist (the questions of each edit).  "
        "[default: scales]",
    ),
    ASKING_OPTIONS,
)
MODEL_OPTIONS = options(
    click.option(
        "--clip",
        help="open_clip MODEL:TAG, MODEL:PATH or a CLIP that comes along  "
        "[default: ViT-B-32 of OpenAI; a world's own on its suites]",
    ),
    click.option(
        "--clip-fit",
        type=click.Choice(["crop", "squash", "pad"]),
        help="Frame to square.  [default: as the model's makers did]",
    ),
    click.option("--flow", help="dis, raft_large:PATH or raft_small:PATH  [default: dis]"),
    click.option("--dtype", type=click.Choice(["fp32", "bf16"]), help="[default: fp32]"),
    click.option("--device", help="A torch device.  [default: cpu]"),
    click.option(
        "--batch", type=click.IntRange(1), help="Frames in a forward pass.  [default: 64]"
    ),
)
SCORE_OPTIONS = options(
    click.option(
        "--metrics",
        multiple=True,
        metavar="NAME[,NAME...]",
        help="Names, axes or patterns; cmd:NAME='COMMAND' is a program of yours.  [default: all]",
    ),
    click.option(
        "--cmd-start",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="How long such a program may take to its first answer.  [default: 600]",
    ),
    click.option(
        "--cmd-clip",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="How long it may take from one answer to the next.  [default: 300]",
    ),
    JUDGE_OPTIONS,
    MODEL_OPTIONS,
    click.option(
        "--align",
        type=click.Choice(["auto", "pts", "span", "index"]),
        default="auto",
        show_default=True,
        help="How frames of edit and source are paired. auto: by number if there are as many, else "
        "by time (pts); span: by share of the clip; index: first with first.",
    ),
    click.option(
        "--least-share",
        type=click.FloatRange(0, 1),
        help="A clip that covers less of its source is partial.  [default: as before, or 0.9]",
    ),
    click.option(
        "--composite",
        type=PATH,
        metavar="FILE",
        help="Metrics that were learned from ratings, to be worked out from the others' scores.",
    ),
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes, or workers on the cluster.  [default: cores; what the cluster holds]",
)


def model_settings(chosen: dict[str, Any]) -> ModelSettings:
    """Return the settings with those options that were given."""
    return ModelSettings(**{name: value for name, value in chosen.items() if value is not None})


def judge_settings(chosen: dict[str, Any], device: str) -> "JudgeSettings":
    """Return how judges are asked, with those options that were given; they leave `chosen`."""
    from evaluation.judge.frames import FramePolicy
    from evaluation.judge.judge import JudgeSettings
    from evaluation.judge.limits import CallLimits, budget_of, price_of
    from evaluation.judge.request import body_of

    def given(**names: str) -> dict[str, Any]:
        found = {name: chosen.pop(option, None) for name, option in names.items()}
        return {name: value for name, value in found.items() if value}

    packing: dict[str, Any] = {"packing": "png"} if chosen.pop("judge_png", False) else {}
    frames = FramePolicy(**given(count="judge_frames", side="judge_side"), **packing)
    limits = CallLimits(**given(together="judge_together", a_minute="judge_rate"))
    price, body = chosen.pop("price", None), chosen.pop("judge_body", None)
    audits = _audits(chosen.pop("audits", ()))
    asks = _asked(words(chosen.pop("judge_asks", ())))
    return JudgeSettings(
        frames,
        limits,
        budget_of(chosen.pop("budget", ())),
        price_of(price) if price is not None else None,
        device,
        lambda text: click.echo(text),
        audits,
        body=body_of(body) if body else None,
        **({"asks": asks} if asks else {}),
    )


def _audits(paths: "tuple[Path, ...]") -> "tuple[AuditRecord, ...]":
    """Return the audits in files; without any, the statistics of audits stay unloaded."""
    if not paths:
        return ()
    from evaluation.judge.audit.record import read_audit

    return tuple(map(read_audit, paths))


def _asked(given: list[str]) -> tuple[str, ...]:
    """Return what `--judge-asks` names; a `UserError` where that is nothing a judge is asked."""
    from evaluation.judge.judge import ASKS

    if strange := next((one for one in given if one not in ASKS), None):
        known = " and ".join(ASKS)
        raise UserError(f"--judge-asks {strange}: judges are asked {known}, or one of them")
    return tuple(dict.fromkeys(given))


def words(values: tuple[str, ...]) -> list[str]:
    """Return the comma-separated parts of all values."""
    return [word for value in values for part in value.split(",") if (word := part.strip())]


def metric_specs(values: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the names that `--metrics` gives, and its programs: each takes the rest of its value.

    A command may hold commas, so that what follows `cmd:` is no longer a list.
    """
    names: list[str] = []
    programs: list[str] = []
    for value in values:
        plain, mark, rest = f",{value}".replace(", cmd:", ",cmd:").partition(",cmd:")
        names += words((plain,))
        programs += [f"cmd:{rest}"] if mark else []
    return names, programs


def method_specs(values: tuple[str, ...]) -> list[str]:
    """Return the methods that `--methods` names; a comma within a path does not part two of them.

    What follows a comma belongs to the path before if it names no method and there is such a path.
    """
    from dreamix.methods.base import is_spec, leads_on

    found: list[str] = []
    for value in map(localized, values):
        for number, word in enumerate(value.split(",")):
            if number and not is_spec(word.strip()) and leads_on(f"{found[-1]},{word}"):
                found[-1] += f",{word}"
            elif number == 0 or word.strip():
                found.append(word.strip())
    return [word for word in found if word]


def odd_seeds(columns: "list[Variant]", seeds: int | None) -> list[str]:
    """Return a line for every column that has other seeds than `--seeds` asks for."""
    return [
        f"{one.label} has seeds {', '.join(map(str, one.seeds))}: all {len(one.seeds)} are taken, "
        f"not the {seeds} of --seeds"
        for one in columns
        if seeds and one.seeds not in (None, (0,)) and len(one.seeds or ()) != seeds
    ]


def matching(known: list[str], patterns: tuple[str, ...]) -> list[str]:
    """Return the names that match any of the patterns, all without patterns."""
    if not patterns:
        return known
    if not words(patterns):
        raise UserError("--edits names no edit: leave it out for all of them")
    for pattern in words(patterns):
        if not any(fnmatchcase(name, pattern) for name in known):
            hint = near_misses(pattern, known) or f"; edits are called like {known[0]}"
            raise UserError(f"no edit matches {pattern!r}{hint}")
    return [name for name in known if any(fnmatchcase(name, p) for p in words(patterns))]
