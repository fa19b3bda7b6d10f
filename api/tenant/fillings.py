"""What is filled into a template, as JSON: header, body and buttons, and what it becomes."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from api.fields import CamelCase, Degrees, Pattern, Position, Readable, Values
from api.tenant.contents import HeaderMedium
from messaging.templates.filling import Filling, FlowStart, TemplateUnusable
from whatsapp import limits, outgoing

TEMPLATE_NAME = r"^[a-z0-9_]{1,512}$"
LANGUAGE = r"^[a-z]{2,3}(_[A-Za-z]{2,4})?$"


class HeaderPlace(CamelCase):
    """A place above a template."""

    latitude = Degrees(min_value=-90, max_value=90)
    longitude = Degrees(min_value=-180, max_value=180)
    name = Readable(max_length=limits.LOCATION_NAME_CHARACTERS)
    address = Readable(max_length=limits.LOCATION_ADDRESS_CHARACTERS)


class FlowData(CamelCase):
    """What a Flow starts with."""

    token = Readable(required=False, max_length=limits.TEMPLATE_PAYLOAD_CHARACTERS, help_text="Comes back with it.")
    data = serializers.DictField(required=False, help_text="For its first screen.")


class TemplateButton(CamelCase):
    """What a template's button needs: a value, or what a Flow starts with."""

    index = Position(min_value=0, max_value=limits.TEMPLATE_BUTTONS - 1, help_text="Its place, from 0.")
    value = Readable(
        required=False,
        max_length=limits.LINK_CHARACTERS,
        help_text="The end of a link's address, the code to copy, or what a quick reply sends back.",
    )
    flow = FlowData(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse both and neither."""
        if ("value" in attrs) == ("flow" in attrs):
            raise serializers.ValidationError("Give either value or flow.", code="one_of")
        return attrs


class TemplateChoice(CamelCase):
    """A template with everything filled in that it leaves open."""

    name = Pattern(TEMPLATE_NAME, max_length=limits.TEMPLATE_NAME_CHARACTERS)
    language = Pattern(LANGUAGE, max_length=10, help_text="Such as nl.")
    values = Values(
        child=Readable(max_length=limits.TEMPLATE_BODY_CHARACTERS),
        required=False,
        default=dict,
        help_text='The text of each variable of the body, by its name; positional ones are named "1", "2".',
    )
    header_values = Values(
        child=Readable(max_length=limits.TEMPLATE_HEADER_CHARACTERS),
        required=False,
        help_text="The variable of a text header, by its name.",
    )
    header_medium = HeaderMedium(required=False, help_text="The medium of a header that has one.")
    header_location = HeaderPlace(required=False, help_text="The place of a header that is a location.")
    buttons = serializers.ListField(
        child=TemplateButton(),
        required=False,
        max_length=limits.TEMPLATE_BUTTONS,
        help_text="The buttons that need something.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse two headers."""
        if len({"header_values", "header_medium", "header_location"} & set(attrs)) > 1:
            raise serializers.ValidationError("Give one header.", code="one_of")
        return attrs


def filling(values: Mapping[str, Any]) -> Filling:
    """Return what is filled into a template, as the caller gave it.  Raises TemplateUnusable: a button twice."""
    header: Any = values.get("header_values")
    if "header_medium" in values:
        header = outgoing.MediaPart(**values["header_medium"])
    elif "header_location" in values:
        header = outgoing.Location(**values["header_location"])
    buttons = {
        button["index"]: button["value"] if "value" in button else FlowStart(**button["flow"])
        for button in values.get("buttons", [])
    }
    if len(buttons) != len(values.get("buttons", [])):
        raise TemplateUnusable("template_buttons_differ")
    return Filling(body=values["values"], header=header, buttons=buttons)
