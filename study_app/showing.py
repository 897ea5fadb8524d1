"""In which order the clips of a trial are shown."""

from study_app.plan import Item


def shown(item: Item, swapped: bool) -> tuple[str, ...]:
    """Return the names of an item's clips as they are shown: the source first, then left to right.

    swapped: the two edits of a pair have changed sides.
    """
    if not item.reference:
        return item.left, item.right
    left, right = (item.right, item.left) if swapped else (item.left, item.right)
    return item.reference, left, right
