"""Sessions: the cookie holds the key, the database a digest of it."""

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.sessions import SessionStore, digest

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> SessionStore:
    """Return a saved session."""
    made = SessionStore()
    made["word"] = "kept"
    made.save()
    return made


def test_the_database_holds_no_key(store):
    (row,) = Session.objects.all()
    assert row.session_key == digest(store.session_key)
    assert store.session_key not in (row.session_key, row.session_data)


def test_it_is_found_by_its_key(store):
    assert SessionStore(store.session_key)["word"] == "kept"
    assert store.exists(store.session_key)


def test_it_is_not_found_by_what_the_database_holds(store):
    stolen = Session.objects.get().session_key
    assert SessionStore(stolen).get("word") is None
    assert not store.exists(stolen)


def test_saving_again_keeps_one_row(store):
    store["word"] = "changed"
    store.save()
    assert SessionStore(store.session_key)["word"] == "changed"
    assert Session.objects.count() == 1


def test_a_new_key_ends_the_old_one(store):
    old = store.session_key
    store.cycle_key()
    assert SessionStore(old).get("word") is None
    assert SessionStore(store.session_key)["word"] == "kept"
    assert Session.objects.count() == 1


def test_what_is_flushed_is_gone(store):
    key = store.session_key
    store.flush()
    assert SessionStore(key).get("word") is None
    assert not Session.objects.exists()


def test_it_is_the_same_for_who_waits_asynchronously():
    @async_to_sync  # so that what is synchronous within uses the connection of the test
    async def steps() -> None:
        store = SessionStore()
        await store.aset("word", "kept")
        await store.asave()
        assert await SessionStore(store.session_key).aget("word") == "kept"
        assert await store.aexists(store.session_key)
        assert (await Session.objects.aget()).session_key == digest(store.session_key)
        await store.adelete()
        assert not await Session.objects.aexists()

    steps()


def test_the_pages_use_it(settings):
    assert SessionStore.__module__ == settings.SESSION_ENGINE
    assert Client().session.__class__ is SessionStore
