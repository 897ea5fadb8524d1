"""The console program, run in this process."""

import sys
from collections.abc import Callable

import pytest

from dreamix.cli import main

Program = Callable[..., tuple[int, str, str]]


def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Return `dreamix` as a function of its arguments: exit code, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dreamix", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run
