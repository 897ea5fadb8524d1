"""Which small pipelines tests are made for: names of `tiny_pipelines.TINY`, free to import."""

import pytest

# all of them; the second variants of a family in the slow run
EVERY = [
    "wan2.1",
    "wan2.2",
    pytest.param("wan2.2-5b", marks=pytest.mark.slow),
    "cogvideox-2b",
    pytest.param("cogvideox-5b", marks=pytest.mark.slow),
    "ltx-2b",
    "modelscope",
    "animatediff",
]
FIVE = [  # one of every family
    "wan2.1",
    "cogvideox-2b",
    "modelscope",
    "animatediff",
    pytest.param("ltx-2b", marks=pytest.mark.slow),
]
ONE = [  # one of every family, in the slow run; the fastest always
    "wan2.1",
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("cogvideox-2b", "modelscope")),
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("animatediff", "ltx-2b")),
]
SEPARABLE = ("modelscope", "animatediff")  # whose frame pass is exact
