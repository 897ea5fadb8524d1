"""No more threads than cores that are free: by affinity, control groups and what others do."""

import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from dreamix.core import threads
from dreamix.core.threads import LIMITS, cores, free_cores, limit_threads, one_thread_each


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 8 cores whose /proc and control groups are files of ours; nothing is limited."""
    monkeypatch.setattr(threads, "_own", lambda: list(range(8)))
    monkeypatch.setattr(threads, "OWN_CGROUP", tmp_path / "self")
    monkeypatch.setattr(threads, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(threads, "STAT", tmp_path / "stat")
    (tmp_path / "cgroup" / "jobs" / "one").mkdir(parents=True)
    (tmp_path / "cgroup" / "cpu" / "docker").mkdir(parents=True)
    (tmp_path / "self").write_text("4:cpu,cpuacct:/\n0::/\n")
    return tmp_path


def test_without_limits_all_cores_may_be_used(machine: Path) -> None:
    assert cores() == 8


@pytest.mark.parametrize(
    ("group", "text", "expected"),
    [
        ("jobs/one", "200000 100000", 2),  # 200 ms of every 100 ms: two cores
        ("jobs/one", "max 100000", 8),
        ("jobs/one", "350000 100000", 3),  # three threads and a half: the fourth would wait
        ("jobs/one", "50000 100000", 1),
        ("jobs", "400000 100000", 4),  # of the group above
        ("", "1600000 100000", 8),  # more than there is
        ("jobs/one", "nonsense", 8),
    ],
)
def test_a_quota_counts(machine: Path, group: str, text: str, expected: int) -> None:
    """cpu.max of cgroup-v2 (the kernel's documentation) is "$MAX $PERIOD" in microseconds."""
    (machine / "self").write_text("0::/jobs/one\n")
    (machine / "cgroup" / group / "cpu.max").write_text(text + "\n")
    assert cores() == expected


@pytest.mark.parametrize(("quota", "expected"), [("300000", 3), ("-1", 8)])
def test_a_quota_of_the_first_version_counts(machine: Path, quota: str, expected: int) -> None:
    """In a container the group's own path is that of the host and is not there; its top is."""
    (machine / "self").write_text("12:cpu:/docker/abc\n3:memory:/x\n")
    (machine / "cgroup" / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (machine / "cgroup" / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert cores() == expected


def look(machine: Path, monkeypatch: pytest.MonkeyPatch, after: list[tuple[int, int, int]]) -> None:
    """Let the ticks (user, idle, waiting for a disk) of every core pass while it is looked at."""
    stat = machine / "stat"

    def write(rows: list[tuple[int, int, int]]) -> None:
        lines = [f"cpu{n} {a} 0 0 {b} {c} 0 0 0 0 0" for n, (a, b, c) in enumerate(rows)]
        stat.write_text("\n".join(["cpu 1 2 3 4 5 6 7 8 9 10", *lines, "intr 5"]))

    write([(100, 50, 0)] * len(after))
    monkeypatch.setattr(
        threads.time, "sleep", lambda _: write([(100 + a, 50 + b, c) for a, b, c in after])
    )


BUSY, IDLE, HALF, DISK = (10, 0, 0), (0, 10, 0), (5, 5, 0), (0, 0, 10)


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ([IDLE] * 8, 8),
        ([BUSY] * 8, 1),
        ([BUSY] * 3 + [IDLE] * 5, 5),
        ([HALF] * 8, 4),
        ([DISK] * 8, 8),  # a core whose process waits for a disk is free
        ([(0, 0, 0)] * 8, 8),  # no clock there: nothing is known
        ([BUSY] * 8 + [IDLE] * 8, 1),  # idle cores that this process may not use
    ],
)
def test_cores_that_others_use_are_not_free(
    machine: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticks: list[tuple[int, int, int]],
    expected: int,
) -> None:
    """Ticks of user, nice, system, idle, iowait, ... since the start, by core: proc(5)."""
    look(machine, monkeypatch, ticks)
    assert free_cores() == expected


def test_free_is_no_more_than_the_quota(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look(machine, monkeypatch, [BUSY] * 2 + [IDLE] * 6)
    (machine / "self").write_text("0::/jobs\n")
    (machine / "cgroup" / "jobs" / "cpu.max").write_text("300000 100000")
    assert free_cores() == 3


def test_without_proc_the_mean_load_tells(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (5.2, 0.0, 0.0))
    assert free_cores() == 3


@pytest.mark.parametrize(("set_before", "expected"), [("3", 3), ("3,1", 3), ("", 2), ("all", 2)])
def test_who_sets_a_number_keeps_it(set_before: str, expected: int) -> None:
    environment = {"OMP_NUM_THREADS": set_before, "MKL_NUM_THREADS": "7"}
    assert limit_threads(2, environment) == expected
    assert environment["OMP_NUM_THREADS"] == set_before and environment["MKL_NUM_THREADS"] == "7"
    assert environment["OPENBLAS_NUM_THREADS"] == str(expected)


def test_all_libraries_are_limited_where_nothing_is_said() -> None:
    environment: dict[str, str] = {}
    assert limit_threads(2, environment) == 2
    assert environment == dict.fromkeys(LIMITS, "2")


def test_processes_that_are_many_have_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with one_thread_each():
        assert [os.environ[name] for name in LIMITS] == ["1"] * len(LIMITS)
    assert os.environ["OMP_NUM_THREADS"] == "4" and "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize("package", ["dreamix", "evaluation", "reports", "study_app"])
def test_every_pool_of_processes_is_started_so(root: Path, package: str) -> None:
    for path in (root / package).rglob("*.py"):
        text = path.read_text()
        if any(start in text for start in (".Pool(", ".Process(", "ProcessPoolExecutor(")):
            assert "one_thread_each()" in text, path


def test_these_tests_use_no_more_threads_than_they_were_given() -> None:
    """One each where pytest-xdist runs several; see conftest.py."""
    given = int(os.environ["OMP_NUM_THREADS"])
    assert given == 1 or "PYTEST_XDIST_WORKER" not in os.environ
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert pools and all(pool["num_threads"] <= given for pool in pools)
