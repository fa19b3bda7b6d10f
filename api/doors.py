"""The two REST APIs: a municipality's on its own host, the BSP's on the console's host."""

from dataclasses import dataclass

from django.urls import URLPattern

import api.bsp.urls
import api.tenant.urls


@dataclass(frozen=True, slots=True)
class Door:
    """One API: its addresses, and what its document says of it."""

    name: str
    title: str
    description: str
    patterns: tuple[URLPattern, ...]


_COMMON = (
    " Every answer carries `API-Version`; every error is an RFC 9457 problem with a stable `code`, and an invalid "
    "request is told everything that is wrong with it at once. Lists come in pages: ask for the next with the "
    "`cursor` of the page before."
)
TENANT = Door(
    name="tenant",
    title="WhatsApp API of a municipality",
    description="Send messages to citizens, and read threads, messages, templates and usage." + _COMMON,
    patterns=tuple(api.tenant.urls.urlpatterns),
)
BSP = Door(
    name="bsp",
    title="WhatsApp API of the BSP",
    description="Read municipalities, their usage and their invoices." + _COMMON,
    patterns=tuple(api.bsp.urls.urlpatterns),
)
DOORS = (TENANT, BSP)
