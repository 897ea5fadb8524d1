"""Runs, suites and outputs at stores: S3, Google's and plain files, each by a server here."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from object_stores import environment, files_server, google_server, s3_names, s3_objects, s3_server
from small_suites import put_clip, small_suite

from dreamix.cli import program
from dreamix.core.errors import StorageError, UserError

pytestmark = pytest.mark.slow
DREAMIX = Path(sys.executable).with_name("dreamix")
EDITS = tuple(f"edit{k}" for k in range(6))
METHODS = "unedited,frozen-frame,shuffled-frames"
# The program with a pass of sending every fifth of a second.
HASTY = (
    "import dreamix.remote.working_copy as copies; copies.EVERY_S = 0.2; "
    "from dreamix.cli import main; main()"
)


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    for module in ("s3fs", "moto", "flask_cors"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    with s3_server() as found:
        yield found


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    small_suite(folder, EDITS)
    return folder


def call(
    monkeypatch: pytest.MonkeyPatch, of: dict[str, str], cache: Path, *words: object
) -> Result:
    """Return what the program does in this process with a store at hand."""
    for name, value in environment(of, cache).items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(program, [str(word) for word in words])


def bench(suite: object, out: object) -> list[str]:
    return ["bench", "run", str(suite), "--out", str(out), "--methods", METHODS, "--workers", "1"]


def rows_hold(objects: dict[str, bytes], start: str) -> int:
    """Return how many records of clips there are; the clip that each names is there and whole."""
    rows = [json.loads(data) for name, data in objects.items()
            if name.startswith(f"{start}/clips/") and name.endswith(".json")]  # fmt: skip
    for row in rows:
        clip = objects[f"{start}/clips/{row['method']}/{row['edit']}/{row['file']}"]
        assert hashlib.sha256(clip).hexdigest() == row["sha256"]
    return len(rows)


def clips(objects: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in objects.items() if name.endswith(".mp4")}


def of_folder(folder: Path, start: str) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {f"{start}/{path.relative_to(folder)}": path.read_bytes() for path in paths}


def test_a_run_is_made_at_a_store_scored_elsewhere_and_reported_here(
    s3: dict[str, str], suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call has a cache of its own, as on another machine."""
    done = call(monkeypatch, s3, tmp_path / "one", *bench(suite, "s3://bucket/runs/whole"))
    assert done.exit_code == 0, done.output
    score = ("bench", "score", "s3://bucket/runs/whole", "--metrics", "psnr", "--workers", "1")
    done = call(monkeypatch, s3, tmp_path / "two", *score)
    assert done.exit_code == 0 and "18 scores computed" in done.output, done.output
    objects = s3_objects(s3)
    assert rows_hold(objects, "runs/whole") == 18
    assert objects["runs/whole/scores.jsonl"].count(b"\n") == 18
    assert not [name for name in objects if "/." in name]
    report = ("report", "s3://bucket/runs/whole", "--out", tmp_path / "page", "--no-media")
    done = call(monkeypatch, s3, tmp_path / "three", *report)
    assert done.exit_code == 0 and (tmp_path / "page/index.html").is_file(), done.output
    assert s3_objects(s3) == objects, "a report elsewhere changes nothing at the store"
    held = b"".join(objects.values())
    assert b"test-secret-of-nobody" not in held
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"test-secret-of-nobody" not in path.read_bytes()


