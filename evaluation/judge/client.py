"""Asks a server that speaks OpenAI's chat route: vLLM, SGLang, llama.cpp, hosted ones.

Nothing that leaves this module holds the key: what a server says back is cleaned of it first.
"""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dreamix.core.errors import UserError
from dreamix.core.names import one_line
from evaluation.judge.chat_answer import NoAnswer, answer_of
from evaluation.judge.frames import Still
from evaluation.judge.limits import CallLimits, Pacer, Spending, backoff
from evaluation.judge.reading import ModelAnswer
from evaluation.judge.request import JudgeRequest

KEYS = ("DREAMIX_JUDGE_KEY", "OPENAI_API_KEY")  # variables, the first that is set
AGAIN = (408, 409, 429)  # and 5xx
FOR_GOOD = (401, 402, 403, 404)
MOST_ANSWER = 8 << 20  # bytes
MOST_WAIT = 600.0  # seconds that a server may ask to be left alone
SHOWN = 200
MAY_GO = ("temperature",)  # parameters without which a question is still the question


class CallFailed(Exception):
    """There is no answer to this request; the message says why."""


class Hopeless(Exception):
    """No request will be answered; the message says why."""


class Refusal(NamedTuple):
    """A status other than 200, understood."""

    status: int
    code: str
    message: str
    wait: float | None

    def __str__(self) -> str:
        """Return it in words."""
        words = " ".join(one_line(self.message).split())[:SHOWN]
        return f"HTTP {self.status}: {words}" if words else f"HTTP {self.status}"


