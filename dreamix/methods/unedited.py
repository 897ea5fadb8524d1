"""Anchor: the source as it is. Perfect fidelity, no edit."""

from dreamix.core.config import NoConfig
from dreamix.methods.base import Edited, EditRequest, method


@method("unedited", anchor=True, seeded=False)
def unedited(request: EditRequest, backend: object, config: NoConfig) -> Edited:
    """Returns the source unchanged: the best fidelity and the alignment of not editing at all.

    A source that is one file is handed on as that file, so that it is known to be the same clip.
    """
    path = request.suite.source_path(request.edit.video)
    return path if path and path.is_file() else request.source
