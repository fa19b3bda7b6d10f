"""Our checks against Meta's as the sandbox makes them: what ours pass it takes; one step beyond, both refuse.

The one place where a test knows both sides; neither imports the other.
"""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.checks import check_envelope, check_message
from sandbox.graph_errors import GraphError
from whatsapp import limits
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import (
    Button,
    Card,
    ContactRequest,
    Contacts,
    CtaUrl,
    InvalidContent,
    ListMessage,
    Location,
    LocationRequest,
    MediaMessage,
    MediaPart,
    Reaction,
    Recipient,
    ReplyButtons,
    Row,
    Section,
    Text,
    request_body,
)

PIET = Recipient(wa_id="31697000001")


def as_request(content) -> dict[str, Any]:
    """Return what leaves; refuses as our rooms do."""
    return request_body(recipient=PIET, content=content, our_id="0d5bb1c2-6f0e-4d0a-9a55-2f6c0f1f8f11")


def judged(request: dict[str, Any]) -> None:
    """Have the sandbox judge a request.  Raises GraphError."""
    check_envelope(payload=request)
    check_message(payload=request, kind=request["type"])


def words(most: int, least: int = 1):
    """Return texts of any length up to a limit, the limit itself often, in which there is something to read."""
    any_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(most, 60))
    full = st.characters(categories=["L", "N"]).map(lambda letter: letter * most)
    return st.one_of(any_text.filter(str.strip), full)


def sizes(most: int):
    return st.one_of(st.integers(1, most), st.just(most))


links = st.text(st.sampled_from("abcdefghij0123456789-_.~/%"), min_size=1, max_size=60).map(
    "https://www.utrecht.nl/".__add__
)
media_sources = st.one_of(
    st.builds(dict, link=links),
    st.builds(dict, media_id=st.text(st.sampled_from("0123456789"), min_size=5, max_size=20)),
)


@st.composite
def media(draw):
    kind = draw(st.sampled_from(["image", "video", "document", "audio", "sticker"]))
    more: dict[str, Any] = {}
    if kind in {"image", "video", "document"}:
        more["caption"] = draw(st.one_of(st.none(), words(limits.CAPTION_CHARACTERS)))
    if kind == "document":
        more["filename"] = draw(st.one_of(st.none(), words(limits.FILENAME_CHARACTERS)))
    if kind == "audio":
        more["voice"] = draw(st.booleans())
    return MediaMessage(kind=kind, **draw(media_sources), **more)


parts = st.builds(
    lambda kind, source: MediaPart(kind=kind, **source), st.sampled_from(["image", "video", "document"]), media_sources
)
headers = st.one_of(st.none(), words(limits.HEADER_CHARACTERS), parts)
footers = st.one_of(st.just(""), words(limits.FOOTER_CHARACTERS))
bodies = words(limits.INTERACTIVE_BODY_CHARACTERS)


@st.composite
def buttons(draw):
    count = draw(sizes(limits.REPLY_BUTTONS))
    unique = {"min_size": count, "max_size": count, "unique": True}
    ids = draw(st.lists(words(limits.BUTTON_ID_CHARACTERS), **unique))
    titles = draw(st.lists(words(limits.BUTTON_TITLE_CHARACTERS), **unique))
    made = tuple(Button(id=id_, title=title) for id_, title in zip(ids, titles, strict=True))
    return ReplyButtons(body=draw(bodies), buttons=made, header=draw(headers), footer=draw(footers))


@st.composite
def lists(draw):
    count = draw(sizes(limits.LIST_ROWS))
    ids = draw(st.lists(words(limits.LIST_ROW_ID_CHARACTERS), min_size=count, max_size=count, unique=True))
    rows = [
        Row(
            id=id_,
            title=draw(words(limits.LIST_ROW_TITLE_CHARACTERS)),
            description=draw(st.one_of(st.just(""), words(limits.LIST_ROW_DESCRIPTION_CHARACTERS))),
        )
        for id_ in ids
    ]
    several = draw(st.booleans())
    groups = [[row] for row in rows] if several else [rows]
    titles = words(limits.LIST_SECTION_TITLE_CHARACTERS)
    sections = [
        Section(rows=group, title=draw(titles if len(groups) > 1 else st.one_of(st.just(""), titles)))
        for group in groups
    ]
    return ListMessage(
        body=draw(words(limits.LIST_BODY_CHARACTERS)),
        button=draw(words(limits.LIST_BUTTON_CHARACTERS)),
        sections=sections,
        header=draw(st.one_of(st.none(), words(limits.HEADER_CHARACTERS))),
        footer=draw(footers),
    )


