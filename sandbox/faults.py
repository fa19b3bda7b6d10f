"""Faults on demand: what goes wrong with the next sends, calls, downloads and webhooks, until it is over."""

from dataclasses import dataclass, field
from typing import Any

SEND_KINDS = {
    "error": {"code"},
    "error_after_accept": {"code"},
    "failed_status": {"code"},
    "delay": {"seconds"},
    "timeout_after_accept": set(),
    "disconnect_after_accept": set(),
    "disconnect_before": set(),
    "html_500": set(),
    "html_500_after_accept": set(),
}
CALL_KINDS = {"error": {"code"}, "disconnect_before": set()}
MEDIA_KINDS = {
    "error": {"code"},  # of the look-up; all others are of the download
    "not_found": set(),
    "html_500": set(),
    "hang": {"seconds"},
    "slow": {"seconds"},
    "cut": set(),
    "redirect": {"to"},
    "altered": set(),
    "endless": set(),
}
WEBHOOK_KEYS = {"duplicate", "reorder", "drop", "delay_seconds", "rebatch", "phone_number_id"}


class UnknownFault(ValueError):
    """A fault that does not exist, or without what it needs."""


@dataclass(slots=True)
class SendFault:
    """What goes wrong with the next `count` sends (of one number, if given)."""

    kind: str
    count: int
    code: int
    seconds: float
    phone_number_id: str | None

    def as_dict(self) -> dict[str, Any]:
        """Show what is left of it."""
        shown = {"kind": self.kind, "count": self.count, "phone_number_id": self.phone_number_id}
        if self.code:
            shown["code"] = self.code
        if self.seconds:
            shown["seconds"] = self.seconds
        return shown


@dataclass(slots=True)
class WebhookFaults:
    """What goes wrong with webhooks: shares of updates, and seconds (real) of delay.

    drop: the share of POSTs whose connection is cut before their answer is read, wherever they are by then.
    """

    duplicate: float = 0.0
    reorder: float = 0.0
    drop: float = 0.0
    delay_seconds: tuple[float, float] = (0.0, 0.0)
    rebatch: bool | None = None
    phone_number_id: str | None = None

    def concern(self, *, number_id: str | None) -> bool:
        """Tell whether these faults are meant for updates of this number."""
        return self.phone_number_id is None or self.phone_number_id == number_id


@dataclass(slots=True)
class CallFault:
    """What goes wrong with the next `count` calls of one kind that are no sends.

    operation: the call's method and the last part of its path, as "POST register".
    """

    kind: str
    count: int
    code: int
    operation: str

    def as_dict(self) -> dict[str, Any]:
        """Show what is left of it."""
        shown = {"kind": self.kind, "count": self.count, "operation": self.operation}
        return shown | ({"code": self.code} if self.code else {})


@dataclass(slots=True)
class MediaFault:
    """What goes wrong with the next `count` look-ups ("error") or downloads (the others) of media."""

    kind: str
    count: int
    code: int
    seconds: float
    to: str

    def as_dict(self) -> dict[str, Any]:
        """Show what is left of it."""
        return {"kind": self.kind, "count": self.count}


@dataclass(slots=True)
class Faults:
    """All faults in force."""

    sends: list[SendFault] = field(default_factory=list)
    calls: list[CallFault] = field(default_factory=list)
    media: list[MediaFault] = field(default_factory=list)
    webhooks: WebhookFaults = field(default_factory=WebhookFaults)

    def add(self, *, payload: dict[str, Any]) -> None:
        """Put the faults in force, besides those there. Raises UnknownFault, and changes nothing then."""
        sends = [_read_send_fault(raw=raw) for raw in payload.get("sends", [])]
        calls = [_read_call_fault(raw=raw) for raw in payload.get("calls", [])]
        media = [_read_media_fault(raw=raw) for raw in payload.get("media", [])]
        webhooks = payload.get("webhooks")
        if webhooks is not None:
            self.webhooks = _read_webhook_faults(raw=webhooks)
        self.sends += sends
        self.calls += calls
        self.media += media

    def take(self, *, number_id: str) -> SendFault | None:
        """Take the first fault meant for a send of this number, counting it down."""
        for fault in self.sends:
            if fault.phone_number_id is None or fault.phone_number_id == number_id:
                fault.count -= 1
                if fault.count <= 0:
                    self.sends.remove(fault)
                return fault
        return None

    def take_call(self, *, method: str, path: str) -> CallFault | None:
        """Take the first fault meant for such a call, counting it down."""
        operation = f"{method} {path.rpartition('/')[2]}"
        fault = next((each for each in self.calls if each.operation == operation), None)
        if fault is not None:
            fault.count -= 1
            if fault.count <= 0:
                self.calls.remove(fault)
        return fault

    def take_media(self, *, looking_up: bool) -> MediaFault | None:
        """Take the first fault meant for a look-up, or for a download, counting it down."""
        fault = next((each for each in self.media if (each.kind == "error") == looking_up), None)
        if fault is not None:
            fault.count -= 1
            if fault.count <= 0:
                self.media.remove(fault)
        return fault

    def as_dict(self) -> dict[str, Any]:
        """Show what is left."""
        hooks = self.webhooks
        return {
            "sends": [fault.as_dict() for fault in self.sends],
            "calls": [fault.as_dict() for fault in self.calls],
            "media": [fault.as_dict() for fault in self.media],
            "webhooks": {
                "duplicate": hooks.duplicate,
                "reorder": hooks.reorder,
                "drop": hooks.drop,
                "delay_seconds": list(hooks.delay_seconds),
                "rebatch": hooks.rebatch,
                "phone_number_id": hooks.phone_number_id,
            },
        }


