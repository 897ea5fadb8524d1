"""`dreamix doctor`: what it says of this machine, of backends and of what is missing."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tiny_pipelines import TINY

from dreamix.backends.footprint import Footprint, Phases, Size
from dreamix.backends.image import OFFER
from dreamix.backends.names import pretrained_names, stages_of
from dreamix.core import memory as memories
from dreamix.core.errors import UserError
from dreamix.doctor.backend import asked
from dreamix.doctor.judgement import EFFICIENCY, ROOM, UPDATES, fit, minutes, where_weights_are
from dreamix.doctor.machine import Device, Machine, PackageStatus
from dreamix.doctor.page import machine_lines, table
from dreamix.doctor_cli import doctor

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No hub, and a cache of it that is empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def run(*words: str) -> str:
    done = CliRunner().invoke(doctor, [*words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def a_machine(**changes: Any) -> Machine:
    whole = Machine("3.11", "Linux", 2, 32 * 10**9, 30 * 10**9, 10**12, [], [])
    return whole._replace(**changes)


def with_gpu(free: int | None) -> Machine:
    return a_machine(devices=[Device("cuda", "A GPU", 80 * 10**9, free)])


# Weights 3 GB; an edit holds 4 GB while it decodes (the autoencoder, 1 GB, is there then alone).
GB = 10**9
EDIT = Phases(
    ["text:text_encoder", "denoise:unet", "decode:vae"],
    {"text": 0, "denoise": 2 * GB, "decode": 4 * GB},
    {"text": 10**12, "denoise": 3 * 10**12, "decode": 5 * 10**12},
)
SEQUENCE = ["text_encoder", "unet", "vae"]
KNOWN = Footprint(
    Size(64, 64, 8), {"text_encoder": GB, "unet": GB, "vae": GB}, SEQUENCE, EDIT, EDIT, None, 0
)


def test_operations_of_steps_count_as_often_as_there_are_steps() -> None:
    """1 + 50 * 3 + 5 = 156 TFLOP; at 2 TFLOP/s and the efficiency so many minutes."""
    assert EDIT.all_flops(50) == 156 * 10**12
    assert minutes(156e12, 2e12) == pytest.approx(156 / (2 * EFFICIENCY) / 60)


@pytest.mark.parametrize(
    ("free", "verdict"),
    [
        (7 * GB + ROOM + 1, "yes"),
        (7 * GB + ROOM, "with offloading"),
        (5 * GB + ROOM, "no"),
        (0, "no"),  # full: not one that cannot be asked, whose whole memory counts
        (None, "yes"),
    ],
)
def test_a_backend_fits_if_its_peak_and_some_room_do(free: int | None, verdict: str) -> None:
    """Together 3 + 4 GB; offloaded 1 + 4 GB. Less than what is free, by `ROOM`."""
    found = fit(KNOWN, EDIT, 50, with_gpu(free), 1e12)
    assert (found.together, found.offloaded, found.verdict) == (7 * GB, 5 * GB, verdict)


def test_on_the_processor_nothing_is_offloaded() -> None:
    found = [fit(KNOWN, EDIT, 1, a_machine(free=free), 1e12) for free in (7 * GB + 1, 7 * GB)]
    assert [(f.offloaded, f.verdict) for f in found] == [(None, "yes"), (None, "no")]


@pytest.mark.slow
def test_the_overview_has_a_row_for_every_backend_and_how_to_get_what_is_missing() -> None:
    said = run()
    for name in pretrained_names():
        assert f"\n{name} " in said
        line = next(line for line in said.splitlines() if line.startswith(f"  {name}: "))
        hubs = [hub for stage in stages_of(name) for hub in stage if hub]
        assert line == f"  {name}: " + " && ".join(f"hf download {hub}" for hub in hubs)
    assert "toybox" in said
    assert "(measured)" in said
    assert "ESTIMATED" in said
    held = json.loads(run("--json"))
    rows = {row["name"]: row for row in held["backends"]}
    assert sorted(rows) == pretrained_names()
    assert [name for name, row in rows.items() if row["finetune"] is None] == [*OFFER.pretrained]
    assert held["machine"]["memory"] > 10**9


def test_an_extra_that_is_not_here_is_said_with_what_to_install() -> None:
    """The toolkit without `hub`, and one that has half of it."""
    packages = [PackageStatus("torch", "2.6", None), PackageStatus("peft", None, "hub")]
    packages += [PackageStatus("ftfy", "6.1", "hub"), PackageStatus("streamlit", "1.60", "study")]
    said = machine_lines(a_machine(packages=packages))
    assert "extra        hub: without peft: pip install 'dreamix-toolkit[hub]'" in said
    assert "extra        study: streamlit 1.60" in said


@pytest.mark.slow
def test_the_overview_needs_neither_peft_nor_accelerate() -> None:
    """In a process where both are missing."""
    code = (
        "import sys; sys.modules.update(peft=None, accelerate=None)\n"
        "from importlib import metadata\nwhole = metadata.version\n"
        "def version(name):\n"
        "    if name in ('peft', 'accelerate'): raise metadata.PackageNotFoundError(name)\n"
        "    return whole(name)\n"
        "metadata.version = version\n"
        "from dreamix.doctor_cli import doctor\ndoctor()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    hub = next(line for line in done.stdout.splitlines() if " hub: without " in line)
    assert {"accelerate", "peft"} <= set(re.split(r"[ ,:]+", hub)), "others may be missing as well"
    assert hub.endswith(": pip install 'dreamix-toolkit[hub]'")
    assert "wan2.1-1.3b" in done.stdout


def test_weights_in_the_hubs_cache_are_found(hub: Path) -> None:
    """As `hf download` leaves them: blobs apart, a snapshot by its commit, a reference to it."""
    assert where_weights_are("cogvideox-2b") == []
    model = hub / "models--zai-org--CogVideoX-2b"
    snapshot = model / "snapshots" / "0123456789"
    for folder in (snapshot, model / "refs"):
        folder.mkdir(parents=True)
    (model / "refs" / "main").write_text("0123456789")
    assert where_weights_are("cogvideox-2b") == [], "a download that was broken off"
    (snapshot / "model_index.json").write_text("{}")
    assert where_weights_are("cogvideox-2b") == [snapshot]


def test_a_cascade_is_here_if_both_of_its_stages_are(hub: Path) -> None:
    for stage in stages_of("zeroscope-xl"):
        assert where_weights_are("zeroscope-xl") == []
        snapshot = hub / f"models--{stage.hub.replace('/', '--')}" / "snapshots" / "01"
        snapshot.mkdir(parents=True)
        (snapshot / "model_index.json").write_text("{}")
        (snapshot.parents[1] / "refs").mkdir()
        (snapshot.parents[1] / "refs" / "main").write_text("01")
    assert len(where_weights_are("zeroscope-xl")) == 2


def test_an_image_model_in_detail_says_what_it_does(hub: Path) -> None:
    """No finetuning and no offloading; the inversion is most of it."""
    said = run("--backend", "sd1.5")
    assert "finetuning" not in said
    assert "offloaded" not in said.partition("On the processor")[0].partition("nothing is")[2][10:]
    assert "four pictures at once" in said
    assert "invert" in said


def test_one_in_detail_adds_up_to_the_shipped_figures() -> None:
    said = run("--backend", "modelscope")
    found = asked("modelscope").known["accelerator"]
    whole, most = sum(found.weights.values()), max(found.edit.held.values())
    assert f"{whole / 1e9:.1f} GB + {most / 1e9:.1f} GB = {(whole + most) / 1e9:.1f} GB" in said
    assert "typed in, not loaded from the hub" in said
    assert f"x {UPDATES}" in said
    held = json.loads(run("--backend", "modelscope", "--json"))
    assert held["footprints"]["accelerator"]["weights"] == found.weights


@pytest.mark.slow
def test_a_folder_is_traced_by_its_own_configurations_at_the_size_asked_for(
    tmp_path: Path,
) -> None:
    TINY["wan2.1"]().save_pretrained(tmp_path / "tiny")
    one = asked(f"{tmp_path / 'tiny'}@32x48x5")
    assert (one.size, one.known) == (Size(32, 48, 5), {})
    assert one.plan.first.parts["transformer"].config["num_layers"] == 2
    assert one.plan.source == str((tmp_path / "tiny").resolve())
    assert asked("wan2.1-1.3b@480x288x33").known == {}
    assert set(asked("wan2.1-1.3b").known) == {"accelerator", "processor"}


@pytest.mark.parametrize(
    ("name", "said"),
    [("wan9", "unknown backend 'wan9'"), ("toybox", "toybox has no footprint to trace")],
)
def test_a_backend_without_a_footprint_is_one_line(name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        asked(name)


def test_a_container_has_the_memory_of_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of 2 GB of which 0.5 are used, on a machine that has more."""
    limits = {"max": 2 * GB, "current": GB // 2}
    monkeypatch.setattr(memories, "_number", lambda path: limits.get(path.suffix[1:]))
    assert memories.memory() == (2 * GB, 2 * GB - GB // 2)
    monkeypatch.setattr(memories, "_number", lambda path: None)
    total, free = memories.memory()
    assert total >= free > 2 * GB


def test_the_table_says_what_fits_here() -> None:
    from dreamix.doctor.judgement import BackendVerdict

    good, bad = (fit(KNOWN, EDIT, 1, a_machine(free=n), 1e12) for n in (8 * GB, GB))
    rows = [
        BackendVerdict(n, [], "hf", 50, *fits)
        for n, fits in {"a": (good, good), "b": (good, bad)}.items()
    ]
    lines = {line.split()[0]: line for line in table(rows) if line}
    assert "yes" in lines["a"]
    assert "to edit, not to finetune" in lines["b"]