degrees = st.floats(allow_nan=False, allow_infinity=False)
cards = st.builds(
    Card,
    formatted_name=words(60),
    phones=st.lists(st.tuples(words(20), st.sampled_from(["", "WORK"])), max_size=2).map(tuple),
    organisation=st.one_of(st.just(""), words(60)),
)
CONTENTS = st.one_of(
    st.builds(Text, body=words(limits.TEXT_BODY_CHARACTERS)),
    media(),
    buttons(),
    lists(),
    st.builds(CtaUrl, body=bodies, label=words(limits.CTA_LABEL_CHARACTERS), url=links, header=headers, footer=footers),
    st.builds(LocationRequest, body=bodies),
    st.builds(ContactRequest, body=bodies),
    st.builds(
        Location,
        latitude=st.floats(-90, 90),
        longitude=st.floats(-180, 180),
        name=words(limits.LOCATION_NAME_CHARACTERS),
        address=st.one_of(st.just(""), words(limits.LOCATION_ADDRESS_CHARACTERS)),
    ),
    st.builds(Contacts, cards=st.lists(cards, min_size=1, max_size=3)),
    st.builds(Reaction, wamid=words(40), emoji=st.sampled_from(["", "👍", "❤️", "🇳🇱"])),
)


@settings(max_examples=300, deadline=None)
@given(CONTENTS)
def test_what_we_let_pass_is_taken(content):
    judged(as_request(content))
    assert isinstance(content.readable(), str)


