"""What can be chosen about Meta's behaviour: above all what the domain notes mark as not verified.

README.md lists every switch with its default; `POST /_sandbox/switches` sets them, a reset restores the defaults.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any


class UnknownSwitch(ValueError):
    """A switch that does not exist, or a value of the wrong type."""


@dataclass(slots=True)
class Switches:
    """Every switch, at its default."""

    seed: int = 1
    # Statuses: seconds (real) from acceptance to sent, and from each to the next.
    automatic_statuses: bool = True
    sent_after_seconds: float = 0.02
    delivered_after_seconds: float = 0.05
    read_after_seconds: float = 0.1
    # Shares of citizens, drawn once for each citizen from the seed.
    reads: float = 0.7
    skips_delivered: float = 0.1
    never_delivered: float = 0.0
    undeliverable: float = 0.0
    # Shapes.
    payload_version: str = "v24"
    bsuid_for_all: bool = False
    bsuid_in_from: bool = False
    username_with_at: bool = False
    contacts_on_failed: bool = False
    media_url_in_webhook: bool = True
    error_data_as_string: bool = False
    http_status: dict[str, int] = field(default_factory=dict)
    prepend_country_code: bool = True
    # Rules.
    outside_window: str = "sync"
    pair_limit: bool = True
    throughput_limit: bool = True
    messaging_limit_code: int = 131048
    free_service_messages: int = 1000
    most_wrong_pins: int = 5
    most_registrations: int = 10
    forgets: list[str] = field(default_factory=list)
    signup_code_seconds: float = 30.0
    verify_overrides: bool = True
    template_review_seconds: float = 0.0
    most_templates: int = 250
    unpaused_event: str = "APPROVED"
    marketing_words: list[str] = field(default_factory=lambda: ["korting", "aanbieding", "actie", "win "])
    # Delivery of webhooks (seconds are real, but for the horizon, which is of the sandbox's clock).
    linger_seconds: float = 0.01
    max_updates_per_post: int = 100
    posts_at_once: int = 8
    webhook_timeout_seconds: float = 20.0
    retry_first_seconds: float = 0.2
    retry_longest_seconds: float = 5.0
    retry_horizon_seconds: float = 7 * 86400.0
    # Books: keep the body of each send (for tests; costs memory in long runs).
    keep_bodies: bool = False

    def change(self, *, values: dict[str, Any]) -> None:
        """Set the switches named; all or none. Raises UnknownSwitch: name or type is wrong."""
        known = {each.name for each in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise UnknownSwitch(f"there is no switch {name!r}")
            _check_type(name=name, value=value, default=getattr(self, name))
        for name, value in values.items():
            setattr(self, name, float(value) if isinstance(getattr(self, name), float) else value)

    def as_dict(self) -> dict[str, Any]:
        """Show every switch with its value."""
        return asdict(self)


_CHOICES = {"payload_version": ("v23", "v24"), "outside_window": ("sync", "webhook")}


def _check_type(*, name: str, value: Any, default: Any) -> None:
    if isinstance(default, bool):
        fits = isinstance(value, bool)
    elif isinstance(default, float):
        fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    elif isinstance(default, int):
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, type(default))
    if name in _CHOICES:
        fits = fits and value in _CHOICES[name]
    if not fits:
        raise UnknownSwitch(f"switch {name!r} does not take this value")
