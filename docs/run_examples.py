"""Runs the Python blocks of a page, top to bottom, and writes what each prints below it.

python docs/run_examples.py PAGE.md           write
python docs/run_examples.py PAGE.md --check   exit 1 if a block prints something else
"""

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

BLOCK = re.compile(r"```python\n(?P<code>.*?)```\n(?:\n```text\n.*?```\n)?", re.DOTALL)


def filled(text: str) -> str:
    """Return the page with every Python block followed by what it prints; names carry over."""
    names: dict[str, object] = {}

    def run(block: re.Match[str]) -> str:
        code, printed = block["code"], io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, "block", "exec"), names)
        shown = f"\n```text\n{printed.getvalue().rstrip()}\n```\n" if printed.getvalue() else ""
        return f"```python\n{code}```\n{shown}"

    return BLOCK.sub(run, text)


def main() -> None:
    """Write or check the page that is named."""
    path = Path(sys.argv[1])
    text = path.read_text(encoding="utf-8")
    fresh = filled(text)
    if "--check" not in sys.argv:
        path.write_text(fresh, encoding="utf-8")
    elif fresh != text:
        sys.exit(f"{path}: run `python docs/run_examples.py {path}`")


if __name__ == "__main__":
    main()
