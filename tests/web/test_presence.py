"""Who else looks at a conversation: by ids in Redis, told to open pages, and gone when the page is."""

from uuid import uuid4

import redis
from django.conf import settings
from django_tenants.utils import schema_context

from messaging import presence
from messaging.announcing import CHANNEL, Announcement
from tests.web.answering import answer_of


def test_colleagues_see_each_other_look_type_and_leave(people, thread):
    agent, supervisor = people("utrecht", "AGENT"), people("utrecht", "SUPERVISOR")
    address = f"/threads/{thread.id}/presence/"
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client, client.pubsub() as channel:
        channel.subscribe(CHANNEL)
        channel.get_message(timeout=2)
        assert "Agent van utrecht" not in agent.post(address).content.decode()  # not oneself
        told = Announcement.decode(channel.get_message(timeout=2)["data"])
        assert (told.schema_name, told.threads, told.presence) == ("utrecht", {str(thread.id)}, True)
        assert told.about(thread_id=str(thread.id))
        assert told.about(thread_id=None)  # lists show it too
        agent.post(address)
        assert channel.get_message(timeout=0.3) is None  # it is nothing new
        assert "Agent van utrecht kijkt ook" in supervisor.post(address).content.decode()
        agent.post(f"/threads/{thread.id}/typing/")
        assert "Agent van utrecht typt een antwoord" in supervisor.post(address).content.decode()
        # In a list too, and there it is brought up to date by itself.
        assert "Agent van utrecht typt een antwoord" in supervisor.get("/inbox/?list=all").content.decode()
        asked = supervisor.post("/inbox/present/", {"thread": [str(thread.id), str(uuid4())]}).content.decode()
        assert asked.count("there-") == 1
        assert f'id="there-{thread.id}"' in asked
        assert "Agent van utrecht typt een antwoord" in asked
        assert "Agent van utrecht" not in agent.post("/inbox/present/", {"thread": [str(thread.id)]}).content.decode()
        assert supervisor.post("/inbox/present/", {"thread": ["1"]}).status_code == 400
        kept = b" ".join(part for key in client.scan_iter("presence:*") for part in (key, *client.hkeys(key)))
        assert b"Piet" not in kept
        assert b"31697" not in kept
        # Another municipality's thread has nobody, also under the same id.
        with schema_context("delft"):
            assert not presence.others(thread_id=thread.id, user_id=thread.id)
        assert agent.post(address, {"doing": "gone"}).status_code == 204
        assert "Agent van utrecht" not in supervisor.post(address).content.decode()
    elsewhere = people("delft", "AGENT")
    assert elsewhere.post(address).status_code == 404
    assert elsewhere.post("/inbox/present/", {"thread": [str(thread.id)]}).content.strip() == b""


def test_without_redis_nobody_seems_to_be_there_and_all_else_works(people, thread, monkeypatch):
    agent = people("utrecht", "AGENT")
    away = redis.Redis.from_url("redis://127.0.0.1:9/0", socket_connect_timeout=0.2)
    monkeypatch.setattr(presence, "client", lambda: away)
    assert agent.post(f"/threads/{thread.id}/presence/").status_code == 200
    assert "Piet" in agent.get("/inbox/").content.decode()
    assert agent.post(f"/threads/{thread.id}/presence/", {"doing": "gone"}).status_code == 204
    assert agent.post(f"/threads/{thread.id}/reply/", answer_of("Goedemorgen")).status_code == 302