def with_one_more(request: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """Return a request with one letter more, or one element more, at a place."""
    longer = copy.deepcopy(request)
    holder: Any = longer[longer["type"]]
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    holder[path[-1]] = value + "x" if isinstance(value, str) else [*value, another(value[-1])]
    return longer


def another(element: dict[str, Any]) -> dict[str, Any]:
    """Return one more button, row or section, with an id and title of its own."""
    made = copy.deepcopy(element)
    inner = made.get("reply", made)
    inner.update({name: f"{inner[name]}9" for name in ("id", "title") if name in inner})
    for row in made.get("rows", []):
        row["id"] += "9"
    return made


def list_of(rows: int = 1, **row: str) -> ListMessage:
    made = tuple(Row(**{"id": str(n), "title": "x", **(row if n == 0 else {})}) for n in range(rows))
    return ListMessage(body="x", button="x", sections=(Section(rows=made, title="x"),))


def buttons_of(count: int = 1, **button: str) -> ReplyButtons:
    made = tuple(Button(**{"id": str(n), "title": str(n), **(button if n == 0 else {})}) for n in range(count))
    return ReplyButtons(body="x", buttons=made)


def sections_of(count: int) -> ListMessage:
    made = tuple(Section(rows=(Row(id=str(n), title="x"),), title="x") for n in range(count))
    return ListMessage(body="x", button="x", sections=made)


FIRST_BUTTON = ("action", "buttons", 0, "reply")
FIRST_ROW = ("action", "sections", 0, "rows", 0)
# By code: the content at so many, where it is in Meta's object, and Meta's limit.
EDGES: dict[str, tuple[Any, tuple[Any, ...], int]] = {
    "text_too_long": (lambda n: Text("x" * n), ("body",), 4096),
    "media_caption_too_long": (lambda n: MediaMessage(kind="image", media_id="1", caption="x" * n), ("caption",), 1024),
    "interactive_body_too_long": (
        lambda n: ReplyButtons(body="x" * n, buttons=(Button("1", "1"),)),
        ("body", "text"),
        1024,
    ),
    "interactive_body_too_long, of a list": (
        lambda n: ListMessage(body="x" * n, button="x", sections=(Section(rows=(Row("1", "1"),)),)),
        ("body", "text"),
        4096,
    ),
    "header_text_too_long": (
        lambda n: ReplyButtons(body="x", buttons=(Button("1", "1"),), header="x" * n),
        ("header", "text"),
        60,
    ),
    "footer_too_long": (
        lambda n: ReplyButtons(body="x", buttons=(Button("1", "1"),), footer="x" * n),
        ("footer", "text"),
        60,
    ),
    "buttons_count": (buttons_of, ("action", "buttons"), 3),
    "button_id_too_long": (lambda n: buttons_of(id="x" * n), (*FIRST_BUTTON, "id"), 256),
    "button_title_too_long": (lambda n: buttons_of(title="x" * n), (*FIRST_BUTTON, "title"), 20),
    "list_button_too_long": (
        lambda n: ListMessage(body="x", button="x" * n, sections=(Section(rows=(Row("1", "1"),)),)),
        ("action", "button"),
        20,
    ),
    "list_sections_count": (sections_of, ("action", "sections"), 10),
    "list_rows_count": (list_of, ("action", "sections", 0, "rows"), 10),
    "list_section_title_too_long": (
        lambda n: ListMessage(body="x", button="x", sections=(Section(rows=(Row("1", "1"),), title="x" * n),)),
        ("action", "sections", 0, "title"),
        24,
    ),
    "list_row_id_too_long": (lambda n: list_of(id="x" * n), (*FIRST_ROW, "id"), 200),
    "list_row_title_too_long": (lambda n: list_of(title="x" * n), (*FIRST_ROW, "title"), 24),
    "list_row_description_too_long": (lambda n: list_of(description="x" * n), (*FIRST_ROW, "description"), 72),
    "cta_label_too_long": (
        lambda n: CtaUrl(body="x", label="x" * n, url="https://x.nl"),
        ("action", "parameters", "display_text"),
        20,
    ),
    "cta_url_too_long": (
        lambda n: CtaUrl(body="x", label="x", url="https://x.nl/" + "x" * (n - 13)),
        ("action", "parameters", "url"),
        2000,
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_at_the_limit_both_take_it_and_one_beyond_both_refuse_it(name):
    make, path, most = EDGES[name]
    request = as_request(make(most))
    judged(request)
    with pytest.raises(GraphError) as theirs:
        judged(with_one_more(request, path))
    assert theirs.value.code == 131009
    with pytest.raises(LimitExceeded) as ours:
        as_request(make(most + 1))
    assert (ours.value.code, ours.value.limit, ours.value.actual) == (name.partition(",")[0], most, most + 1)


def test_every_limit_of_metas_has_its_edge():
    from whatsapp.texts import TEXTS

    of_our_own = {
        *("our_id_too_long", "media_link_too_long", "media_filename_too_long", "contacts_part_too_long"),
        *("location_name_too_long", "location_address_too_long"),
    }
    of_templates = {code for code in TEXTS if code.startswith("template")}  # tests/messaging/test_filling.py
    edges = {name.partition(",")[0] for name in EDGES}
    assert {code for code in TEXTS if code.endswith("_too_long")} - of_our_own - of_templates <= edges


# What is wrong whatever its length: ours, and the same put before the sandbox.
WRONG: dict[str, tuple[Any, dict[str, Any]]] = {
    "text_empty": (Text(""), {"type": "text", "text": {"body": ""}}),
    "media_needs_id_or_link": (
        MediaMessage(kind="image", media_id="1", link="https://x.nl"),
        {"type": "image", "image": {"id": "1", "link": "https://x.nl"}},
    ),
    "media_caption_not_allowed": (
        MediaMessage(kind="sticker", media_id="1", caption="x"),
        {"type": "sticker", "sticker": {"id": "1", "caption": "x"}},
    ),
    "media_kind_unknown": (MediaMessage(kind="gif", media_id="1"), {"type": "gif", "gif": {"id": "1"}}),
    "location_latitude_invalid": (
        Location(latitude=90.5, longitude=0),
        {"type": "location", "location": {"latitude": 90.5, "longitude": 0}},
    ),
    "location_longitude_invalid": (
        Location(latitude=0, longitude=-180.5),
        {"type": "location", "location": {"latitude": 0, "longitude": -180.5}},
    ),
    "contacts_count": (Contacts(cards=()), {"type": "contacts", "contacts": []}),
    "contacts_name_missing": (
        Contacts(cards=(Card(formatted_name=""),)),
        {"type": "contacts", "contacts": [{"name": {"formatted_name": ""}}]},
    ),
}


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_is_wrong_on_both_sides(code):
    content, written = WRONG[code]
    with pytest.raises(InvalidContent) as ours:
        as_request(content)
    assert ours.value.code == code
    with pytest.raises(GraphError):
        judged({"messaging_product": "whatsapp", **written})


INTERACTIVE: dict[str, tuple[Any, Any]] = {
    "button_ids_repeat": (
        ReplyButtons(body="x", buttons=(Button("1", "a"), Button("1", "b"))),
        lambda part: part["action"]["buttons"][1]["reply"].update(id="1"),
    ),
    "button_titles_repeat": (
        ReplyButtons(body="x", buttons=(Button("1", "a"), Button("2", "a"))),
        lambda part: part["action"]["buttons"][1]["reply"].update(title="a"),
    ),
    "interactive_body_missing": (
        ReplyButtons(body="", buttons=(Button("1", "a"),)),
        lambda part: part["body"].update(text=""),
    ),
    "buttons_count": (ReplyButtons(body="x", buttons=()), lambda part: part["action"].update(buttons=[])),
}


@pytest.mark.parametrize("code", INTERACTIVE)
def test_what_is_wrong_with_buttons_is_wrong_on_both_sides(code):
    content, spoil = INTERACTIVE[code]
    with pytest.raises(InvalidContent) as ours:
        as_request(content)
    assert ours.value.code == code
    good = as_request(ReplyButtons(body="x", buttons=(Button("1", "a"), Button("2", "b"))))
    judged(good)
    spoil(good["interactive"])
    with pytest.raises(GraphError):
        judged(good)


def test_a_list_takes_no_medium_and_its_rows_have_ids_of_their_own():
    good = as_request(list_of(2))
    for spoil in (
        lambda part: part.update(header={"type": "image", "image": {"id": "1"}}),
        lambda part: part["action"]["sections"][0]["rows"][1].update(id="0"),
        lambda part: part["action"]["sections"][0].update(rows=[]),
    ):
        spoiled = copy.deepcopy(good)
        spoil(spoiled["interactive"])
        with pytest.raises(GraphError):
            judged(spoiled)
    with pytest.raises(InvalidContent, match="list_row_ids_repeat"):
        as_request(ListMessage(body="x", button="x", sections=(Section(rows=(Row("1", "a"), Row("1", "b"))),)))
