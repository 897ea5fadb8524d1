"""Folders as a stranger might hand them over: copies of a good one, spoilt at random.

`spoil` draws where and how from a `random.Random`, which hypothesis seeds and shrinks. `Arena` is
the place around the folder: whatever changes there, and was not asked for, was written outside.
"""

import copy
import json
import os
import random
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from dreamix.core.errors import UserError

LIMIT = 120.0  # seconds for one example, however busy the machine is
NAMES = (
    "..", ".", "", "/", "../../victims/mine.txt", "/etc/passwd", "a/b", "a\\b", "\0", "x" * 300,
    "CON", "nul.mp4", "ü" * 120, "e\u0301", "\u202egpj", "\ud800", "-rf", ".hidden", " ", "a\nb",
    "0.json", "run.json", "v0.json", "../v0.mp4", "日本語", "a:b", "*", "\x1b[31m", "C:\\x",
    "1.mp4", "~", "$HOME", "{edit}", "%s", "<b>", "'; --", "alpha", "composite.quality",
)  # fmt: skip
ODD = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 1e308, 0.5, 10**7, 3.0,
    float("nan"), float("inf"), "", "1", [], {}, [[]], [None], {"": None}, [1, 1], "ok", "failed",
    ["a"] * 50, "x" * 5000, {"seed": 1}, "inf", [0, 1, 2], {"file": "../x"},
)  # fmt: skip
# that may be spoilt whole
FOLDERS = ("clips", "sources", "alpha", "unedited", "v0_0", "v1_0", "masks")
RAW = (
    b"", b"null", b"[1]", b"{}", b"[" * 100_000, b'{"a":' * 5_000, b"1" * 5_000, b"\xff\xfe{\0}\0",
    b"NaN", b'{"a":1,"a":2}', b"\0" * 64, b"\xef\xbb\xbf{}", b'"\\ud800"', b"\n\n\n", b"1e999",
)  # fmt: skip


class Arena:
    """A place with the folder under attack and files around it that must stay as they are."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.victims = place / "victims"
        (self.victims / "deep").mkdir(parents=True)
        for name in ("mine.txt", "mine.json", "deep/mine.mp4", ".lock", "scores.jsonl"):
            (self.victims / name).write_text("mine\n")
        self.before = state(place)

    def fresh(self, base: Path, name: str) -> Path:
        """Return a copy of `base`; what an example left is removed."""
        folder = self.place / name
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder, symlinks=True, copy_function=_copy)
        return folder

    def check(self, *ours: str) -> None:
        """Fail if anything outside the folders `ours` has changed, been made or been removed."""
        after = state(self.place, ours)
        before = {
            path: held for path, held in self.before.items() if path.split("/")[0] not in ours
        }
        assert after == before, f"written outside: {dict(after.items() ^ before.items())}"


def _copy(source: str, target: str) -> str:
    """Link clips, which are replaced and never changed in place; copy the rest."""
    if source.endswith((".mp4", ".png")):
        os.link(source, target)
        return target
    return shutil.copyfile(source, target)


def state(place: Path, without: tuple[str, ...] = ()) -> dict[str, tuple[int, ...]]:
    """Return what tells that something has changed, of all there is by its path.

    Links are not followed. Of a folder, only that it is one: what is in it is told of its own.
    """
    found = {}
    for folder, names, files in os.walk(place):
        if folder == str(place):
            names[:] = [name for name in names if name not in without]
            files = [name for name in files if name not in without]
        for name in (*names, *files):
            path = Path(folder, name)
            of = path.lstat()
            times = () if stat.S_ISDIR(of.st_mode) else (of.st_size, of.st_mtime_ns, of.st_ino)
            found[path.relative_to(place).as_posix()] = (stat.S_IFMT(of.st_mode), *times)
    return found


def refused_or_done(act: Callable[[], object]) -> str | None:
    """Run an act; return the one line of its refusal, None if there was none.

    Any other exception, several lines, or no end within `LIMIT` seconds fails the test.
    """
    try:
        with _in_time():
            act()
    except UserError as error:
        line = str(error)
        assert line.strip() and "\n" not in line and "\r" not in line, repr(line)
        assert len(line) < 3000, f"a line of {len(line)} characters"
        line.encode()
        return line
    return None


@contextmanager
def _in_time() -> Iterator[None]:
    def hang(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"no end within {LIMIT} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def spoil(folder: Path, rng: random.Random, victims: Path) -> str:
    """Spoil a folder in one place; return in words how."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    texts = [path for path in files if path.suffix in (".json", ".jsonl", ".yaml")]
    if not files:
        return "nothing left"
    act = rng.choice((*(_value,) * 6, _bytes, _node, _rename))
    path = rng.choice(texts if act is _value and texts else rng.choice((texts or files, files)))
    return f"{act.__name__} {path.relative_to(folder)}: {act(path, rng, victims)}"


