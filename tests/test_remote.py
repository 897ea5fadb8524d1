"""Places elsewhere as folders here: what is fetched, what is sent, and what can go wrong between.

The store is fsspec's own, in memory; test_object_stores has servers of S3, Google and HTTP.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import click
import fsspec
import pytest
from click.testing import CliRunner

from dreamix.core.errors import StorageError, UserError
from dreamix.remote import address as addresses
from dreamix.remote import lease as leases
from dreamix.remote.address import Address, check_name, parsed
from dreamix.remote.lease import Lease
from dreamix.remote.listing import listed
from dreamix.remote.place_type import Place, beside, local, localized, named_address, naming
from dreamix.remote.working_copy import WorkingCopy
from evaluation.cluster.shards import Shard, folder_of

PLACE = Address("memory", "bucket/runs/one")


def quiet(done: int, total: int) -> None:
    """Take note of nothing."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store in memory that holds a clip, its record and a table."""
    monkeypatch.setenv("DREAMIX_REMOTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(addresses.NEEDS, "memory", ("fsspec", "none"))
    found = fsspec.filesystem("memory", skip_instance_cache=True)
    found.pipe(
        {
            "/bucket/runs/one/clips/m/e/0.mp4": b"clip",
            "/bucket/runs/one/clips/m/e/0.json": b"{}",
            "/bucket/runs/one/scores.jsonl": b"1\n",
            "/bucket/runs/one/.settled.json": b"of another machine",
        }
    )
    yield found
    found.rm("/bucket", recursive=True)


def copy_of(store: Any) -> WorkingCopy:
    """Return a working copy, as a new call of the program has it."""
    return WorkingCopy(store, PLACE)


def held(store: Any) -> dict[str, bytes]:
    """Return what the store holds, but for what begins with a dot."""
    paths = store.find("/bucket/runs/one")
    return {p.removeprefix("/bucket/runs/one/"): store.cat_file(p) for p in paths if "/." not in p}


def files(copy: WorkingCopy) -> dict[str, bytes]:
    """Return what the folder holds."""
    found = [path for path in copy.folder.rglob("[!.]*") if path.is_file()]
    return {str(path.relative_to(copy.folder)): path.read_bytes() for path in found}


def test_what_is_there_is_here_and_is_fetched_once(store: Any) -> None:
    copy = copy_of(store)
    assert copy.fetch(quiet) == 3 and files(copy) == held(store)
    got: list[str] = []
    store.get_file = lambda path, *_: got.append(path)
    copy_of(store).fetch(quiet)
    assert got == []


def test_what_changed_there_is_fetched_and_what_is_gone_goes(store: Any) -> None:
    copy = copy_of(store)
    copy.fetch(quiet)
    store.pipe_file("/bucket/runs/one/scores.jsonl", b"1\n2\n")
    store.rm_file("/bucket/runs/one/clips/m/e/0.json")
    copy = copy_of(store)
    copy.fetch(quiet)
    assert files(copy) == {"clips/m/e/0.mp4": b"clip", "scores.jsonl": b"1\n2\n"}


def test_a_place_that_vanishes_while_it_is_written_to_is_named_as_that(store: Any) -> None:
    copy = copy_of(store)
    copy.fetch(quiet)
    copy.keep_sending()
    (copy.folder / "new.json").write_bytes(b"new")
    store.pipe("/bucket/other", b"")
    store.rm("/bucket/runs", recursive=True)
    with pytest.raises(StorageError, match=r"was emptied or removed while .*; it is kept in"):
        copy.close()
    assert (copy.folder / "new.json").read_bytes() == b"new"


def test_a_place_that_was_emptied_is_empty_here_too(store: Any) -> None:
    """Else a run cannot be begun there again: folders without a file are no run."""
    copy = copy_of(store)
    copy.fetch(quiet)
    store.pipe("/bucket/other", b"")
    store.rm("/bucket/runs/one", recursive=True)
    copy_of(store).fetch(quiet)
    assert [*copy.folder.iterdir()] == []


def test_the_list_of_all_files_is_sent_last(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = copy_of(store)
    copy.fetch(quiet)
    for name in ("SHA256SUMS", "new.parquet", "new.mp4"):  # the list is the oldest here
        (copy.folder / name).write_bytes(b"new")
    sent: list[str] = []
    put = copy.store.put_file
    monkeypatch.setattr(copy.store, "put_file", lambda a, b: (sent.append(Path(a).name), put(a, b)))
    copy.send()
    copy.close()
    assert sent == ["new.mp4", "new.parquet", "SHA256SUMS"]


@pytest.mark.parametrize("text", ["s3:/bucket/run", "https:/example.org/s", "gs:bucket/run"])
def test_an_address_with_a_slash_too_few_is_no_folder_here(text: str) -> None:
    start, _, rest = text.partition(":")
    with pytest.raises(UserError, match=f"is it {start}://{rest.lstrip('/')}\\?"):
        Place("write").convert(text, None, None)


def test_what_changed_here_is_sent_clips_before_records(store: Any) -> None:
    copy = copy_of(store)
    copy.fetch(quiet)
    sent: list[str] = []
    put = store.put_file

    def noted(path: str, to: str) -> None:
        sent.append(to)
        put(path, to)

    store.put_file = noted
    (copy.folder / "clips/m/f").mkdir()
    for name in ("clips/m/f/0.json", "clips/m/f/0.mp4", ".clips.json"):
        (copy.folder / name).write_text(name)
    (copy.folder / "scores.jsonl").unlink()
    assert copy.close() == 3
    assert [path.rpartition("/")[2] for path in sent] == ["0.mp4", "0.json"]
    assert held(store) == files(copy) | {} and "scores.jsonl" not in held(store)
    assert copy_of(store).close() == 0


def test_what_changed_on_both_sides_is_named_and_nothing_is_lost(store: Any) -> None:
    copy = copy_of(store)
    copy.fetch(quiet)
    (copy.folder / "scores.jsonl").write_text("mine\n")
    store.pipe_file("/bucket/runs/one/scores.jsonl", b"theirs\n")
    with pytest.raises(UserError, match=r"^scores\.jsonl changed both at memory://bucket/runs/one"):
        copy_of(store).fetch(quiet)
    assert files(copy)["scores.jsonl"] == b"mine\n"
    assert held(store)["scores.jsonl"] == b"theirs\n"


@pytest.mark.parametrize("arrived", [True, False])
def test_a_kill_while_sending_makes_no_stranger_of_our_own_file(store: Any, arrived: bool) -> None:
    """Killed after the store had it, or before: the index knew that it was on its way."""
    copy = copy_of(store)
    copy.fetch(quiet)
    (copy.folder / "scores.jsonl").write_text("1\n2\n")
    (copy.folder / "new.json").write_text("new")

    class Killed(BaseException):
        pass

    put = store.put_file

    def kill(path: str, to: str) -> None:
        if arrived:
            put(path, to)
        raise Killed

    store.put_file = kill
    with pytest.raises(Killed):
        copy.send()
    store.put_file = put
    store.rm_file(f"/bucket/runs/one/{leases.NAME}")  # of a process that is gone
    later = copy_of(store)
    later.fetch(quiet)
    later.close()
    assert held(store) == files(later)
    assert held(store)["scores.jsonl"] == b"1\n2\n" and held(store)["new.json"] == b"new"


def test_a_kill_while_fetching_costs_nothing(store: Any) -> None:
    """A file that was fetched and not noted is the one that is there."""
    copy = copy_of(store)
    copy.fetch(quiet)
    (copy.cache / "index.json").unlink()
    later = copy_of(store)
    assert later.fetch(quiet) == 3 and later.close() == 0


def test_half_a_file_is_no_file(store: Any) -> None:
    def half(_path: str, here: str) -> None:
        Path(here).write_bytes(b"c")

    store.get_file = half
    copy = copy_of(store)
    with pytest.raises(UserError, match="came in part only: run it again"):
        copy.fetch(quiet)
    assert b"c" not in files(copy).values()
    assert not [path for path in copy.folder.rglob("*") if path.name.endswith(".part")]


def test_what_cannot_be_sent_is_kept_and_sent_by_the_next_call(store: Any) -> None:
    copy = copy_of(store)
    copy.fetch(quiet)
    (copy.folder / "new.json").write_text("new")
    put = store.put_file
    store.put_file = lambda *_: (_ for _ in ()).throw(OSError("the bucket is full, secret=abc"))
    said = r"not everything was sent to memory://bucket/runs/one: .*full, secret=\.\.\..*kept in"
    with pytest.raises(StorageError, match=said):
        copy.close()
    store.put_file = put
    later = copy_of(store)
    later.fetch(quiet)
    assert later.close() == 1 and held(store)["new.json"] == b"new"


@pytest.mark.parametrize(
    "name", ["../x", "a//b", "a/../b", "a\\b", "a\nb", "x" * 256, "/".join(["x" * 200] * 6)]
)
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="which is no name of a file: remove it"):
        check_name(name, PLACE)


def test_one_writer_at_a_time(store: Any) -> None:
    first, second = Lease(store, PLACE), Lease(store, PLACE)
    first.take()
    with pytest.raises(UserError, match="is writing to memory://bucket/runs/one; wait for it"):
        second.take()
    first.release()
    second.take()
    first.release()  # no longer its own
    second.confirm()


def written(store: Any, **facts: Any) -> None:
    """Put another writer's lease there."""
    said = {"token": "t", "host": "elsewhere", "process": 1, "boot": "b", "time": time.time()}
    store.pipe_file(f"/bucket/runs/one/{leases.NAME}", json.dumps(said | facts).encode())


def test_a_writer_that_is_gone_holds_nothing(store: Any) -> None:
    """A process that ended here, and one elsewhere that was silent for over five minutes."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = {"host": socket.gethostname(), "boot": leases._boot()}
    for facts in ({"process": ended.pid, **here}, {"time": time.time() - 301}):
        written(store, **facts)
        mine = Lease(store, PLACE)
        mine.take()
        mine.release()
    for facts in ({"process": os.getpid(), **here}, {"time": time.time() - 200}):
        written(store, **facts)
        with pytest.raises(UserError, match="is writing to"):
            Lease(store, PLACE).take()


def test_a_writer_whose_place_was_taken_stops(store: Any) -> None:
    copy = copy_of(store)
    copy.fetch(quiet)
    copy.keep_sending()
    written(store)
    (copy.folder / "new.json").write_text("new")
    with pytest.raises(StorageError, match=r"another command writes to .* now"):
        copy.close()
    assert "new.json" not in held(store)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("s3://key:secret@bucket/x", "holds a name or a password"),
        ("http://example.org/x", "use https"),
        ("ftp://example.org/x", "places can be folders, s3://"),
        ("https://host/x?X-Amz-Signature=abc", "ends before its"),
        ("s3://", "is no address"),
        ("s3://bucket/../x", "is no address"),
        ("s3://bucket//x", "is no address"),
    ],
)
def test_an_address_that_is_none_is_one_line_without_a_secret(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        parsed(text)
    assert "secret" not in str(caught.value) and "abc" not in str(caught.value)


def test_what_an_address_needs_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(addresses.NEEDS, "s3", ("no_such_module", "s3"))
    with pytest.raises(UserError, match=r"pip install 'dreamix-toolkit\[s3\]'"):
        addresses.filesystem(parsed("s3://bucket/x"))


def called(kind: Place, value: str, work: Callable[[Path], None] = lambda _: None) -> Any:
    """Return what a command with one argument of this type ends with."""

    @click.command()
    @click.argument("place", type=kind)
    def command(place: Path) -> None:
        work(place)

    return CliRunner().invoke(command, [value])


def test_a_command_works_on_a_folder_here_and_its_work_is_sent_when_it_ends(store: Any) -> None:
    def work(place: Path) -> None:
        assert place.name == "one" and (place / "clips/m/e/0.mp4").read_bytes() == b"clip"
        (place / "report").mkdir()
        (place / "report/index.html").write_text("page")

    done = called(Place(), "memory://bucket/runs/one", work)
    assert done.exit_code == 0 and "memory://bucket/runs/one: 1 file sent" in done.output
    assert held(store)["report/index.html"] == b"page"
    assert not store.exists(f"/bucket/runs/one/{leases.NAME}")


def test_what_a_command_made_before_it_failed_is_sent_and_its_own_error_stays(store: Any) -> None:
    def work(place: Path) -> None:
        (place / "half.json").write_text("half")
        raise UserError("the command's own line")

    done = called(Place("write"), "memory://bucket/runs/two", work)
    assert str(done.exception) == "the command's own line"
    assert store.cat_file("/bucket/runs/two/half.json") == b"half"


def test_one_file_is_fetched_alone(store: Any) -> None:
    seen: list[list[str]] = []
    done = called(
        Place(),
        "memory://bucket/runs/one/scores.jsonl",
        lambda place: seen.append([place.name, *os.listdir(place.parent)]),
    )
    assert done.exit_code == 0 and seen == [["scores.jsonl", "scores.jsonl"]]


def test_a_place_that_must_be_here_and_one_with_nothing_in_it(store: Any) -> None:
    done = called(Place("here"), "memory://bucket/runs/one")
    assert "a folder of this machine is wanted here" in str(done.exception)
    done = called(Place(), "memory://bucket/none")
    assert str(done.exception) == "there is nothing at memory://bucket/none"


def test_addresses_within_a_text_become_paths(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands before a pattern is fetched; the rest of the text stays."""
    monkeypatch.setattr(
        "dreamix.remote.place_type.WITHIN", __import__("re").compile(r"memory://\S+")
    )
    said: list[str] = []

    @click.command()
    def command() -> None:
        said.append(
            localized("mine=external:pattern=memory://bucket/runs/one/clips/m/{edit}/0.mp4")
        )

    assert CliRunner().invoke(command).exit_code == 0
    head, _, rest = said[0].partition("{edit}")
    assert head.startswith("mine=external:pattern=/") and rest == "/0.mp4"
    assert (Path(head.removeprefix("mine=external:pattern=")) / "e/0.mp4").is_file()


def test_a_part_of_a_run_that_is_elsewhere_is_named(store: Any) -> None:
    """A part lies beside its run here; beside a working copy nothing is sent."""

    def work(place: Path) -> None:
        folder_of(place, Shard(1, 2))

    done = called(Place("write"), "memory://bucket/runs/two", work)
    said = "name the part that is made: --out memory://bucket/runs/two.shard-1-of-2"
    assert str(done.exception) == said
    assert called(Place("write"), "memory://bucket/runs/two.shard-1-of-2", work).exit_code == 0


def test_a_file_that_names_others_is_fetched_with_its_folder(store: Any) -> None:
    seen: list[bool] = []

    def work(place: Path) -> None:
        seen.append((place.parent / "clips/m/e/0.mp4").is_file())

    called(Place(whole=True), "memory://bucket/runs/one/scores.jsonl", work)
    called(Place(), "memory://bucket/runs/one/scores.jsonl", work)
    assert seen == [True, False]


def test_a_study_names_its_run_by_the_address(store: Any, tmp_path: Path) -> None:
    """A working copy may be gone tomorrow. `Path` makes one slash of two."""
    said: list[Any] = []

    def work(place: Path) -> None:
        said.append(naming(tmp_path / "study", place))
        said.append(beside(tmp_path / "study", Path(said[0])) == place)

    called(Place(), "memory://bucket/runs/one", work)
    assert said == ["memory://bucket/runs/one", True]
    assert naming(tmp_path / "study", tmp_path / "runs") == "../runs"
    assert beside(tmp_path / "study", Path("../runs")) == (tmp_path / "runs").resolve()
    assert named_address(Path("s3://lab/x y")) == "s3://lab/x y" and not named_address(Path("a/b"))


def test_every_place_in_a_command_can_be_elsewhere_or_says_that_it_cannot() -> None:
    from dreamix.cli import program
    from dreamix.core.deferred import Deferred

    def walk(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, click.Parameter]]:
        command = command.command if isinstance(command, Deferred) else command
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                below = command.get_command(ctx, name)
                assert below is not None
                yield from walk(below, ctx)
        for param in command.params:
            yield f"{command.name} {param.name}", param

    kinds = {name: param.type for name, param in walk(program, click.Context(program))}
    paths = {name: kind for name, kind in kinds.items() if isinstance(kind, click.Path)}
    assert len(paths) > 40
    assert [name for name, kind in paths.items() if not isinstance(kind, Place)] == []