class ChatClient:
    """One model behind one address; may be asked from many threads."""

    def __init__(
        self, url: str, limits: CallLimits | None = None, spending: Spending | None = None,
        stopped: threading.Event | None = None,
    ) -> None:  # fmt: skip
        self.limits, self.spending = limits or CallLimits(), spending or Spending()
        self.notes: dict[str, None] = {}  # what of a request the server would not have
        self._url = f"{checked_url(url)}/chat/completions"
        self._key = next((os.environ[name] for name in KEYS if os.environ.get(name)), "").strip()
        self._pacer, self._stopped = Pacer(self.limits.a_minute), stopped or threading.Event()
        self._length = "max_tokens"  # what the server calls it
        self._dropped: set[str] = set()
        self._seats = threading.BoundedSemaphore(self.limits.together)
        self._over = ""  # why no request will be answered
        self._opener = urllib.request.build_opener(_NoRedirect)

    def ask(self, request: JudgeRequest) -> ModelAnswer:
        """Return the answer.

        Raises:
            CallFailed: if there is none, after as many tries as are allowed.
            Hopeless: if there will be none for any request.
            BudgetSpent: if nothing more may be sent.
        """
        if self._over:
            raise Hopeless(self._over)
        why, attempt = "stopped", 0
        while attempt < self.limits.tries and not self._stopped.is_set():
            used = self._length, frozenset(self._dropped)
            found = self._try(request, *used)
            if isinstance(found, ModelAnswer):
                self.spending.add(found)
                return found
            if isinstance(found, Refusal) and found.status == 400 and self._adapts(found, *used):
                continue  # asked otherwise, which is no try in vain
            why, wait = self._weighed(found), found.wait if isinstance(found, Refusal) else None
            attempt += 1
            if attempt < self.limits.tries:
                self._stopped.wait(backoff(attempt - 1, self.limits.first_wait, wait))
        raise CallFailed(f"no answer after {attempt} tries: {why}")

    def _try(
        self, request: JudgeRequest, length: str, dropped: frozenset[str]
    ) -> ModelAnswer | Refusal | str:
        """Return the answer, or why there is none this time."""
        body = json.dumps(_body(request, length, dropped)).encode()
        try:
            held = self._exchanged(self._sent(body))
            return answer_of(self._cleaned(json.loads(held)))
        except urllib.error.HTTPError as error:
            return self._refusal(error)
        except NoAnswer as error:
            return f"no answer in its reply: {error}"
        except TimeoutError:
            return f"nothing within {self.limits.seconds:g} s"
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            reason = getattr(error, "reason", None) or error
            return f"{type(error).__name__}: {self._clean(str(reason))[:SHOWN]}"

    def _exchanged(self, sent: urllib.request.Request) -> bytes:
        """Return what a server replies; no more than `together` requests are under way."""
        with self._seats:
            self._pacer.wait(self._stopped)
            self.spending.claim()
            with self._opener.open(sent, timeout=self.limits.seconds) as response:
                return self._read(response)

    def _sent(self, body: bytes) -> urllib.request.Request:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return urllib.request.Request(self._url, body, headers)

    def _read(self, response: Any) -> bytes:
        """Return all of a reply; one that is endless, in bytes or in time, is an error."""
        parts, size, until = [], 0, time.monotonic() + self.limits.seconds
        while part := response.read1(1 << 16):
            parts.append(part)
            size += len(part)
            if size > MOST_ANSWER:
                raise ValueError(f"the reply is over {MOST_ANSWER >> 20} MB")
            if time.monotonic() > until:
                raise TimeoutError
        if response.length:  # what was announced and did not come
            raise ValueError("the reply was cut off")
        return b"".join(parts)

    def _refusal(self, error: urllib.error.HTTPError) -> Refusal:
        try:
            data = error.read(1 << 16)
        except (OSError, HTTPException):
            data = b""
        text = self._clean(data.decode(errors="replace"))
        code, message = _told(text)
        return Refusal(error.code, code, message, _asked_wait(error.headers))

    def _weighed(self, found: Refusal | str) -> str:
        """Return why a try failed, if another is worth while; else raise what follows."""
        if isinstance(found, str):
            return found
        if found.code == "insufficient_quota" or found.status in FOR_GOOD:
            self._over = str(found)
            raise Hopeless(self._over)
        if found.wait is not None and found.wait > MOST_WAIT:
            raise CallFailed(f"{found}; it asks to be left alone for {found.wait:.0f} s")
        if found.status in AGAIN or found.status >= 500:
            return str(found)
        raise CallFailed(str(found))

    def _adapts(self, found: Refusal, length: str, dropped: frozenset[str]) -> bool:
        """Return True if the request can be put otherwise than it was, as the server wants it."""
        words = found.message.casefold()
        if length == "max_tokens" and "max_completion_tokens" in words:
            self._length = "max_completion_tokens"
            self.notes["asked with max_completion_tokens"] = None
            return True
        if length == "max_tokens" and self._length != length:
            return True  # another thread has found out
        for name in MAY_GO:
            if name in words and name not in dropped:
                self._dropped.add(name)
                self.notes[f"asked without {name}, which the server does not take"] = None
                return True
        return False

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text

    def _cleaned(self, held: Any) -> Any:
        """Return JSON without the key, wherever a server repeats it."""
        if isinstance(held, str):
            return self._clean(held)
        if isinstance(held, dict):
            return {self._clean(name): self._cleaned(one) for name, one in held.items()}
        return [self._cleaned(one) for one in held] if isinstance(held, list) else held


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: the key is for the address that was named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def checked_url(url: str) -> str:
    """Return an address of a server without its last slash.

    Raises:
        UserError: if it is none, or holds what would end up in rows.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise UserError(f"{url!r} is no address of a server: give one as https://host/v1")
    if parts.username or parts.password or parts.query:
        raise UserError(
            f"the address of {parts.hostname} holds a name, a password or a query: give the key in "
            f"the environment, as {KEYS[0]}"
        )
    return url.rstrip("/")


def _body(request: JudgeRequest, length: str, dropped: frozenset[str]) -> dict[str, Any]:
    given = request.parameters
    found: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": "user", "content": [_part(part) for part in request.parts]}],
        length: given["most_tokens"],
        "temperature": given["temperature"],
    }
    if alternatives := given.get("alternatives"):
        found |= {"logprobs": True, "top_logprobs": alternatives}
    found |= given.get("body", {})
    return {name: value for name, value in found.items() if name not in dropped}


def _part(part: str | Still) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {"type": "image_url", "image_url": {"url": part.address}}


def _told(text: str) -> tuple[str, str]:
    """Return code and message of an error, as far as its body has them."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return "", text
    error = held.get("error", held) if isinstance(held, Mapping) else None
    if not isinstance(error, Mapping):
        return "", text
    return str(error.get("code") or error.get("type") or ""), str(error.get("message") or text)


def _asked_wait(headers: Message) -> float | None:
    """Return the seconds that a server asks to be left alone for, as number or as date."""
    text = headers.get("Retry-After", "")
    try:
        return max(0.0, float(text)) if float(text) < float("inf") else None
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
