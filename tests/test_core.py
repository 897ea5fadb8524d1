"""Registry, seeds, records, configurations: what everything rests on."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamix.core.config import config_from_text, config_hash
from dreamix.core.errors import StorageError, UserError
from dreamix.core.records import append_lines, only_writer, read_lines, write_json, write_whole
from dreamix.core.registry import Registry
from dreamix.core.seeding import seed_for
from dreamix.core.video import Video


@dataclass(frozen=True)
class Knobs:
    """A configuration for the tests."""

    strength: float = 0.5
    steps: int = 50
    flip: bool = False
    note: str | None = None


class TestConfig:
    def test_text_becomes_typed_values(self) -> None:
        read = config_from_text(Knobs, "strength=0.7:flip=yes:note=a=b", "method x")
        assert read == Knobs(strength=0.7, flip=True, note="a=b")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("strenght=1", "did you mean strength?"),
            ("steps=many", "steps: 'many' is not a int"),
            ("flip=perhaps", "flip: 'perhaps' is not a bool"),
            ("steps", "'steps' is not key=value"),
        ],
    )
    def test_a_wrong_setting_is_one_line_that_names_it(self, text: str, said: str) -> None:
        with pytest.raises(UserError, match="method x") as caught:
            config_from_text(Knobs, text, "method x")
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_equal_configurations_have_equal_hashes(self) -> None:
        assert config_hash(Knobs()) == config_hash(Knobs(steps=50)) != config_hash(Knobs(steps=51))


class TestRegistry:
    def test_an_unknown_name_shows_near_misses_and_all_names(self) -> None:
        table: Registry[int] = Registry("metric", "evaluation.stats")
        table.add("clip_t", 1)
        with pytest.raises(UserError, match=r"unknown metric 'clip_tt', did you mean clip_t\?"):
            table.get("clip_tt")

    def test_a_name_is_registered_once(self) -> None:
        table: Registry[int] = Registry("metric", "evaluation.stats")
        table.add("psnr", 1)
        with pytest.raises(ValueError, match="twice"):
            table.add("psnr", 2)


class TestSeeds:
    def test_a_seed_is_a_fixed_number(self) -> None:
        """First 8 bytes of sha256("7:dreamix;1:a;1:3;"), shifted right once (`sha256sum`)."""
        import hashlib

        digest = hashlib.sha256(b"7:dreamix;1:a;1:3;").hexdigest()
        assert seed_for("dreamix", "a", 3) == int(digest[:16], 16) >> 1

    def test_names_do_not_run_together(self) -> None:
        assert seed_for("ab", "c") != seed_for("a", "bc")


class TestVideo:
    def test_frames_cannot_be_changed(self) -> None:
        clip = Video(np.zeros((2, 4, 4, 3), np.uint8), 8)
        with pytest.raises(ValueError, match="read-only"):
            clip.frames[0] = 1

    def test_even_times_follow_from_the_rate(self) -> None:
        clip = Video(np.zeros((3, 4, 4, 3), np.uint8), 8)
        assert clip.times.tolist() == [0, 0.125, 0.25]
        assert clip.duration == 0.375

    @pytest.mark.parametrize("shape", [(2, 4, 4), (2, 4, 4, 4), (0, 4, 4, 3)])
    def test_a_wrong_shape_is_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(UserError, match="uint8 RGB"):
            Video(np.zeros(shape, np.uint8), 8)

    @pytest.mark.parametrize("times", [[0, 0, 1], [1, 2, 3], [0, 1]])
    def test_times_have_to_rise_from_zero(self, times: list[float]) -> None:
        with pytest.raises(UserError, match="rising times"):
            Video(np.zeros((3, 4, 4, 3), np.uint8), 8, np.array(times))


class TestRecords:
    @given(cut=st.integers(0, 200))
    def test_a_torn_append_loses_only_itself(
        self, tmp_path_factory: pytest.TempPathFactory, cut: int
    ) -> None:
        """Cut the file anywhere: whole lines stay, and the next append has a line of its own."""
        path = tmp_path_factory.mktemp("torn") / "rows.jsonl"
        rows = [{"n": n, "text": "line\u2028break"} for n in range(5)]
        append_lines(path, rows)
        whole = path.read_bytes()
        path.write_bytes(whole[:cut])
        kept = whole[:cut].count(b"\n")
        assert [json.loads(line) for line in read_lines(path)] == rows[:kept]
        append_lines(path, [{"n": 99}])
        held = [json.loads(line) for line in read_lines(path)]
        assert held == [*rows[:kept], {"n": 99}]

    def test_a_failed_write_leaves_the_old_file_and_no_other(self, tmp_path: Path) -> None:
        path = tmp_path / "a.json"
        write_json(path, {"old": 1})
        with pytest.raises(RuntimeError), write_whole(path) as file:
            file.write(b"half")
            raise RuntimeError
        assert json.loads(path.read_text()) == {"old": 1}
        assert [found.name for found in tmp_path.iterdir()] == ["a.json"]

    def test_no_room_is_said_in_one_line(self) -> None:
        """/dev/full is a device on which every write fails with ENOSPC."""
        with pytest.raises(StorageError, match="No space left on device"):
            append_lines(Path("/dev/full"), [{"n": 1}])

    def test_a_second_writer_is_turned_away_until_the_first_is_gone(self, tmp_path: Path) -> None:
        with only_writer(tmp_path):
            with pytest.raises(UserError, match="another command is writing"):
                with only_writer(tmp_path):
                    pass
        with only_writer(tmp_path):
            pass

    def test_what_a_kill_left_goes_with_the_next_writer(self, tmp_path: Path) -> None:
        """And only then: after a writer that came to its end there is nothing to look for."""
        for left in (tmp_path / ".a.json.1.tmp", tmp_path / "deep" / ".b.mp4.2.tmp"):
            left.parent.mkdir(exist_ok=True)
            left.touch()
        with only_writer(tmp_path, reads=True):
            assert len(list(tmp_path.rglob(".*.tmp"))) == 2
        with only_writer(tmp_path):
            assert not list(tmp_path.rglob(".*.tmp"))
        with pytest.raises(KeyboardInterrupt), only_writer(tmp_path):
            (tmp_path / "deep" / ".c.mp4.3.tmp").touch()
            raise KeyboardInterrupt
        with only_writer(tmp_path):
            assert not list(tmp_path.rglob(".*.tmp"))

    def test_a_lock_that_has_another_name_is_not_written_to(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        (tmp_path / "run").mkdir()
        os.link(tmp_path / "mine.txt", tmp_path / "run" / ".lock")
        with only_writer(tmp_path / "run"):
            pass
        assert (tmp_path / "mine.txt").read_text() == "mine"

    def test_a_folder_in_which_nothing_was_written_is_not_left_behind(self, tmp_path: Path) -> None:
        """Neither after a refusal nor after Ctrl-C; what was there before, or has more, stays."""
        for error in (UserError("no"), KeyboardInterrupt()):
            with pytest.raises(type(error)), only_writer(tmp_path / "a" / "b"):
                raise error
            assert list(tmp_path.iterdir()) == []
        with pytest.raises(UserError), only_writer(tmp_path / "a" / "b"):
            (tmp_path / "a" / "file").touch()
            raise UserError("no")
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]
        with pytest.raises(UserError), only_writer(tmp_path / "a"):
            raise UserError("no")
        assert {path.name for path in (tmp_path / "a").iterdir()} == {"file", ".lock"}
        with only_writer(tmp_path / "empty"):
            pass
        assert (tmp_path / "empty" / ".lock").exists()
