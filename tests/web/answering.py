"""The form with which an agent answers, as a thread's page makes it."""

from uuid import uuid4

from tenants import clock


def answer_of(text: str) -> dict[str, str]:
    """Return the form with a text in it, of a page that was made now."""
    return {"text": text, "once": str(uuid4()), "seen": clock.now().isoformat()}
