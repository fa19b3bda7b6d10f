"""Numbers that not everyone has to read: masked in what a key reads, unless it has a scope for them."""

from importlib import import_module

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from accounts.models import ApiKey
from messaging.models import Message
from messaging.sensitive import masked_content
from tests.api.calling import Caller, make_key
from tests.messaging import meta

BSN, IBAN = "999990342", "NL91 ABNA 0417 1643 00"


def _caller(name: str, *scopes: str) -> Caller:
    return Caller(host="utrecht.localhost", key=make_key("utrecht", name=name, scopes=scopes))


def test_a_key_reads_them_in_full_by_a_scope_of_its_own(utrecht, thread, clock):
    reader = _caller("Lezer", "messages:read")
    trusted = _caller("Zaken", "messages:read", "messages:unmask")
    clock.move(minutes=1)  # after the one that the conversation begins with: they are read in their order
    with schema_context("utrecht"):
        text = f"Mijn BSN is {BSN}, rekening {IBAN}"
        meta.receive(utrecht, meta.message(utrecht, wamid="wamid.S", at=clock.now(), text=text))
        message = Message.objects.get(wamid="wamid.S")
    paths = (f"/messages/{message.id}", f"/threads/{thread.id}/messages")
    for path in paths:
        said = reader.get(path).json()
        read = said["items"][-1] if "items" in said else said
        assert read["text"] == "Mijn BSN is •••••••42, rekening NL•• •••• •••• •••• 00"
        assert read["content"] == {"body": read["text"]}
        assert read["masked"] == ["BSN", "IBAN"]
        said = trusted.get(path).json()
        read = said["items"][-1] if "items" in said else said
        assert (read["text"], read["content"], read["masked"]) == (text, {"body": text}, [])
    assert reader.get(paths[1]).json()["items"][0]["masked"] == []
    # By itself the scope opens nothing.
    assert _caller("Alleen", "messages:unmask").get(paths[0]).status_code == 403


def test_what_a_key_sends_comes_back_as_it_was_sent(thread):
    sender = _caller("Zender", "messages:send", "messages:read")
    said = sender.post("/messages", {"threadId": str(thread.id), "text": f"U gaf {BSN} op."}).json()
    assert (said["text"], said["masked"]) == (f"U gaf {BSN} op.", [])
    assert sender.get(f"/messages/{said['id']}").json()["text"] == "U gaf •••••••42 op."


@pytest.mark.parametrize(
    "content", [{"id": "4111111111111111", "new_wa_id": "4111111111111111"}, {"latitude": 52.09}, [None, True], 5]
)
def test_what_only_machines_read_stays_as_it_is(content):
    assert masked_content(content=content) == (content, frozenset())


def test_words_are_masked_however_deep_they_stand():
    content = {"type": "list_reply", "list_reply": {"id": BSN, "title": BSN}, "rows": [{"description": f"{IBAN}!"}]}
    masked, found = masked_content(content=content)
    assert masked["list_reply"] == {"id": BSN, "title": "•••••••42"}
    assert masked["rows"] == [{"description": "NL•• •••• •••• •••• 00!"}]
    assert found == {"BSN", "IBAN"}


def test_keys_that_could_read_messages_keep_what_they_saw(utrecht):
    make_key("utrecht", name="Oud", scopes=["messages:read", "usage:read"])
    make_key("utrecht", name="Ander", scopes=["usage:read"])
    migration = import_module("accounts.migrations.0008_unmasking_keys")
    with schema_context("utrecht"), connection.cursor() as cursor:
        for statement, count in ((migration.GIVE, 3), (migration.TAKE, 2)):
            cursor.execute(statement)
            assert len(ApiKey.objects.get(name="Oud").scopes) == count
            assert ApiKey.objects.get(name="Ander").scopes == ["usage:read"]
