"""The municipality Utrecht with its schema on the connection, a citizen who wrote, and agents."""

from collections.abc import Iterator

import pytest
from django_tenants.utils import schema_context

from audit.record import Actor
from messaging.models import Template, Thread
from tests.messaging import meta


@pytest.fixture
def here(utrecht) -> Iterator[None]:
    """Put Utrecht's schema on the connection."""
    with schema_context("utrecht"):
        yield


@pytest.fixture
def thread(utrecht, here, clock) -> Thread:
    """Return the open thread of a citizen who wrote just now."""
    meta.receive(utrecht, meta.message(utrecht, at=clock.now()))
    return Thread.objects.get()


@pytest.fixture
def agent(here) -> Actor:
    """Return an agent of Utrecht's."""
    from accounts.models import User

    return User.objects.create_user(email="agent@utrecht.example", name="Agent").actor()


@pytest.fixture
def approved(here) -> Template:
    """Return an approved template of Utrecht's."""
    template = Template.objects.get(name="vervolg_op_uw_vraag")
    template.status = Template.Status.APPROVED
    template.save()
    return template
