"""What the recipes share: a request a line comes in, an answer a line goes out, nothing else does.

Copy it beside a recipe. It needs Python 3.8 and nothing more.
"""

import json
import os
import sys
from itertools import islice

# Libraries print what they like: from here on that goes where warnings go.
_ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)


class DoesNotApply(Exception):
    """A number would have no meaning for a clip; the message says why."""


def serve(scores, batch=1, **facts):
    """Answer all requests; scores: from a list of requests to a number each.

    An exception costs the clips of its batch, unless `scores` returns it in the place of a number.
    facts: what the metric is: version, direction, axis, bounds.
    """
    _tell(facts)
    requests = (json.loads(line) for line in sys.stdin)
    while True:
        clips = list(islice(requests, batch))
        if not clips:
            return
        try:
            found = scores(clips)
        except Exception as error:  # noqa: BLE001 - it is the answer
            found = [error] * len(clips)
        for clip, one in zip(clips, found):  # noqa: B905 - Python 3.8 has no strict
            _tell({"id": clip["id"], **_answer(one)})


def need(error, how):
    """End with one line: what could not be imported, and how to get it."""
    sys.exit("%s: %s; %s" % (os.path.basename(sys.argv[0]), error, how))  # noqa: UP031


def prompt_of(clip):
    """Return what the edited clip should show."""
    if not clip.get("prompt"):
        raise DoesNotApply("the edit has an instruction and no prompt")
    return clip["prompt"]


def _answer(one):
    if isinstance(one, DoesNotApply):
        return {"skip": str(one)}
    if isinstance(one, Exception):
        return {"error": f"{type(one).__name__}: {one}"}
    return {"value": float(one)}


def _tell(what):
    _ANSWERS.write(json.dumps(what) + "\n")
    _ANSWERS.flush()