def test_what_is_said_of_a_working_copy_names_the_address(store: Any) -> None:
    """The folder here is nobody's business; what fails is told by its address too."""

    def work(place: Path) -> None:
        click.echo(f"{place}/report/index.html: written")
        click.echo(f"{place} failed", err=True)
        (place / "new.json").write_text("new")

    done = called(Place(), "memory://bucket/runs/one", work)
    assert "memory://bucket/runs/one/report/index.html: written\n" in done.output
    assert "memory://bucket/runs/one failed\n" in done.output and "/cache/" not in done.output


def test_nothing_of_it_is_loaded_where_no_address_is_given() -> None:
    code = (
        "import sys, dreamix.remote.place_type, evaluation.options; "
        "print([m for m in ('fsspec', 's3fs', 'gcsfs', 'aiohttp', 'dreamix.remote.session', "
        "'dreamix.remote.working_copy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_sending_goes_on_after_a_store_failed(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever error a library has for it."""
    monkeypatch.setattr("dreamix.remote.working_copy.EVERY_S", 0.01)
    copy = copy_of(store)
    copy.fetch(quiet)
    put, failed = store.put_file, threading.Event()

    class Strange(Exception):
        pass

    def fails(*_: object) -> None:
        failed.set()
        store.put_file = put
        raise Strange

    store.put_file = fails
    copy.keep_sending()
    (copy.folder / "new.json").write_text("new")
    assert failed.wait(10)
    for _ in range(1000):
        if "new.json" in held(store):
            break
        time.sleep(0.01)
    assert held(store)["new.json"] == b"new"
    copy.close()


@pytest.mark.parametrize(
    ("status", "says"),
    [(None, "cannot read"), (503, "503"), (404, "neither"), (403, "access is denied")],
)
def test_a_web_server_that_fails_is_not_a_folder_without_a_list(
    status: int | None, says: str
) -> None:
    """404 says that a file is not there, 403 that one may not look (RFC 9110)."""
    pytest.importorskip("aiohttp")

    class Failing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status or 404)

        do_HEAD = do_GET

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Failing)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    place = parsed(f"http://127.0.0.1:{server.server_port}/suite")
    if status is None:
        server.shutdown()
        server.server_close()
    try:
        with pytest.raises(UserError, match=says):
            listed(addresses.filesystem(place), place, None)
    finally:
        if status is not None:
            server.shutdown()
            server.server_close()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Address]]:
    """A folder, and the address at which a plain server has it."""
    pytest.importorskip("aiohttp")
    monkeypatch.setenv("DREAMIX_REMOTE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "web"
    folder.mkdir()
    server = HTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield folder, parsed(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def test_names_that_mean_something_in_an_address_are_fetched(web: tuple[Path, Address]) -> None:
    """RFC 3986: # and ? end a path, % begins a code; the list has the endings of Windows."""
    folder, address = web
    names = ("a#b.mp4", "a?b.mp4", "a%20b.mp4", "a b+\u00e4&=.mp4", "x/[1].mp4")
    lines = []
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
        lines.append(f"{hashlib.sha256(name.encode()).hexdigest()}  ./{name}\r\n")
    (folder / "SHA256SUMS").write_bytes("".join(lines).encode())
    copy = WorkingCopy(addresses.filesystem(address), address)
    assert copy.fetch(quiet) == len(names)
    assert all((copy.folder / name).read_bytes() == name.encode() for name in names)


def test_a_table_at_a_web_address_needs_no_list(web: tuple[Path, Address]) -> None:
    folder, address = web
    (folder / "votes.csv").write_text("edit,method,rater,question,value\nk,m,a,q,1\n")
    with click.Context(click.Command("x")) as context:
        found = local(f"{address}/votes.csv", "read", context, whole=True)
        assert found.read_text().startswith("edit,method")
        with pytest.raises(UserError, match=r"there is nothing at .*/other\.csv"):
            local(f"{address}/other.csv", "read", context, whole=True)
        with pytest.raises(UserError, match="neither SHA256SUMS nor"):
            local(f"{address}/suite.yaml", "read", context)
