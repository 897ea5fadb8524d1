"""`dreamix study build`: builds a study and declares its analysis, in the order that is honest."""

from pathlib import Path

from dreamix.core.wording import listed, plural
from study_app.declaration import check_clips, check_content, declare
from study_app.open_study import check_shown, items_shown, open_store
from study_app.plan import Item, Plan
from study_app.power import Prospect, study_power
from study_app.prepare.build import Built, draft, finish, raters_for_quota
from study_app.spec.study import Study, read_study
from study_app.spec.texts import WIDTH
from study_app.status_text import utc_text
from study_app.store.database import answering, now


def build_and_declare(folder: Path, url: str | None, amendment: str | None) -> list[str]:
    """Return what to say of the study that was built, its analysis now declared.

    A declaration that votes forbid to change is found before anything is built.
    """
    study = read_study(folder)
    database = open_store(folder, url)
    try:
        with answering(database):
            check_content(database, study, amendment)
            built = draft(folder, has_raters=bool(items_shown(database)))
            check_clips(database, built.plan, changed_items(built.plan), amendment)
            check_shown(database, built.plan, folder)
            known = declare(database, built.study, built.plan, now(), amendment)
            built = finish(folder, built)
    finally:
        database.engine.dispose()
    when = f"{known.hash[:12]}, kept {utc_text(known.at)}"
    votes = plural(known.ratings, "rated trial")
    kept = f"after {votes}" if known.ratings else "before the first vote"
    return build_lines(built, study_power(built.study, built.plan), f"{when}, {kept}")


def changed_items(plan: Plan) -> list[Item]:
    """Return what is retired because something else stands in its place."""
    return [item for item in plan.retired if plan.successor(item.key)]


def build_lines(built: Built, power: Prospect, analysis: str) -> list[str]:
    """Return what was built: how much is to be rated by how many, checks, and what is left out."""
    study, cells = built.study, built.plan.of_kind("rating")
    edits, videos = {item.edit for item in cells}, {item.video for item in cells}
    what = "pair" if study.design == "pairwise" else "clip"
    raters = raters_for_quota(study, len(cells))
    lines = [
        f"to rate     {plural(len(cells), what)}: {plural(len(edits), 'edit')} of "
        f"{plural(len(videos), 'video')} by {', '.join(study.methods)}",
        f"raters      {raters} needed for {plural(study.size.votes, 'vote')} on each, in lists of "
        f"{study.size.trials}, if none drops out",
    ]
    if study.size.raters is not None and study.size.raters < raters:
        lines.append(f"            size.raters stops at {study.size.raters}: votes will be missing")
    lines += [f"checks      {_checks(built)}", f"media       {_media(built)}"]
    lines += [f"left out    {edit}: {reason}" for edit, reason in built.plan.left_out.items()]
    return [*lines, *power_lines(study, power), f"declared    {analysis}"]


def _media(built: Built) -> str:
    clips = f"{plural(built.clips, 'clip')} for browsers"
    if not built.kept:
        return clips
    older = "1 older one stays" if built.kept == 1 else f"{built.kept} older ones stay"
    return (
        f"{clips}; {older}, because the study is being served: stop the server and start it again "
        "to show what was built"
    )


def _checks(built: Built) -> str:
    checks, plan = built.study.checks, built.plan
    of = {kind: len(plan.of_kind(kind)) for kind in ("training", "trap", "gold")}
    listed_ = [
        *([f"{checks.traps} of {plural(of['trap'], 'trap')}"] if checks.traps else []),
        *([f"{checks.gold} of {plural(of['gold'], 'gold trial')}"] if checks.gold else []),
        *([plural(checks.repeats, "repeat")] if checks.repeats else []),
    ]
    practice = plural(of["training"], "practice trial") if of["training"] else "no practice"
    return f"a list has {listed(listed_) if listed_ else 'none'}; {practice} before it"


def power_lines(study: Study, prospect: Prospect) -> list[str]:
    """Return what differences the study would find, and what that assumes."""
    power, assumed = prospect
    if not power.freedom:
        return ["power       one video or one rater: no difference can be told from chance"]
    return [
        f"power       {_found(study, power.difference)} (two-sided 5%, "
        f"{plural(power.freedom, 'degree of freedom')})",
        f"            if a method's effect deviates by {assumed.method_rater} from rater to rater "
        f"and by {assumed.method_source} from video to video, and answers by {assumed.answer};",
        "            these are guesses, and the components of a pilot replace them",
    ]


def _found(study: Study, difference: float) -> str:
    """Return what is found with a power of 80%; none that no scale has room for is."""
    if study.design == "pairwise" and difference > 0.5:
        return "too few votes: not even a unanimous preference would be found"
    if study.design == "absolute" and difference > WIDTH:
        return "too few votes: not even methods at both ends of the scale would be told apart"
    what = f"a difference of {difference:.2f} points between two"
    if study.design == "pairwise":
        what = f"a preference of {50 + 100 * difference:.0f}% or more for one of two"
    return f"{what} methods is found with a power of 80%"
