"""Orders of methods in which every method stands at every place, after every other, equally often.

Williams 1949: for an even number of methods the rows of one square do it, for an odd number those
of the square and of its mirror image.
"""


def williams_rows(methods: int) -> list[list[int]]:
    """Return the rows of the Williams design, each a permutation of 0..methods - 1."""
    first = [0]
    while len(first) < methods:
        step = len(first)
        first.append((step + 1) // 2 if step % 2 else methods - step // 2)
    square = [[(number + shift) % methods for number in first] for shift in range(methods)]
    return square if methods % 2 == 0 else square + [row[::-1] for row in square]


def method_order(methods: int, length: int, number: int) -> list[int]:
    """Return the methods of a list of `length` trials, row after row of the Williams design.

    number: how many lists there were before; each list begins one row further on.
    """
    rows = williams_rows(methods)
    order: list[int] = []
    while len(order) < length:
        order += rows[number % len(rows)]
        number += 1
    return order[:length]
