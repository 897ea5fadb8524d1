"""Which requests are answered, and the security headers of every answer. Decided before Streamlit.

Of an origin that it does not know Streamlit asks the network for the addresses of the machine, in
the event loop: where such traffic is dropped, one stranger's handshakes hold everybody up. Here
the origin is compared with what the request itself says, and nobody is asked.

A page is from here if its origin is the request's host, as the browser or a proxy in front
(X-Forwarded-Host) gives it, or one of the addresses that were declared (`serve --url`). A page of
another site cannot set these headers, and who is no browser sends no origin at all. With declared
addresses a request must also be for one of their names, or for a number or a bare name of a
machine: a name of a stranger's that leads here (DNS rebinding) is refused.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dreamix.core.errors import UserError

_HOST_HEADER = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
# Streamlit's pages need scripts made on the fly (components) and styles in the page.
_POLICY = (
    "default-src 'self'",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
)
FIXED_HEADERS = {
    "Referrer-Policy": "no-referrer",  # the token stands in the URL: no other site learns it
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
_PORTS = {"http": 80, "https": 443}
_HOST = r"(?P<name>[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
_ORIGIN = re.compile(rf"(?P<scheme>https?)://{_HOST}")
_PLACE = re.compile(_HOST)
_FORWARDED = ("x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "forwarded")


class SecurityHeaders:
    """Adds the headers; the page talks to nobody but this server."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to what comes back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        host = (asked.get("x-forwarded-host") or asked.get("host", "")).split(",")[0].strip()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in FIXED_HEADERS.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = content_security_policy(host)
            await send(message)

        await self.app(scope, receive, with_headers)


def content_security_policy(host: str) -> str:
    """Return what the page may load; sockets are named since some browsers forget them in self."""
    sockets = f" ws://{host} wss://{host}" if _HOST_HEADER.fullmatch(host) else ""
    return "; ".join((*_POLICY, f"connect-src 'self'{sockets}"))


class WebOrigin(NamedTuple):
    """Where a page is from; the port is a number also where the address leaves it out."""

    scheme: str
    name: str
    port: int


class OwnPagesOnly:
    """Refuses pages of other sites, whatever they ask for; nothing is looked up."""

    def __init__(self, app: ASGIApp, declared: frozenset[WebOrigin] = frozenset()) -> None:
        self.app, self.declared = app, declared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif self.lets_in(Headers(scope=scope)):
            await self.app(_as_own(scope), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # not accepted: a 403
        else:
            refused = PlainTextResponse("not a page of this study", 403)
            await refused(scope, receive, send)

    def lets_in(self, headers: Headers) -> bool:
        """Return True unless the request is a page's of another site, or for another name."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) > 1 or (self.declared and not self._is_named(hosts)):
            return False
        if not origins:
            return True
        if origins == ["null"]:  # of a note of our own page, whose referrers are withheld
            return headers.get("sec-fetch-site") == "same-origin"
        origin = origin_of(origins[0]) if len(origins) == 1 else None
        if origin is None or self._lacks_tls(origin):
            return False
        return origin in self.declared or self._is_own(origin, headers)

    def _lacks_tls(self, origin: WebOrigin) -> bool:
        """Return True for a page without TLS of a name that is declared with it alone."""
        declared = {one.scheme for one in self.declared if one.name == origin.name}
        return origin.scheme == "http" and declared == {"https"}

    def _is_named(self, hosts: list[str]) -> bool:
        """Return True for a request to a declared name, or to one that no stranger can own."""
        found = _PLACE.fullmatch(hosts[0].lower()) if hosts else None
        if not found:
            return not hosts
        name = found["name"].rstrip(".")
        return name in {origin.name for origin in self.declared} or _is_local(name)

    def _is_own(self, origin: WebOrigin, headers: Headers) -> bool:
        """Return True if the origin is where the request went."""
        through = any(name in headers for name in _FORWARDED)
        told = [headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")]
        if self.declared:
            told = [host for host in told if self._is_named([host.strip()])]
        return any(_is_at(origin, host.strip().lower(), through) for host in told)


def origins_of(urls: Iterable[str]) -> frozenset[WebOrigin]:
    """Return the origins of addresses as people write them.

    Raises:
        UserError: if a text is no address.
    """
    return frozenset(_declared(url) for url in urls)


def origin_of(text: str) -> WebOrigin | None:
    """Return an origin as browsers send it; None for one that is none of a page over HTTP."""
    found = _ORIGIN.fullmatch(text.lower())
    if not found:
        return None
    port = int(found["port"]) if found["port"] else _PORTS[found["scheme"]]
    return WebOrigin(found["scheme"], found["name"].rstrip("."), port)


def _declared(url: str) -> WebOrigin:
    origin = None
    with suppress(ValueError):
        parts = urlsplit(url.strip())
        name, port = (parts.hostname or ""), f":{parts.port}" if parts.port else ""
        name = f"[{name}]" if ":" in name else name.encode("idna").decode()
        rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        origin = None if rest else origin_of(f"{parts.scheme}://{name}{port}")
    if origin is None:
        raise UserError(
            "--url: where raters find the study is https://NAME or https://NAME:PORT, and no more"
        )
    return origin


def _is_at(origin: WebOrigin, host: str, through: bool) -> bool:
    """Return True if a page of this origin is at this host.

    through: the request came through a proxy; some of them leave the port out.
    """
    found = _PLACE.fullmatch(host)
    if not found or found["name"].rstrip(".") != origin.name:
        return False
    if not found["port"]:
        return through or origin.port == _PORTS[origin.scheme]
    return int(found["port"]) == origin.port


def _is_local(name: str) -> bool:
    """Return True for a number, and for a name without a dot: no stranger's name leads here so."""
    if "." not in name and ":" not in name:
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name.endswith(".localhost")
    return True


def _as_own(scope: Scope) -> Scope:
    """Return a request of a page of ours as Streamlit asks nobody about it.

    Its host is that of the page's origin; an origin that is `null` is left out.
    """
    origin = Headers(scope=scope).get("origin")
    if origin is None:
        return scope
    changed = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=changed)
    if origin == "null":
        del headers["origin"]
    else:
        headers["host"] = origin.partition("://")[2]
    return changed
