"""What of a run folder must not depend on where, by how many, or in which order it was made."""

import json
from pathlib import Path

# Facts about the making, not about what was made.
MEASURED = ("seconds", "peak_memory_mb")


def results(out: Path) -> dict[str, bytes]:
    """Return what must be equal: all files of clips and sources, run.json and suite.json."""
    kept = [path for name in ("clips", "sources") for path in (out / name).rglob("*")]
    files = [path for path in kept if path.is_file()] + [out / "run.json", out / "suite.json"]
    return {str(path.relative_to(out)): contents(path) for path in sorted(files)}


def contents(path: Path) -> bytes:
    """Return a file; of a sidecar, all but what was measured."""
    data = path.read_bytes()
    if path.suffix != ".json" or "clips" not in path.parts:
        return data
    row = {key: value for key, value in json.loads(data).items() if key not in MEASURED}
    (row["facts"] or {}).pop("finetune_seconds", None)
    return json.dumps(row, sort_keys=True).encode()
