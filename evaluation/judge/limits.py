"""What a judge may cost: how much at once, how fast, how much in all."""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dreamix.core.errors import UserError
from evaluation.judge.reading import ModelAnswer

FIRST_WAIT, MOST_WAIT = 0.5, 60.0  # seconds between two tries


class JudgeBudget(NamedTuple):
    """The most that may be spent in one scoring; None: no limit."""

    requests: int | None = None
    tokens: int | None = None


class Price(NamedTuple):
    """Money for a million tokens, of what is sent and of what is answered."""

    sent: float
    answered: float


@dataclass(frozen=True)
class CallLimits:
    """How requests are made."""

    together: int = 4  # requests under way at once
    a_minute: float | None = None  # requests sent, at most
    tries: int = 6
    seconds: float = 120.0  # for one answer
    first_wait: float = FIRST_WAIT


class BudgetSpent(Exception):
    """Nothing more may be asked."""


def budget_of(texts: Sequence[str]) -> JudgeBudget:
    """Return what `--budget` allows: "500" or "500requests", "2Mtokens".

    Raises:
        UserError: if a text is neither.
    """
    found: dict[str, int] = {}
    for text in texts:
        for unit in ("requests", "tokens", ""):
            if text.casefold().endswith(unit):
                found[unit or "requests"] = _amount(text, text[: len(text) - len(unit)])
                break
    return JudgeBudget(**found)


def price_of(text: str) -> Price:
    """Return the price that `--price IN:OUT` names.

    Raises:
        UserError: if it is none.
    """
    parts = text.split(":")
    try:
        prices = [float(part) for part in parts]
    except ValueError:
        prices = []
    if len(prices) != 2 or not all(0 <= one < float("inf") for one in prices):
        raise UserError(f"--price {text}: give two prices of a million tokens, as 2.5:10")
    return Price(*prices)


def cost_words(who: str, requests: int, tokens: float, price: Price | None) -> str:
    """Return what has to be said before work that costs so much at most."""
    money = f", about {tokens * price.sent / 1e6:.2f} in the money of --price" if price else ""
    return (
        f"{who}: up to {requests} requests, about {tokens:.2g} tokens{money}; what was asked "
        "before is not asked again"
    )


def check_budget(budget: JudgeBudget, requests: int, tokens: float, cure: str) -> None:
    """Raise a `UserError` where work may cost more than is allowed; cure: what makes it less."""
    most, most_tokens = budget
    if (most is not None and requests > most) or (most_tokens is not None and tokens > most_tokens):
        raise UserError(
            f"--budget: up to {requests} requests of about {tokens:.2g} tokens are needed, which "
            f"is more than is allowed: allow more, or {cure}"
        )


class Spending:
    """Counts what was asked, over all threads."""

    def __init__(self, budget: JudgeBudget | None = None) -> None:
        self._budget = budget or JudgeBudget()
        self._lock = threading.Lock()
        self.requests = self.sent = self.answered = 0

    @property
    def tokens(self) -> int:
        """Tokens sent and answered so far."""
        return self.sent + self.answered

    def claim(self) -> None:
        """Count a request that is about to be sent; `BudgetSpent` if it may not be."""
        with self._lock:
            most, tokens = self._budget
            if most is not None and self.requests >= most:
                raise BudgetSpent(f"the budget of {most} requests is spent")
            if tokens is not None and self.tokens >= tokens:
                raise BudgetSpent(f"the budget of {tokens} tokens is spent")
            self.requests += 1

    def add(self, answer: ModelAnswer) -> None:
        """Count what an answer cost."""
        usage = answer.usage or {}
        with self._lock:
            self.sent += usage.get("prompt_tokens", 0)
            self.answered += usage.get("completion_tokens", 0)

    def money(self, price: Price) -> float:
        """Return what was spent, in the money of the price."""
        return (self.sent * price.sent + self.answered * price.answered) / 1e6


class Pacer:
    """Lets as many through a minute as it was told."""

    def __init__(self, a_minute: float | None) -> None:
        self._gap = 60.0 / a_minute if a_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stopped: threading.Event) -> None:
        """Wait for one's turn, or until all is stopped."""
        with self._lock:
            now = time.monotonic()
            due = max(now, self._next)
            self._next = due + self._gap
        if due > now:
            stopped.wait(due - now)


def backoff(attempt: int, first: float, asked: float | None) -> float:
    """Return seconds to wait before the next try: doubled each time, half of it drawn.

    asked: by the server, which is waited for at least.
    """
    span = min(first * 2**attempt, MOST_WAIT)
    wait = span * (0.5 + 0.5 * random.random())
    return wait if asked is None else max(wait, asked)


def _amount(text: str, number: str) -> int:
    sizes = {"k": 10**3, "m": 10**6}
    size = sizes.get(number[-1:].casefold(), 1)
    digits = number[:-1] if size > 1 else number
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 12:
        raise UserError(f"--budget {text}: give requests or tokens, as 500 or 2Mtokens")
    return int(digits) * size