def _value(path: Path, rng: random.Random, _victims: Path) -> str:
    """Change one value of a JSON file, or of a line of one."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    lines = text.splitlines() if path.suffix == ".jsonl" else [text]
    number = rng.randrange(max(1, len(lines)))
    try:
        value = json.loads(lines[number])
    except (ValueError, IndexError, RecursionError):
        return _bytes(path, rng, _victims)
    changed, what = _changed(value, rng)
    lines[number] = dumped(changed, rng)
    path.unlink()
    path.write_bytes(("\n".join(lines) + "\n").encode("utf-8", "surrogatepass"))
    return what


def dumped(value: Any, rng: random.Random) -> str:
    """Return JSON text, now and then with a key that stands twice or letters as codes."""
    import sys

    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5 or "\ud800" in repr(value))
    sys.set_int_max_str_digits(limit)
    if rng.random() < 0.03 and text.startswith("{") and len(text) > 2:
        key = text[1:].split(":", 1)[0]
        text = f"{{{key}: 0, {text[1:]}"
    return text


def _changed(value: Any, rng: random.Random) -> tuple[Any, str]:
    """Return a JSON value changed at one place below it, and how."""
    places = list(_places(value, ()))
    at = rng.choice(places)
    if not at:
        return (_odd(rng), "all") if rng.random() < 0.2 else _changed_at(value, at, rng)
    return _changed_at(value, at, rng)


def _changed_at(value: Any, at: tuple[Any, ...], rng: random.Random) -> tuple[Any, str]:
    if not at:
        return _longer(value, rng), "more"
    holder, last = _at(value, at[:-1]), at[-1]
    act = rng.choice(("odd", "name", "drop", "key", "deep", "other"))
    if act == "drop":
        del holder[last]
    elif act == "key" and isinstance(holder, dict):
        holder[rng.choice(NAMES)] = holder.pop(last)
    else:
        holder[last] = _instead(act, value, holder[last], rng)
    return value, f"{act} at {at}"


def _longer(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        value[rng.choice((*NAMES, "extra"))] = _odd(rng)
    elif isinstance(value, list):
        value.append(rng.choice((*value, _odd(rng))))
    return value


def _instead(act: str, whole: Any, held: Any, rng: random.Random) -> Any:
    if act == "deep":
        for _ in range(rng.choice((1, 30, 200))):
            held = [held]
        return held
    if act == "other":
        return copy.deepcopy(rng.choice([_at(whole, at) for at in _places(whole, ())][-40:]))
    return rng.choice(NAMES) if act == "name" else _odd(rng)


def _odd(rng: random.Random) -> Any:
    held = rng.choice((*ODD, *NAMES[:12]))
    return json.loads(json.dumps(held)) if isinstance(held, list | dict) else held


def _places(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*at, key))
    elif isinstance(value, list):
        for number, one in enumerate(value[:20]):
            yield from _places(one, (*at, number))


def _at(value: Any, at: tuple[Any, ...]) -> Any:
    for step in at:
        value = value[step]
    return value


def _bytes(path: Path, rng: random.Random, _victims: Path) -> str:
    """Cut a file, flip bits of it, write it in another encoding, or put something else there."""
    data = path.read_bytes()
    act = rng.choice(("cut", "flip", "raw", "bom", "utf-16", "more", "inside"))
    if act == "cut":
        data = data[: rng.randrange(len(data) + 1)]
    elif act == "flip" and data:
        bits = bytearray(data)
        for _ in range(rng.choice((1, 3, 20))):
            bits[rng.randrange(len(bits))] ^= 1 << rng.randrange(8)
        data = bytes(bits)
    elif act == "raw":
        data = rng.choice(RAW)
    elif act == "bom":
        data = b"\xef\xbb\xbf" + data
    elif act == "utf-16":
        data = data.decode("latin-1").encode("utf-16")
    elif act == "inside" and data:
        cut = rng.randrange(len(data))
        data = data[:cut] + rng.choice(RAW)[:200] + data[cut:]
    else:
        data += rng.choice(RAW)[:2000]
    path.unlink()
    path.write_bytes(data)
    return act


def _node(path: Path, rng: random.Random, victims: Path) -> str:
    """Put something that is no file in the place of a file or of its folder."""
    if rng.random() < 0.3 and path.parent.name in FOLDERS:
        path = path.parent
    act = rng.choice(("pipe", "folder", "out", "out folder", "ring", "zero", "gone", "lost"))
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if act == "pipe":
        os.mkfifo(path)
    elif act == "folder":
        path.mkdir()
    elif act == "ring":
        path.symlink_to(path.name)
    elif act != "gone":
        mine = victims / rng.choice(("mine.txt", "mine.json", "deep/mine.mp4", "scores.jsonl"))
        targets = {"out": mine, "out folder": victims, "zero": "/dev/zero", "lost": victims / "new"}
        path.symlink_to(targets[act])
    return act


def _rename(path: Path, rng: random.Random, _victims: Path) -> str:
    """Give a file or a folder of it another name."""
    one = path if rng.random() < 0.6 or path.parent.name not in FOLDERS else path.parent
    fit = [n.replace("/", "_") for n in NAMES if n not in ("", ".", "..") and "\0" not in n]
    name = rng.choice(fit).encode("utf-8", "replace")[:200].decode("utf-8", "ignore")
    target = one.with_name(name)
    if not target.exists() and not target.is_symlink():
        one.rename(target)
    return target.name
