"""Checks a template message against the template that was approved: language, state, and every parameter.

Raises GraphError: 132001 not there or not approved in the language, 132000 another number of parameters, 132012 another
kind of parameter, 132005 too long once filled in, 132015 paused, 132016 disabled.
"""

import re
from functools import lru_cache
from typing import Any

from sandbox.graph_errors import GraphError
from sandbox.world import Business, Template

VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
BODY_LENGTH = 1024


def approved_template(*, business: Business, payload: dict[str, Any]) -> Template:
    """Find the template that the payload names, and check the payload against it."""
    body = payload.get("template")
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise GraphError(code=131008, details="The parameter template.name is required.")
    language = body.get("language")
    code = language.get("code") if isinstance(language, dict) else None
    if not isinstance(code, str):
        raise GraphError(code=131008, details="The parameter template.language.code is required.")
    template = business.templates.get((body["name"], code))
    if template is not None and template.status == "PAUSED":
        raise GraphError(code=132015, details="Template is paused due to low quality.")
    if template is not None and template.status == "DISABLED":
        raise GraphError(code=132016, details="Template has been paused too many times.")
    if template is None or template.status != "APPROVED":
        raise GraphError(code=132001, details=f"template name ({body['name']}) does not exist in {code}")
    _check_components(template=template, given=body.get("components") or [])
    return template


@lru_cache(maxsize=1024)
def variables_of(*, text: str) -> tuple[str, ...]:
    """List the variables of a text, each once, in order."""
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def _check_components(*, template: Template, given: Any) -> None:
    if not isinstance(given, list) or not all(isinstance(component, dict) for component in given):
        raise GraphError(code=131009, details="Parameter template.components is not valid.")
    by_type = {str(component.get("type", "")).lower(): component for component in given}
    for component in template.components:
        kind = str(component.get("type", "")).lower()
        if kind == "header" and component.get("format", "TEXT") != "TEXT":
            _check_header_media(component=component, given=by_type.get("header"))
        elif kind in ("header", "body"):
            _check_text(template=template, kind=kind, text=component.get("text", ""), given=by_type.get(kind))
        elif kind == "buttons":
            _check_buttons(buttons=component.get("buttons", []), given=given)


def _check_text(*, template: Template, kind: str, text: str, given: dict[str, Any] | None) -> None:
    wanted = variables_of(text=text)
    parameters = (given or {}).get("parameters") or []
    if len(parameters) != len(wanted):
        details = f"{kind}: number of localizable_params ({len(parameters)}) does not match the expected number of "
        raise GraphError(code=132000, details=f"{details}params ({len(wanted)})")
    values: dict[str, str] = {}
    for position, parameter in enumerate(parameters):
        if not isinstance(parameter, dict):
            raise GraphError(code=132012, details=f"{kind}: a parameter is an object")
        name = wanted[position]
        if template.parameter_format == "NAMED":
            name = str(parameter.get("parameter_name"))
            if name not in wanted or name in values:
                raise GraphError(code=132012, details=f"{kind}: parameter_name is missing or unknown")
        values[name] = _written(kind=kind, parameter=parameter)
    filled = VARIABLE.sub(lambda match: values.get(match.group(1), ""), text)
    if kind == "body" and len(filled) > BODY_LENGTH:
        raise GraphError(code=132005, details=f"body: more than {BODY_LENGTH} characters once filled in")


def _written(*, kind: str, parameter: dict[str, Any]) -> str:
    form = parameter.get("type", "text")
    if form == "text":
        text = parameter.get("text")
        if not isinstance(text, str) or not text:
            raise GraphError(code=131008, details=f"{kind}: the parameter text is required")
        if "\n" in text or "\t" in text or "    " in text:
            raise GraphError(code=132012, details=f"{kind}: no new line, tab or four spaces in a parameter")
        return text
    if form in ("currency", "date_time"):
        return str((parameter.get(form) or {}).get("fallback_value", ""))
    raise GraphError(code=132012, details=f"{kind}: a text is expected")


def _check_header_media(*, component: dict[str, Any], given: dict[str, Any] | None) -> None:
    form = str(component.get("format", "")).lower()
    parameters = (given or {}).get("parameters") or []
    if len(parameters) != 1:
        raise GraphError(code=132012, details=f"header: one {form} is expected")
    if parameters[0].get("type") != form or not isinstance(parameters[0].get(form), dict):
        raise GraphError(code=132012, details=f"header: expected format {form.upper()}")


def _check_buttons(*, buttons: list[dict[str, Any]], given: list[dict[str, Any]]) -> None:
    by_index = {str(each.get("index")): each for each in given if str(each.get("type", "")).lower() == "button"}
    for index, button in enumerate(buttons):
        needs = button.get("type") == "COPY_CODE" or (button.get("type") == "URL" and "{{" in button.get("url", ""))
        parameters = (by_index.get(str(index)) or {}).get("parameters") or []
        if needs and len(parameters) != 1:
            raise GraphError(code=132000, details=f"button {index}: one parameter is expected")
    if any(int(index) >= len(buttons) for index in by_index if index.isdigit()):
        raise GraphError(code=132000, details="buttons: more than the template has")
