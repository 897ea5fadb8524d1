"""Names of files: whatever a metric, a method or a question is called, its files stay in place."""

import hashlib
import re

LONGEST = 120  # characters; file systems take 255 bytes with the ending
ESCAPE = "@"


def file_name(name: str) -> str:
    """Return the name of a file without its ending, another one for every other name.

    Letters and digits of ASCII, hyphen, underscore and a single dot within stay; every other byte
    is written as @ and two digits. A long name is cut and ends with @@ and its hash.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]|\A\.|\.\Z|\.(?=\.)", _escaped, name) or ESCAPE
    if len(safe) <= LONGEST:
        return safe
    return f"{safe[: LONGEST - 40]}{ESCAPE}{ESCAPE}{hashlib.sha256(_bytes(name)).hexdigest()[:32]}"


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"{ESCAPE}{byte:02X}" for byte in _bytes(found[0]))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
