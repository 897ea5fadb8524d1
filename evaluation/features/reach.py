"""Whether a server can be reached, asked once before a download that would try for minutes."""

import socket
import ssl
import urllib.error
import urllib.request

from dreamix import __version__

PATIENCE = 10.0  # seconds


def unreachable(address: str) -> str | None:
    """Return why nothing answers at a web address, in a few words; None if something does.

    Any answer will do, an error of the server's too, and certificates are the download's business.
    Proxies of the environment are used, as downloads use them.
    """
    ask = urllib.request.Request(
        address, method="HEAD", headers={"User-Agent": f"dreamix/{__version__}"}
    )
    try:
        urllib.request.build_opener().open(ask, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return None
    except urllib.error.URLError as error:
        return None if isinstance(error.reason, ssl.SSLError) else _words(error.reason)
    except OSError as error:
        return _words(error)
    return None


def _words(reason: object) -> str:
    if isinstance(reason, socket.gaierror):
        return "its name is not known: no network, or no name server"
    if isinstance(reason, TimeoutError):
        return f"no answer in {PATIENCE:.0f} s"
    return str(getattr(reason, "strerror", None) or reason)