def _read_send_fault(*, raw: dict[str, Any]) -> SendFault:
    kind = raw.get("kind")
    if kind not in SEND_KINDS:
        raise UnknownFault(f"there is no fault {kind!r}; there are {', '.join(sorted(SEND_KINDS))}")
    missing = SEND_KINDS[kind] - raw.keys()
    if missing:
        raise UnknownFault(f"fault {kind!r} needs {', '.join(sorted(missing))}")
    seconds = raw.get("hang_seconds", raw.get("seconds", 30.0 if kind == "timeout_after_accept" else 0.0))
    count = int(raw.get("count", 1))
    if count < 1:
        raise UnknownFault("count is at least 1")
    return SendFault(
        kind=kind,
        count=count,
        code=int(raw.get("code", 0)),
        seconds=float(seconds),
        phone_number_id=raw.get("phone_number_id"),
    )


def _read_call_fault(*, raw: dict[str, Any]) -> CallFault:
    kind = raw.get("kind")
    if kind not in CALL_KINDS:
        raise UnknownFault(f"there is no fault {kind!r} of calls; there are {', '.join(sorted(CALL_KINDS))}")
    missing = (CALL_KINDS[kind] | {"operation"}) - raw.keys()
    if missing:
        raise UnknownFault(f"fault {kind!r} of calls needs {', '.join(sorted(missing))}")
    count = int(raw.get("count", 1))
    if count < 1:
        raise UnknownFault("count is at least 1")
    return CallFault(kind=kind, count=count, code=int(raw.get("code", 0)), operation=str(raw["operation"]))


def _read_media_fault(*, raw: dict[str, Any]) -> MediaFault:
    kind = raw.get("kind")
    if kind not in MEDIA_KINDS:
        raise UnknownFault(f"there is no fault {kind!r} of media; there are {', '.join(sorted(MEDIA_KINDS))}")
    missing = MEDIA_KINDS[kind] - raw.keys()
    if missing:
        raise UnknownFault(f"fault {kind!r} needs {', '.join(sorted(missing))}")
    count = int(raw.get("count", 1))
    if count < 1:
        raise UnknownFault("count is at least 1")
    return MediaFault(
        kind=kind,
        count=count,
        code=int(raw.get("code", 0)),
        seconds=float(raw.get("seconds", 0.0)),
        to=str(raw.get("to", "")),
    )


def _read_webhook_faults(*, raw: dict[str, Any]) -> WebhookFaults:
    unknown = raw.keys() - WEBHOOK_KEYS
    if unknown:
        raise UnknownFault(f"webhook faults have no {', '.join(sorted(unknown))}")
    delay = raw.get("delay_seconds", (0.0, 0.0))
    if len(delay) != 2 or not 0 <= delay[0] <= delay[1]:
        raise UnknownFault("delay_seconds is [least, most]")
    return WebhookFaults(
        duplicate=float(raw.get("duplicate", 0.0)),
        reorder=float(raw.get("reorder", 0.0)),
        drop=float(raw.get("drop", 0.0)),
        delay_seconds=(float(delay[0]), float(delay[1])),
        rebatch=raw.get("rebatch"),
        phone_number_id=raw.get("phone_number_id"),
    )
