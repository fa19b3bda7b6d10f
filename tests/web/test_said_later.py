"""What was said of a message afterwards, on the page of its thread."""

from datetime import timedelta

from django_tenants.utils import schema_context

from messaging.models import Thread
from tests.messaging import meta

AT = meta.RECEIVED_AT


def test_an_agent_sees_edits_withdrawals_reactions_quotes_and_forwards(people, utrecht, clock):
    target = {"original_message_id": "wamid.1"}
    new = {**target, "message": {"type": "text", "text": {"body": "Dinsdag"}}}
    answer = {"type": "text", "text": {"body": "Klopt"}, "context": {"id": "wamid.1", "forwarded": True}}
    with schema_context("utrecht"):
        meta.receive(
            utrecht,
            meta.message(utrecht, wamid="wamid.1", text="Maandag"),
            meta.message(utrecht, wamid="wamid.e", at=AT + timedelta(seconds=2), type="edit", edit=new),
            meta.message(utrecht, wamid="wamid.r", type="reaction", reaction={"message_id": "wamid.1", "emoji": "👍"}),
            meta.message(utrecht, wamid="wamid.2", at=AT + timedelta(seconds=5), **answer),
            meta.message(utrecht, wamid="wamid.3", at=AT + timedelta(seconds=6), text="Vergissing"),
            meta.message(utrecht, wamid="wamid.w", type="revoke", revoke={"original_message_id": "wamid.3"}),
        )
        thread = Thread.objects.get()
    client = people("utrecht", "AGENT")
    page = client.get(f"/threads/{thread.id}/").content.decode()
    for shown in ("Dinsdag", "Maandag", "Bewerkt", "👍", "In antwoord op", "Doorgestuurd", "Toon wat er stond"):
        assert shown in page, shown
    assert "Ingetrokken" in client.get("/inbox/?list=all").content.decode()
