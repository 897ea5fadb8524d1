"""Anchor: the exact edit, where the suite knows it."""

from dreamix.core.config import NoConfig
from dreamix.core.errors import DoesNotApply
from dreamix.core.video import Video
from dreamix.methods.base import EditRequest, method


@method("ideal", anchor=True, seeded=False)
def ideal(request: EditRequest, backend: object, config: NoConfig) -> Video:
    """Returns the same scene rendered anew with only the asked change: the best possible edit."""
    exact = request.suite.ideal(request.edit.id)
    if exact is None:
        raise DoesNotApply("the suite does not know the ideal edit (only rendered ones do)")
    return exact
