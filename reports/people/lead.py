"""How a study was set up and who took part, in sentences of the methods paragraph."""

from datetime import UTC, datetime
from typing import Any

from reports.people.export import Exported
from reports.wording import listed, plural

DESIGNS = {
    "absolute": "rated one edit at a time, beside its source and prompt, from 1 to 5 with a verbal "
    "label on every point",
    "pairwise": "chose between two edits of one source, beside it and the prompt, with no "
    "difference as a third answer",
}
RULES = {
    "failed_traps": "failing {} or more trap clips",
    "failed_gold": "failing {} or more trials with a known answer",
    "failed_playback": "rating {} or more clips without having watched them",
    "straight_line": "giving votes with a variance of at most {}",
    "unplayable": "reporting that {} of the clips or more did not play",
    "least_ratings": "giving fewer than {} ratings",
}
RULES_OF_ONE = {
    "failed_traps": "failing a trap clip",
    "failed_gold": "failing a trial with a known answer",
    "failed_playback": "rating a clip without having watched it",
}


def study_lead(export: Exported) -> list[str]:
    """Return what was asked of whom, on what terms, and who was left out by which rules."""
    return [_asked(export), _took_part(export), _rules(export), _declared(export)]


def _asked(export: Exported) -> str:
    plan = export.plan[export.plan["kind"] == "rating"]
    unit = "clip" if export.design == "absolute" else "pair"
    edits = f"{plural(plan['edit'].nunique(), 'edit')} of "
    edits += plural(plan["video"].nunique(), "source video")
    return (
        f"In the study {export.name}, raters {DESIGNS[export.design]}; the questions were about "
        f"{listed(export.questions)}. There were {plural(len(plan), unit)} to rate, of {edits} by "
        f"{listed(export.methods)}, dealt in balanced incomplete blocks with rotated methods."
    )


def _took_part(export: Exported) -> str:
    raters, own = export.raters, export.own
    who = "simulated rater" if export.simulated else "rater"
    counted = own[~own["excluded"]]
    out = int(raters["excluded"].sum())
    return (
        f"Of {plural(len(raters), who)} who began, {int(raters['finished'].sum())} finished; "
        f"{out or 'none'} {'were' if out > 1 else 'was'} excluded, and "
        f"{plural(len(counted), 'answer')} of {plural(counted['rater'].nunique(), 'rater')} "
        f"{'counts' if len(counted) == 1 else 'count'}; training, traps, trials with a known "
        "answer and repeats are not among them."
    )


def _rules(export: Exported) -> str:
    rules: dict[str, Any] = export.study.get("exclusion", {})
    said = [rule_words(k, rules[k]) for k in RULES if rules.get(k)]
    playback = export.study.get("playback", {}).get("coverage")
    part = f"{100 * playback:g}% of it" if playback else ""
    watched = f" A clip could be rated once {part} had been played." if part else ""
    if not said:
        return f"No rule of exclusion was declared.{watched}"
    text = f"{', '.join(said[:-1])} or {said[-1]}" if said[1:] else said[0]
    return f"Raters were to be excluded for {text}.{watched}"


def rule_words(rule: str, limit: float) -> str:
    """Return what a rule excludes raters for, such as "failing a trap clip"."""
    text = RULES_OF_ONE.get(rule) if limit == 1 else None
    return text or RULES[rule].format(f"{100 * limit:g}%" if rule == "unplayable" else f"{limit:g}")


def _declared(export: Exported) -> str:
    """Return when the plan was declared, and what changed since: when, why, after how much."""
    declared = export.declared
    if not declared:
        return "The export does not say when the plan of the analysis was declared."
    first = declared.get("first") or declared
    votes = int(first["ratings"])
    since = f"after {plural(votes, 'rated trial')}" if votes else "before the first vote"
    kept = f"was kept on {_day(first)}, {since}"
    text = f"The plan of the analysis (hash {str(first['hash'])[:12]}) {kept}."
    changes = [one for one in declared.get("amendments", ()) if not one.get("automatic")]
    return " ".join([text, *map(_change, changes), *_apart(export)])


def _change(entry: dict[str, Any]) -> str:
    """Return an amendment as a sentence; the reason is the researcher's."""
    reason = str(entry.get("reason", "")).strip().rstrip(".")
    after = plural(int(entry.get("ratings", 0)), "rated trial")
    return f"It was amended on {_day(entry)} after {after}, for this reason: {reason}."


def _apart(export: Exported) -> list[str]:
    """Return how many votes are under which declaration, and how many are kept apart."""
    said, own = [], export.own
    if "declared" in own and own["declared"].nunique() > 1:
        counts = own.drop_duplicates("trial")["declared"].value_counts(sort=False)
        parts = [f"{count} under {digits}" for digits, count in counts.items()]
        said.append(f"Of the trials that are analysed, {listed(parts)} were rated.")
    gone = int((export.wide["kind"] == "retired").sum())
    if gone:
        trials = "trial was" if gone == 1 else "trials were"
        said.append(
            f"{gone} rated {trials} of clips that were made anew or taken out since, and "
            f"{'is' if gone == 1 else 'are'} left out."
        )
    return said


def _day(entry: dict[str, Any]) -> str:
    return datetime.fromtimestamp(int(entry["at"]) / 1000, UTC).strftime("%Y-%m-%d")
