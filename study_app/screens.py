"""Which screens there are and which follows which.

    welcome -> device -> instructions -> training -> quiz -> trials -> comment -> finished
    feedback follows each trial of the training, break comes between trials
    full waits, where all places were taken when somebody came, until there is one
    declined, unfit, failed, no_play, closed and left end the way early

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
    FEEDBACK = "feedback"
    QUIZ = "quiz"
    TRIALS = "trials"
    BREAK = "break"
    COMMENT = "comment"
    FINISHED = "finished"
    DECLINED = "declined"
    UNFIT = "unfit"
    FAILED = "failed"
    NO_PLAY = "no_play"
    FULL = "full"
    CLOSED = "closed"
    LEFT = "left"


ENDS = frozenset(
    {Screen.FINISHED, Screen.DECLINED, Screen.FAILED, Screen.NO_PLAY, Screen.CLOSED, Screen.LEFT}
)
