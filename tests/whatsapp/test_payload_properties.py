"""What holds for any payload: nothing but MalformedPayload comes out, and keys never depend on how Meta batches."""

import json
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whatsapp.payloads import (
    EventKind,
    InboundMessage,
    MalformedPayload,
    StatusUpdate,
    parse_message,
    parse_status,
    split,
)

RECEIVED_AT = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
PAYLOADS = Path(__file__).parent.parent / "payloads" / "whatsapp"
BODIES = {path.stem: orjson.loads(path.read_bytes()) for path in sorted(PAYLOADS.glob("*.json"))}
WELL_FORMED = [body for case, body in BODIES.items() if case != "batch_with_malformed_parts"]
NAMES = ["entry", "changes", "value", "field", "messages", "statuses", "errors", "contacts", "metadata", "id", "type"]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None, categories=None), max_size=12)
    | st.sampled_from([*NAMES, "text", "system", "edit", "NL.1", "31697000100", "9" * 30])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)


def read(events):
    """Read every event; only MalformedPayload may come of it."""
    for event in events:
        orjson.dumps(event.payload)
        for parse, value_type in ((parse_message, InboundMessage), (parse_status, StatusUpdate)):
            try:
                value = parse(payload=event.payload)
            except MalformedPayload:
                continue
            assert isinstance(value, value_type)
            assert value.stamped_at.tzinfo is UTC


def places(value, path=()):
    """Yield the way to every value inside."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def mutated(body, path, value):
    if not path:
        return value
    copy = body.copy()
    copy[path[0]] = mutated(body[path[0]], path[1:], value)
    return copy


@given(body=JSON)
@settings(max_examples=300, deadline=None)
def test_any_json_is_taken_apart_without_raising(body):
    read(split(body=body, received_at=RECEIVED_AT))


@given(data=st.data())
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_payload_with_anything_put_anywhere_is_taken_apart_without_raising(data):
    body = data.draw(st.sampled_from(list(BODIES.values())))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(body))))
        body = mutated(body, path, data.draw(JSON))
    read(split(body=body, received_at=RECEIVED_AT))


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_bad_part_costs_no_good_one(data):
    """Put garbage into one list of updates: all updates that were there still come out, with their keys."""
    body = data.draw(st.sampled_from(WELL_FORMED))
    before = Counter(event.dedup_key for event in split(body=body, received_at=RECEIVED_AT))
    lists = [path for path in places(body) if path and path[-1] in {"entry", "changes", "messages", "statuses"}]
    path = data.draw(st.sampled_from(lists))
    target = body
    for step in path:
        target = target[step]
    if not isinstance(target, list):
        return
    garbage = data.draw(SCALARS | st.lists(SCALARS, max_size=3))
    with_garbage = [*target]
    with_garbage.insert(data.draw(st.integers(0, len(target))), garbage)
    events = split(body=mutated(body, path, with_garbage), received_at=RECEIVED_AT)
    # A field of the account is one event with its whole value, lists inside included.
    if not any(event.kind is EventKind.ACCOUNT for event in events):
        assert before <= Counter(event.dedup_key for event in events)
        assert len(events) == before.total() + 1


def pieces(body):
    """Return a POST's updates as POSTs of one update each."""
    for entry in body["entry"]:
        for change in entry["changes"]:
            value = change["value"]
            if change["field"] != "messages":
                yield entry, change["field"], value
                continue
            for name in ("messages", "statuses", "errors"):
                for element in value.get(name, []):
                    rest = {key: item for key, item in value.items() if key not in {"messages", "statuses", "errors"}}
                    yield entry, "messages", {**rest, name: [element]}


def shuffled_keys(value, generator):
    if isinstance(value, dict):
        items = [(key, shuffled_keys(item, generator)) for key, item in value.items()]
        generator.shuffle(items)
        return dict(items)
    return [shuffled_keys(item, generator) for item in value] if isinstance(value, list) else value


@given(chosen=st.lists(st.sampled_from(WELL_FORMED), min_size=1, max_size=6), seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_keys_are_the_same_however_meta_batches_and_orders(chosen, seed):
    generator = random.Random(seed)
    before = {e.dedup_key for body in chosen for e in split(body=body, received_at=RECEIVED_AT)}
    loose = [piece for body in chosen for piece in pieces(body)]
    generator.shuffle(loose)
    after, kinds = set(), Counter()
    while loose:
        size = generator.randint(1, len(loose))
        batch, loose = loose[:size], loose[size:]
        entries = [{**entry, "changes": [{"field": field, "value": value}]} for entry, field, value in batch]
        post = shuffled_keys({"object": "whatsapp_business_account", "entry": entries}, generator)
        # As bytes in between, with and without escapes, as it travels.
        travelled = orjson.loads(json.dumps(post, ensure_ascii=generator.random() < 0.5).encode())
        for event in split(body=travelled, received_at=RECEIVED_AT):
            after.add(event.dedup_key)
            kinds[event.kind] += 1
    assert after == before
    assert EventKind.MALFORMED not in kinds
