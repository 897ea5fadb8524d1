"""`dreamix study simulate`: a crowd for a study, in a database where no people are."""

from pathlib import Path
from typing import Any

from dreamix.core.errors import UserError
from dreamix.core.registry import near_misses
from dreamix.core.wording import plural
from evaluation.run.folder import RunFolder
from study_app.following import followed, following
from study_app.monitor import who_rates
from study_app.opening import opened, simulated_url
from study_app.simulate import Crowd, arrivals, method_merit, simulate
from study_app.spec.study import Study
from study_app.state import state_of
from study_app.store.database import now
from study_app.telling import NO_SIMULATION_IS_DATA, refuse_mixing


def run_simulation(
    folder: Path,
    url: str | None,
    seed: int,
    merits: tuple[str, ...],
    follow: tuple[str, ...],
    crowd: dict[str, Any],
) -> list[str]:
    """Return what to say of the raters who came; the last of them comes about now."""
    where = simulated_url(folder, url)
    with opened(folder, where) as running:
        with running.database.reading() as session:
            refuse_mixing(who_rates(session), "simulated")
            state = state_of(session).name
        if state != "open":
            raise UserError(f"the study is {state} in this database: `dreamix study resume` it")
        people = Crowd(**crowd)
        means = method_means(running.study, merits)
        values = followed(running.study, RunFolder(folder / running.study.run), follow)
        finished = simulate(
            running,
            people,
            following(values, method_merit(running, means, seed), seed),
            seed=seed,
            start=_start(running.study, people, seed),
        )
        place = running.database.engine.url.render_as_string(hide_password=True)
    return [
        f"{plural(people.raters, 'SIMULATED rater')} came, {finished} finished: {place}",
        NO_SIMULATION_IS_DATA,
    ]


def method_means(study: Study, merits: tuple[str, ...]) -> dict[str, float]:
    """Return what METHOD=MEAN options say; a method that the study lacks is a `UserError`."""
    found: dict[str, float] = {}
    for merit in merits:
        method, _, mean = merit.rpartition("=")
        if method not in study.methods:
            raise UserError(
                f"--merit {merit}: the study has no method {method!r}"
                f"{near_misses(method, list(study.methods))}"
            )
        try:
            found[method] = float(mean)
        except ValueError:
            raise UserError(f"--merit {merit}: {mean!r} is not a number from 1 to 5") from None
    return found


def _start(study: Study, crowd: Crowd, seed: int) -> int:
    """Return when to begin such that the last who comes is at the last trial now."""
    last = arrivals(crowd, seed)[-1] + study.size.trials * crowd.trial
    return now() - round(1000 * last)
