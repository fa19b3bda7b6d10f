"""Rows that are written many at once come back as they were given, whatever is in them."""

from datetime import UTC, datetime

import pytest
from django.db import DataError, IntegrityError, transaction

from messaging.models import Message
from messaging.saving import insert, save_changed

AT = datetime(2026, 11, 26, 12, 0, 0, 123_457, tzinfo=UTC)
TEXTS = [
    "",
    "'; DROP TABLE x; --",
    'een "aanhaling" en \\ en %s en %(n)s',
    "één\nregel\ttab 👩‍👩‍👧 \u202e",
    "null",
    "{}",
]
CONTENTS = [{}, {"body": None, "list": [1, [2, {"a": None}]]}, {"whole": 10**30, "part": 0.1, "text": "\\u0041 “é”"}]


def row(thread, wamid: str, **given) -> Message:
    known = {"direction": "INBOUND", "state": "RECEIVED", "kind": "text", "stamped_at": AT, "created_at": AT}
    return Message(thread=thread, wamid=wamid, **{**known, **given})


def test_what_is_inserted_comes_back_the_same(thread):
    rows = [row(thread, f"wamid.t{n}", text=text) for n, text in enumerate(TEXTS)]
    rows += [row(thread, f"wamid.c{n}", content=content) for n, content in enumerate(CONTENTS)]
    rows.append(
        row(thread, "wamid.all", forwarded=True, referral={"source_id": "1"}, failed_code=-(2**31), revoked_at=AT)
    )
    insert(rows)
    for given in rows:
        stored = Message.objects.get(id=given.id)
        for column in Message._meta.concrete_fields:
            assert getattr(stored, column.attname) == getattr(given, column.attname), column
    rows[0].text = "later"
    rows[0].save()  # it is known to be there
    assert Message.objects.get(id=rows[0].id).text == "later"


def test_what_changes_comes_back_the_same(thread):
    rows = [row(thread, f"wamid.{n}") for n in range(len(TEXTS))]
    insert(rows)
    for given, text in zip(rows, TEXTS, strict=True):
        given.text, given.content, given.edited_at, given.original = text, CONTENTS[-1], AT, {"text": ""}
        given.forwarded = True  # not among the fields
    rows[0].edited_at, rows[0].original = None, None
    save_changed(rows, fields=["text", "content", "edited_at", "original"])
    for given in rows:
        stored = Message.objects.get(id=given.id)
        assert (stored.text, stored.content, stored.edited_at) == (given.text, given.content, given.edited_at)
        assert (stored.original, stored.forwarded) == (given.original, False)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"kind": "x" * 41}, DataError),  # never cut off
        ({"text": "a\x00b"}, DataError),
        ({"stamped_at": None}, IntegrityError),
        ({"state": "QUEUED"}, IntegrityError),
        ({"wamid": "wamid.there"}, IntegrityError),
    ],
    ids=str,
)
def test_what_the_database_refuses_is_refused_whole(thread, given, error):
    insert([row(thread, "wamid.there")])
    with pytest.raises(error), transaction.atomic():
        insert([row(thread, "wamid.good"), row(thread, given.pop("wamid", "wamid.bad"), **given)])
    assert Message.objects.filter(wamid__in=["wamid.good", "wamid.bad"]).count() == 0


def test_what_is_there_already_can_be_left_out(thread):
    insert([row(thread, "wamid.there", text="first")])
    insert([row(thread, "wamid.there", text="second"), row(thread, "wamid.new")], ignore_conflicts=True)
    assert Message.objects.get(wamid="wamid.there").text == "first"
    assert Message.objects.filter(wamid="wamid.new").exists()


def test_nothing_costs_no_query(django_assert_num_queries, thread):
    with django_assert_num_queries(0):
        insert([])
        save_changed([], fields=["text"])
