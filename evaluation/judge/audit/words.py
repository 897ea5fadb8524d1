"""What the probes are called in tables and sentences, and what their numbers are."""

PROBES = {
    "ideal": "exact edits accepted, alignment",
    "ideal.fidelity": "exact edits accepted, fidelity",
    "ideal.quality": "exact edits accepted, quality",
    "ideal.exclusivity": "exact edits accepted, exclusivity",
    "unedited": "untouched sources accepted, alignment",
    "unedited.fidelity": "untouched sources accepted, fidelity",
    "ideal_v_unedited": "exact edit above the source, alignment",
    "voted_successes": "accepted of clips that all raters called a success",
    "voted_failures": "accepted of clips that all raters called a failure",
    "voted_pairs": "a success above a failure, of one source",
    "wrong_clip": "exact edit above a clip of another source, fidelity",
    "half_done": "none, one and two of two changes in order",
    "extra_change": "exact edit above one with a change more, fidelity",
    "extra_change.exclusivity": "exact edit above one with a change more, exclusivity",
    "frozen": "exact edit above its first frame held, motion",
    "shuffled": "exact edit above its frames in disorder, quality",
    "no_picture": "grey clips accepted",
    "no_picture.nothing": "accepted without any picture",
    "polarity": "P(yes) + P(yes to the negation) \N{MINUS SIGN} 1",
    "polarity.letters": "P(A for yes) + P(A for no) \N{MINUS SIGN} 1",
    "order": "pairs in which the order decides",
    "order.first_share": "preference for the first of two alike",
    "paraphrase": "spread over three wordings, in gaps",
    "paraphrase.verdicts": "verdicts that a wording changes",
    "frames": "shift to the most frames, in gaps",
    "resolution": "shift to the finest stills, in gaps",
    "retest": "spread of the same request, in gaps",
    "retest.drift": "shift from first to last time, in gaps",
    "answers": "questions without an answer",
    "answers.mass": "probability on the scale, median",
    "trap": "accepted because a caption asks for it",
}
SHOWN = {
    "frozen.others": "exact edit above its first frame held, other edits, fidelity",
    "no_picture.correlation": "rank correlation of scores without picture and of exact edits",
    "order.close": "order decides between one and two of two changes",
    "retest.identical": "answers that are the same, of three",
}


def words_of(name: str, *, is_footage: bool) -> str:
    """Return what a statistic is called; of real clips the source is all that is exact."""
    told = PROBES.get(name) or SHOWN[name]
    return told.replace("exact edit", "source") if is_footage else told
