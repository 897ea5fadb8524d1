"""Which screens there are and which follows which.

    welcome -> device -> instructions -> training -> quiz -> trials -> comment -> finished
    declined, unfit, failed and closed end the way early

The name of a rater's screen is in the store; together with the trials that are answered it is all
that has to be known to go on after any interruption.
"""

from enum import StrEnum


class Screen(StrEnum):
    """A page that a rater can be at."""

    WELCOME = "welcome"
    DEVICE = "device"
    INSTRUCTIONS = "instructions"
    TRAINING = "training"
    QUIZ = "quiz"
    TRIALS = "trials"
    COMMENT = "comment"
    FINISHED = "finished"
    DECLINED = "declined"
    UNFIT = "unfit"
    FAILED = "failed"
    CLOSED = "closed"


ENDS = frozenset({Screen.FINISHED, Screen.DECLINED, Screen.FAILED, Screen.CLOSED})
