"""A world of its own for the walk: made once by each process that walks, in a database in which commits are real."""

import os
from collections.abc import Iterator

import pytest
from django.test import override_settings

from config.local import databases, testing
from tests.conftest import FROZEN_AT
from tests.isolation.world import World, make_world

CONTACT = "mailto:beveiliging@voorbeeld.example"
QUICK_PASSWORDS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="package")
def world_url(template, django_db_setup, django_db_blocker) -> Iterator[str]:
    """Return the URL of the world's database, with nothing but the two municipalities in it yet."""
    from django.db import connection

    server = os.environ[testing.SERVER]
    before = connection.settings_dict["NAME"]
    name = f"{before}_isolation"
    databases.make(server=server, name=name, template=template)
    url = databases.with_name(url=server, name=name)
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        from tenants import clock

        patch.setattr(clock, "now", lambda: FROZEN_AT)
        connection.close()
        connection.settings_dict["NAME"] = name
        try:
            with override_settings(
                PASSWORD_HASHERS=QUICK_PASSWORDS, DATABASE_URL=url, SECURITY_CONTACT=CONTACT, EMAIL_FILE_PATH="/nowhere"
            ):
                connection.set_schema_to_public()
                yield url
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before
            databases.drop(server=server, name=name)


@pytest.fixture(scope="package")
def world(world_url) -> World:
    """Return the world."""
    return make_world()
