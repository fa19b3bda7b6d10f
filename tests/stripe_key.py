"""Which Stripe the tests may ask: the sandbox always, Stripe's own test mode with STRIPE_TEST_KEY, and never another.

Used by conftest.py, which refuses a wrong key before anything runs, and by tests/billing/test_stripe_contract.py.
"""

from collections.abc import Mapping
from typing import Any

import pytest

HOST, PORT = "api.stripe.com", 443
TEST_MODE = "sk_test_"


def key_of_test_mode(*, environ: Mapping[str, str]) -> str:
    """Return the key of Stripe's test mode, or '' when none is given.  Raises pytest.UsageError: it is another key."""
    key = environ.get("STRIPE_TEST_KEY", "")
    if key and not (key.startswith(TEST_MODE) and len(key) > len(TEST_MODE)):
        raise pytest.UsageError(f"STRIPE_TEST_KEY is refused: tests use a key of test mode alone, {TEST_MODE}…")
    return key


def doors(*, environ: Mapping[str, str]) -> list[str]:
    """Return where the contract is asked: at the sandbox, and with a key at Stripe too."""
    return ["sandbox", "stripe"] if key_of_test_mode(environ=environ) else ["sandbox"]


class Outside:
    """Which addresses beyond this machine tests may reach: those that Stripe's host has, with a key; else none."""

    def __init__(self, *, environ: Mapping[str, str]) -> None:
        self._is_asked = bool(key_of_test_mode(environ=environ))
        self._known: set[str] = set()

    def note(self, *, host: object, found: list[Any]) -> None:
        """Remember the addresses that a host was found to have, as socket.getaddrinfo returns them."""
        if self._is_asked and host in (HOST, HOST.encode()):
            self._known |= {address[0] for *_, address in found}

    def may_reach(self, address: Any) -> bool:
        """Return whether a connection to this address is to Stripe, and Stripe is asked."""
        return isinstance(address, tuple) and address[1] == PORT and address[0] in self._known
