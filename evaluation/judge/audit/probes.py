"""The probes: what follows from the answers of an audit, one statistic each.

Their names are those of `evaluation.judge.audit.rules`; others are shown, and decide nothing.
"""

from collections.abc import Iterator

import numpy as np

from evaluation.judge.audit.answers import Answers
from evaluation.judge.audit.finding import (
    NONE,
    PREFERS,
    Finding,
    Measured,
    above,
    correlation_of,
    count_of,
    decided,
    filled,
    in_gaps,
    in_order,
    mean_of,
    median_of,
    ratio_of_means,
    share_of,
)
from evaluation.judge.audit.plan import AGAIN, LOW_QUALITY, counts_of, sides_of
from evaluation.judge.audit.rules import RULES
from evaluation.judge.frames import FramePolicy
from evaluation.judge.prompts import PAIR_OPTIONS
from evaluation.stats.shares import paired_share_difference, wilson


def findings(answers: Answers, policy: FramePolicy) -> list[Finding]:
    """Return the statistics of all probes, in order, then those that are only shown."""
    found = [
        *_seen(answers), *_rest(answers), *_time(answers), *nothing(answers),
        *_polarity(answers), *_order(answers), *_wordings(answers),
        *_policies(answers, policy), *_again(answers), *answered(answers), *led(answers),
    ]  # fmt: skip
    order = [*RULES]
    return sorted(found, key=lambda one: order.index(one.name) if one.name in order else 99)


def findings_in(answers: Answers, category: str) -> list[Finding]:
    """Return those statistics that can be told apart by category, of one of them."""
    part = answers.within(category)
    return [*_seen(part), *_rest(part), *_time(part)]


def _seen(answers: Answers) -> Iterator[Finding]:
    for part, suffix in (("alignment", ""), ("fidelity", ".fidelity"), ("quality", ".quality"),
                         ("exclusivity", ".exclusivity")):  # fmt: skip
        yield share_of(f"ideal{suffix}", answers.accepted(f"exact/{part}"))
    yield share_of("unedited", answers.accepted("source/alignment"))
    yield share_of("unedited.fidelity", answers.accepted("source/fidelity"))
    exact, source = answers.score("exact/alignment"), answers.score("source/alignment")
    yield share_of("ideal_v_unedited", above(exact, source))
    none, one, two = (answers.score(f"two/{shown}") for shown in ("source", "exact", "both"))
    yield share_of("half_done", in_order(none, one, two))


def _rest(answers: Answers) -> Iterator[Finding]:
    exact = answers.score("exact/fidelity")
    yield share_of("wrong_clip", above(exact, answers.score("other/fidelity")))
    yield share_of("extra_change", above(exact, answers.score("extra/fidelity")))
    pair = answers.score("exact/exclusivity"), answers.score("extra/exclusivity")
    yield share_of("extra_change.exclusivity", above(*pair))


def _time(answers: Answers) -> Iterator[Finding]:
    for name, part in (("frozen", "alignment"), ("frozen.others", "fidelity")):
        some = answers.asked(f"frozen/{part}")
        yield share_of(name, above(some.score(f"exact/{part}"), some.score(f"frozen/{part}")))
    some = answers.asked("shuffled/quality")
    yield share_of("shuffled", above(some.score("exact/quality"), some.score("shuffled/quality")))


def nothing(answers: Answers) -> Iterator[Finding]:
    """Yield what it says where there is nothing to see."""
    for name, question in (("no_picture", "grey"), ("no_picture.nothing", "nothing")):
        yield share_of(name, answers.accepted(f"{question}/alignment"))
    pair = answers.score("nothing/alignment"), answers.score("exact/alignment")
    if not answers.asked("exact/alignment").edits:
        return
    yield Finding("no_picture.correlation", *correlation_of(*pair), count_of(*pair), None)


def _polarity(answers: Answers) -> Iterator[Finding]:
    """P(yes) + P(yes to the negation) - 1; 0 without a liking for yes."""
    parts = [
        answers.score(f"yes/{shown}") + answers.score(f"no/{shown}") - 1
        for shown in ("exact", "source")
    ]
    yield mean_of("polarity", np.mean(parts, axis=0))
    swapped = answers.score("letters/first") + answers.score("letters/last") - 1
    yield mean_of("polarity.letters", swapped)


def _order(answers: Answers) -> Iterator[Finding]:
    for name, first, second in (("order", "exact", "source"), ("order.close", "both", "exact")):
        one = _favourites(answers, f"pair/{first}-{second}")
        other = _favourites(answers, f"pair/{second}-{first}")
        flips = np.where(np.isnan(one + other), np.nan, (one == other) & (one != 0))
        yield share_of(name, flips)
    yield from first_of_alike(answers, "exact")


def first_of_alike(answers: Answers, shown: str) -> Iterator[Finding]:
    """Yield the preference for the first of two clips that are one."""
    alike = [answers.share(f"pair/{shown}-{shown}", option) for option in PAIR_OPTIONS]
    yield mean_of("order.first_share", alike[0] + alike[2] / 2)


def _wordings(answers: Answers) -> Iterator[Finding]:
    """Spread of the score over three wordings, in gaps; share of verdicts that change."""
    names = [
        [f"{shown}/alignment", f"wording 2/{shown}", f"wording 3/{shown}"]
        for shown in ("exact", "source")
    ]
    spread = [np.std([answers.score(n) for n in three], axis=0, ddof=1) for three in names]
    yield in_gaps("paraphrase", answers, np.mean(spread, axis=0))
    some = answers.asked(*names[0], *names[1])
    verdicts = [np.ptp([some.accepted(n) for n in three], axis=0) for three in names]
    yield share_of("paraphrase.verdicts", np.max(verdicts, axis=0))


