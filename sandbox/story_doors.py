"""The doors of the demo's story: prepare it, play its next scene."""

from starlette.routing import Route


def routes() -> list[Route]:
    """List the doors."""
    return []
