"""Checks a template that a business asks for, as Meta does before any review: name, category, components, examples."""

import re
from typing import Any

from sandbox.graph_errors import GraphError
from sandbox.template_sends import variables_of
from sandbox.world import Template, World

NAME = re.compile(r"^[a-z0-9_]{1,512}$")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
LENGTHS = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
MOST_BUTTONS = 10
BUTTON_LENGTH = 25
# Seconds that Meta may be asked to try to deliver, by category; -1: the longest.
TTL_RANGES = {"AUTHENTICATION": (30, 900), "UTILITY": (30, 43_200), "MARKETING": (43_200, 2_592_000)}


def read_template(*, world: World, raw: dict[str, Any]) -> Template:
    """Read a template as a business gives it. Raises GraphError 100: it is unfit."""
    name, language, category = raw.get("name"), raw.get("language"), raw.get("category")
    components = raw.get("components")
    if not isinstance(name, str) or not NAME.match(name):
        raise GraphError(code=100, details="name: lower-case letters, digits and underscores, at most 512")
    if not isinstance(language, str) or category not in CATEGORIES or not isinstance(components, list):
        raise GraphError(code=100, details="language, category and components are required")
    parameter_format = raw.get("parameter_format", "POSITIONAL")
    for component in components:
        _check_component(component=component, named=parameter_format == "NAMED")
    if not any(str(component.get("type")).upper() == "BODY" for component in components):
        raise GraphError(code=100, details="a template needs a BODY")
    ttl = raw.get("message_send_ttl_seconds")
    least, most = TTL_RANGES[category]
    if ttl is not None and (not isinstance(ttl, int) or not (ttl == -1 or least <= ttl <= most)):
        raise GraphError(code=100, details=f"message_send_ttl_seconds is {least} to {most} for {category}")
    return Template(
        id=world.ids.next_number(),
        name=name,
        language=language,
        category=_judged_category(world=world, category=category, components=components),
        status="PENDING",
        components=components,
        parameter_format=parameter_format,
        ttl_seconds=ttl,
        quality_at=world.clock.now(),
    )


def _judged_category(*, world: World, category: str, components: list[dict[str, Any]]) -> str:
    words = " ".join(str(component.get("text", "")) for component in components).lower()
    if category == "UTILITY" and any(word in words for word in world.switches.marketing_words):
        return "MARKETING"
    return category


def _check_component(*, component: Any, named: bool) -> None:
    if not isinstance(component, dict):
        raise GraphError(code=100, details="a component is an object")
    kind, text = str(component.get("type", "")).upper(), str(component.get("text", ""))
    if kind == "BUTTONS":
        buttons = component.get("buttons") or []
        if len(buttons) > MOST_BUTTONS or any(len(str(each.get("text", ""))) > BUTTON_LENGTH for each in buttons):
            raise GraphError(code=100, details="at most 10 buttons of 25 characters")
        return
    if kind not in LENGTHS:
        raise GraphError(code=100, details=f"there is no component {kind}")
    if len(text) > LENGTHS[kind]:
        raise GraphError(code=100, details=f"{kind} is at most {LENGTHS[kind]} characters")
    variables = variables_of(text=text)
    if not variables:
        return
    stripped = text.strip()
    if kind == "BODY" and (stripped.startswith("{{") or stripped.endswith("}}")):
        raise GraphError(code=100, details="a variable cannot begin or end the text", subcode=2388299)
    if not named and variables != tuple(str(position + 1) for position in range(len(variables))):
        raise GraphError(code=100, details="variables are numbered 1, 2, 3 in order", subcode=2388023)
    example = component.get("example") or {}
    wanted = f"{kind.lower()}_text" + ("_named_params" if named else "")
    if not example.get(wanted):
        raise GraphError(code=100, details=f"an example is needed for each variable ({wanted})", subcode=2388043)