def _policies(answers: Answers, policy: FramePolicy) -> Iterator[Finding]:
    """How far scores still are from those of the most frames, of the largest stills."""
    asked = len(answers.asked("wording 2/exact").edits)  # of those of steadiness
    counts = [(f"frames {count}", count == policy.count) for count in counts_of(policy)]
    sides = [(f"side {side}", side == policy.side) for side in sides_of(policy)]
    after = [*_shifts(answers, "frames", counts)]
    yield from (one for one, _ in after)
    yield _worst("frames", after, asked)
    after = [*_shifts(answers, "resolution", sides), *_packing(answers)]
    yield from (one for one, _ in after)
    yield _worst("resolution", after, asked)


def _packing(answers: Answers) -> Iterator[tuple[Finding, bool]]:
    for shown in ("exact", "source"):
        pair = answers.score(f"jpeg {LOW_QUALITY}/{shown}"), answers.score(f"{shown}/alignment")
        yield in_gaps(f"resolution.jpeg.{shown}", answers, pair[0] - pair[1]), True


def _shifts(
    answers: Answers, probe: str, shapes: list[tuple[str, bool]]
) -> Iterator[tuple[Finding, bool]]:
    """Yield the shift of each shape but the last from the last; True from the default on."""
    name_of = {name: ("{}/alignment" if own else name + "/{}") for name, own in shapes}
    most, default = shapes[-1][0], next(k for k, (_, own) in enumerate(shapes) if own)
    for place, (name, _) in enumerate(shapes[:-1]):
        for shown in ("exact", "source", "frozen"):
            pair = name_of[name].format(shown), name_of[most].format(shown)
            if answers.asked(*pair).edits:
                told = f"{probe}.{name.split()[1]}.{shown}"
                shift = answers.score(pair[0]) - answers.score(pair[1])
                yield in_gaps(told, answers, shift), place >= default


def _worst(name: str, found: list[tuple[Finding, bool]], asked: int) -> Finding:
    """Return the shift that is farthest from nothing as the statistic of its probe."""
    decisive = [one for one, is_decisive in found if is_decisive]
    if not decisive and asked:  # nothing more can be shown than is
        return decided(name, Measured(0.0, 0.0, 0.0), asked)
    known = [one for one in decisive if np.isfinite(one.value)]
    if len(known) < len(decisive) or not known:
        return decided(name, NONE, 0)
    worst = max(known, key=lambda one: max(abs(one.low), abs(one.high)))
    return decided(name, Measured(*worst[1:4]), worst.sources)


def _again(answers: Answers) -> Iterator[Finding]:
    """Spread of a score over the same request, in gaps; share of identical answers; drift."""
    names = _times(("exact", "source"))
    scores = np.array([[answers.score(name) for name in three] for three in names])
    spread = np.std(scores, axis=1, ddof=1)
    yield in_gaps("retest", answers, np.mean(spread, axis=0))
    yield in_gaps("retest.drift", answers, np.mean(scores[:, -1] - scores[:, 0], axis=0))
    yield from identical(answers, ("exact", "source"))


def _times(showings: tuple[str, ...]) -> list[list[str]]:
    """Return the names of a request at all times that it is sent, for each showing."""
    return [
        [f"{shown}/alignment", *(f"again {number}/{shown}" for number in AGAIN)]
        for shown in showings
    ]


def identical(answers: Answers, showings: tuple[str, ...]) -> Iterator[Finding]:
    """Yield the share of requests that had the same answer every time."""
    names = _times(showings)
    some = answers.asked(*(name for three in names for name in three))
    ranges = np.array([np.ptp([some.score(name) for name in three], axis=0) for three in names])
    same = np.where(np.isnan(ranges), np.nan, ranges < PREFERS).mean(axis=0)
    yield share_of("retest.identical", same)


def answered(answers: Answers) -> Iterator[Finding]:
    """Share of failures among all questions, by source; mass on what was offered."""
    ids = {one.id for one in answers.edits}
    failed, count = dict.fromkeys(ids, 0.0), dict.fromkeys(ids, 0)
    masses = []
    for (edit, _), answer in answers.table.items():
        if edit in ids:
            failed[edit] += answer.status != "ok"
            count[edit] += 1
            masses += [answer.mass] if answer.mass is not None else []
    order = [one.id for one in answers.edits if count[one.id]]
    parts = np.array([failed[one] for one in order]), np.array([float(count[one]) for one in order])
    estimate = ratio_of_means("answers", *parts) if len(order) > 1 else NONE
    if len(order) > 1 and not parts[0].any():
        estimate = Measured(0.0, 0.0, wilson(np.zeros(int(parts[1].sum()))).high)
    yield decided("answers", estimate, len(order))
    if masses:
        yield decided("answers.mass", median_of(np.array(masses)), len(order))


def led(answers: Answers) -> Iterator[Finding]:
    """Yield how many sources more it accepts with a caption that asks for it."""
    pair = answers.accepted("captioned/alignment"), answers.accepted("source/alignment")
    estimate = Measured(*paired_share_difference(*pair))
    low, high = (filled(pair[0], end) - filled(pair[1], 1 - end) for end in (0.0, 1.0))
    extremes = [Measured(*(float(one.mean()),) * 3) for one in (low, high) if len(one)]
    yield decided("trap", estimate, count_of(*pair), extremes if np.isnan(pair).any() else ())


def _favourites(answers: Answers, question: str) -> np.ndarray:
    """Return which seat was preferred: 1 the first, -1 the second, 0 neither."""
    a, b, equal = (answers.share(question, option) for option in PAIR_OPTIONS)
    tie = (equal >= np.maximum(a, b)) | (np.abs(a - b) <= PREFERS)
    return np.where(np.isnan(a), np.nan, np.where(tie, 0.0, np.sign(a - b)))
