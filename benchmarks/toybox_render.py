"""How long Toybox takes: `python benchmarks/toybox_render.py` prints a Markdown table.

Median over the 29 videos of the suite, each the best of five, in processor time of one core.
"cold" draws the backdrop and the particles anew, as the first clip of a process does.
"""

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

from dreamix.toybox.world import Scene, effects, render, render_base, truth
from dreamix.toybox.world.backgrounds import backdrop_picture
from dreamix.toybox.world.benchmark import suite_videos
from dreamix.toybox.world.fixedmath import grain


def best(work: Callable[[Scene], object], scene: Scene) -> float:
    """Return the shortest of five runs, in milliseconds of processor time."""
    times = []
    for _ in range(5):
        start = time.process_time()
        work(scene)
        times.append((time.process_time() - start) * 1000)
    return min(times)


def cold_render(scene: Scene) -> object:
    """Render with all caches empty."""
    for cache in (backdrop_picture, grain, effects._tile, effects._fog_tile):
        cache.cache_clear()
    return render(scene)


def main() -> None:
    """Print the table."""
    scenes = suite_videos().values()
    rows: dict[str, Callable[[Scene], object]] = {
        "render, 16 frames of 96x160": render,
        "render, cold": cold_render,
        "render_base, 16 frames of 24x40": render_base,
        "render, 8 frames of 96x160": lambda scene: render(scene, 8),
        "render, 16 frames of 384x640": lambda scene: render(scene, 16, 384, 640),
        "truth, 16 frames of 96x160": truth,
    }
    print("| | median ms | slowest ms |")
    print("|---|---|---|")
    for name, work in rows.items():
        times = [best(work, scene) for scene in scenes]
        print(f"| {name} | {statistics.median(times):.1f} | {max(times):.1f} |")


if __name__ == "__main__":
    main()