def test_outputs_at_a_store_are_brought_in_by_a_pattern(
    s3: dict[str, str], suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    store = fsspec.filesystem("s3", skip_instance_cache=True)
    for number, edit in enumerate(EDITS):
        store.put_file(
            str(put_clip(tmp_path / "clip.mp4", number)), f"bucket/outputs/mine/{edit}.mp4"
        )
    methods = "mine=external:pattern=s3://bucket/outputs/mine/{edit}.mp4"
    words = ["bench", "run", str(suite), "--out", str(tmp_path / "run"), "--methods", methods]
    done = call(monkeypatch, s3, tmp_path / "cache", *words)
    assert done.exit_code == 0 and "6 ok" in done.output, done.output


def test_killed_at_any_instant_it_goes_on_on_another_machine(
    s3: dict[str, str], suite: Path, tmp_path: Path
) -> None:
    """At no instant does a record name a clip that is not there; the end is that of a local run."""
    there, killed, kept = "s3://bucket/runs/killed", 0, 0
    for attempt, wanted in enumerate((0, 1, 5, 10, 99)):
        command = [sys.executable, "-c", HASTY, *bench(suite, there)]
        child = subprocess.Popen(
            command, env=environment(s3, tmp_path / f"cache{attempt}"), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while child.poll() is None:
            names = s3_names(s3)
            records = [name for name in names if "killed/clips" in name and name[-5:] == ".json"]
            if len(records) >= wanted and "runs/killed/.dreamix-writer" in names:
                os.killpg(child.pid, signal.SIGKILL)
                killed += child.wait() != 0
        now = rows_hold(s3_objects(s3), "runs/killed")
        assert now >= kept, "what had arrived is there still"
        kept = now
    assert child.returncode == 0 and killed >= 2 and kept == 18
    subprocess.run([DREAMIX, *bench(suite, tmp_path / "local")], check=True, capture_output=True)
    ours = {name: one for name, one in s3_objects(s3).items() if name.startswith("runs/killed/")}
    assert clips(ours) == clips(of_folder(tmp_path / "local", "runs/killed"))


def test_two_writers_of_one_place(s3: dict[str, str], suite: Path, tmp_path: Path) -> None:
    """The second is told so in one line, whoever the first is."""
    code = (
        "from dreamix.remote.address import filesystem, parsed; from dreamix.remote.lease import "
        "Lease; place = parsed('s3://bucket/runs/both'); Lease(filesystem(place), place).take(); "
        "print('taken', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment(s3, tmp_path / "first"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as one:  # fmt: skip
        assert one.stdout and one.stdout.readline() == b"taken\n"
        done = subprocess.run(
            [DREAMIX, *bench(suite, "s3://bucket/runs/both")],
            env=environment(s3, tmp_path / "cache"), capture_output=True, text=True, check=False,
        )  # fmt: skip
        one.communicate(b"\n")
    assert done.returncode == 2 and "is writing to s3://bucket/runs/both" in done.stderr
    assert done.stderr.count("\n") == 1


def test_google_s_store(suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gcsfs", reason="gcsfs is not installed")
    objects: dict[str, bytes] = {}
    with google_server(objects) as found:
        done = call(monkeypatch, found, tmp_path / "one", *bench(suite, "gs://bucket/runs/one"))
        assert done.exit_code == 0, done.output
        assert rows_hold(objects, "runs/one") == 18
        score = ("bench", "score", "gs://bucket/runs/one", "--metrics", "psnr", "--workers", "1")
        done = call(monkeypatch, found, tmp_path / "two", *score)
        assert done.exit_code == 0, done.output
    assert objects["runs/one/scores.jsonl"].count(b"\n") == 18
    assert "runs/one/.dreamix-writer" not in objects


def test_a_suite_and_a_run_at_plain_files(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A suite by what it names, a run by its SHA256SUMS; a file that was changed is refused."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed")
    run = tmp_path / "site/run"
    subprocess.run([DREAMIX, *bench(suite, run)], check=True, capture_output=True)
    subprocess.run(
        [DREAMIX, "bench", "score", run, "--metrics", "psnr"], check=True, capture_output=True
    )
    (tmp_path / "site/suite").symlink_to(suite)
    with files_server(tmp_path / "site") as url:

        def here(cache: str, *words: object) -> Result:
            return call(monkeypatch, {}, tmp_path / cache, *words)

        done = here("one", *bench(f"{url}/suite/suite.yaml", tmp_path / "a"))
        assert done.exit_code == 0 and "18 ok" in done.output, done.output
        report = ("report", f"{url}/run", "--out", tmp_path / "page", "--no-media")
        assert "has neither SHA256SUMS nor suite.yaml" in str(here("two", *report).exception)
        (run / "SHA256SUMS").write_text(sums_of(run))
        done = here("two", *report)
        assert done.exit_code == 0 and (tmp_path / "page/index.html").is_file(), done.output
        put_clip(run / "clips/unedited/edit0/0.mp4", 77)
        done = here("three", *report)
        assert "is not the file that SHA256SUMS lists" in str(done.exception)
        assert "https://" in str(here("four", *bench(suite, "https://localhost/x")).exception)


def sums_of(folder: Path) -> str:
    """Return what `find . -type f | xargs sha256sum` prints, but for names with a dot."""
    files = [path for path in folder.rglob("[!.]*") if path.is_file()]
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(folder)}\n"
        for path in files
    )


def test_a_store_that_does_not_answer_is_one_line(
    s3: dict[str, str], suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = s3 | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    began = time.monotonic()
    done = call(monkeypatch, gone, tmp_path / "one", *bench(suite, "s3://bucket/runs/x"))
    assert isinstance(done.exception, UserError) and time.monotonic() - began < 60
    assert str(done.exception).startswith("cannot read s3://bucket/runs/x: ")
    done = call(monkeypatch, s3, tmp_path / "two", *bench(suite, "s3://no-such-bucket/x"))
    assert isinstance(done.exception, UserError | StorageError)
    assert "s3://no-such-bucket/x" in str(done.exception)
