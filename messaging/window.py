"""The service window: for 24 hours after a contact's last message free-form replies are allowed.

Source: Meta, customer service windows (read 2026-11-22).
"""

from datetime import datetime, timedelta

SERVICE_WINDOW = timedelta(hours=24)


def window_end(*, last_inbound_at: datetime | None) -> datetime | None:
    """Return when the window closes or closed, or None when it never opened."""
    return None if last_inbound_at is None else last_inbound_at + SERVICE_WINDOW


def is_open(*, last_inbound_at: datetime | None, at: datetime) -> bool:
    """Return whether a free-form reply is allowed at a moment; the window is half-open."""
    end = window_end(last_inbound_at=last_inbound_at)
    return end is not None and at < end
