"""Templates of any shape, filled in by our rooms: the sandbox finds every component as it was approved."""

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.models import Template
from messaging.templates.components import read
from messaging.templates.filling import Filling, FlowStart, TemplateUnusable, fill
from sandbox.graph_errors import GraphError
from sandbox.template_sends import approved_template
from sandbox.world import Template as Approved
from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import Location, MediaPart

HALL = Location(latitude=52.09, longitude=5.12, name="Stadskantoor", address="Stadsplateau 1")
values = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)


@st.composite
def variables(draw, named: bool, most: int):
    count = draw(st.integers(0, most))
    if not named:
        return [str(place + 1) for place in range(count)]
    return draw(st.lists(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), min_size=count, max_size=count, unique=True))


@st.composite
def headers(draw, named: bool):
    """Return a header component, and what fills it in."""
    form = draw(st.sampled_from(["", "FIXED", "TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"]))
    if form in {"", "FIXED"}:
        return ({"type": "HEADER", "format": "TEXT", "text": "Vast"} if form else None), None
    if form == "TEXT":
        name = "zaak" if named else "1"
        return {"type": "HEADER", "format": "TEXT", "text": "Over {{" + name + "}} nu"}, {name: draw(values)}
    given_ = HALL if form == "LOCATION" else MediaPart(kind=form.lower(), link="https://www.utrecht.nl/x")
    return {"type": "HEADER", "format": form}, given_


@st.composite
def buttons(draw):
    """Return a buttons component, and what fills it in."""
    kinds = draw(st.lists(st.sampled_from(["QUICK_REPLY", "URL", "FIXED_URL", "COPY_CODE", "FLOW"]), max_size=6))
    made, filled = [], {}
    for place, kind in enumerate(kinds):
        url = {"url": "https://x.nl/{{1}}"} if kind == "URL" else {"url": "https://x.nl"} if kind == "FIXED_URL" else {}
        made.append({"type": kind.removeprefix("FIXED_"), "text": f"K{place}", **url})
        if kind in {"URL", "COPY_CODE"} or (kind in {"QUICK_REPLY", "FLOW"} and draw(st.booleans())):
            filled[place] = FlowStart(token="t") if kind == "FLOW" else draw(values)
    return ({"type": "BUTTONS", "buttons": made} if made else None), filled


@st.composite
def cases(draw):
    named = draw(st.booleans())
    names = draw(variables(named, 4))
    header, above = draw(headers(named))
    row, taps = draw(buttons())
    body = {"type": "BODY", "text": "Dag, " + " en ".join("{{" + name + "}}" for name in names) + ": tot dan."}
    components = [part for part in (header, body, row) if part]
    filling = Filling(body={name: draw(values) for name in names}, header=above, buttons=taps)
    return components, "NAMED" if named else "POSITIONAL", filling


def both(components, parameter_format) -> tuple[Template, SimpleNamespace]:
    shape = read(components=components, parameter_format=parameter_format)
    ours = Template(
        name="afspraak",
        language="nl",
        body=shape.body,
        parameters=list(shape.parameters),
        components=components,
        parameter_format=parameter_format,
    )
    theirs = Approved(
        id="1",
        name="afspraak",
        language="nl",
        category="UTILITY",
        status="APPROVED",
        components=components,
        parameter_format=parameter_format,
    )
    return ours, SimpleNamespace(templates={("afspraak", "nl"): theirs})


@settings(max_examples=200, deadline=None)
@given(cases())
def test_whatever_its_parts_the_sandbox_takes_it(case):
    components, parameter_format, filling = case
    ours, business = both(components, parameter_format)
    approved_template(business=business, payload={"template": fill(template=ours, filling=filling).as_meta()})


@settings(max_examples=100, deadline=None)
@given(cases(), st.sampled_from(["body", "header", "buttons"]))
def test_what_lacks_a_part_is_refused_by_both(case, part):
    components, parameter_format, filling = case
    ours, business = both(components, parameter_format)
    lacking = Filling(**{name: getattr(filling, name) for name in ("body", "header", "buttons") if name != part})
    needed = fill(template=ours, filling=filling).as_meta().get("components", [])
    kinds = {"body": "body", "header": "header", "buttons": "button"}
    must = [
        each for each in needed if each["type"] == kinds[part] and each.get("sub_type") not in {"quick_reply", "flow"}
    ]
    if not must:
        return
    with pytest.raises(TemplateUnusable):
        fill(template=ours, filling=lacking)
    left = [each for each in needed if each not in must]
    with pytest.raises(GraphError):
        approved_template(
            business=business,
            payload={"template": {"name": "afspraak", "language": {"code": "nl"}, "components": left}},
        )


def test_a_body_that_is_too_long_once_filled_in_is_refused_by_both():
    ours, business = both([{"type": "BODY", "text": "Dag {{naam}}: tot dan."}], "NAMED")
    most = 1024 - len("Dag : tot dan.")
    message = fill(template=ours, filling=Filling(body={"naam": "x" * most})).as_meta()
    approved_template(business=business, payload={"template": message})
    with pytest.raises(LimitExceeded, match="template_body_too_long"):
        fill(template=ours, filling=Filling(body={"naam": "x" * (most + 1)}))
    message["components"][0]["parameters"][0]["text"] += "x"
    with pytest.raises(GraphError) as theirs:
        approved_template(business=business, payload={"template": message})
    assert theirs.value.code == 132005
