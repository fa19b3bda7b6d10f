"""The page of an API, out of its OpenAPI document: which addresses there are, what they take and what they give."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A parameter, or a member of an object."""

    name: str
    kind: str
    required: bool
    description: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer. schema: the name of what it holds."""

    status: str
    meaning: str
    schema: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    address: str
    summary: str
    description: str
    parameters: tuple[Member, ...]
    body: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """One object."""

    name: str
    description: str
    members: tuple[Member, ...]


def operations_by_tag(document: Document) -> list[tuple[str, list[Operation]]]:
    """Return every operation of the document, by its tag."""
    found: dict[str, list[Operation]] = {}
    for address, methods in document["paths"].items():
        for method, raw in methods.items():
            found.setdefault(raw["tags"][0], []).append(_operation(document, address, method, raw))
    return list(found.items())


def schemas(document: Document) -> list[Schema]:
    """Return every object of the document."""
    return [
        Schema(name=name, description=raw.get("description", ""), members=tuple(_members(raw)))
        for name, raw in sorted(document["components"]["schemas"].items())
    ]


def _operation(document: Document, address: str, method: str, raw: Document) -> Operation:
    parameters = [
        Member(
            name=one["name"],
            kind=_kind(one["schema"]),
            required=one.get("required", False),
            description=one.get("description", ""),
            place=one["in"],
        )
        for one in raw.get("parameters", [])
    ]
    return Operation(
        id=raw["operationId"],
        method=method.upper(),
        address=address,
        summary=raw.get("summary", ""),
        description=raw.get("description", ""),
        parameters=tuple(parameters),
        body=_schema_of(raw.get("requestBody", {})),
        outcomes=tuple(_outcome(document, status, one) for status, one in sorted(raw["responses"].items())),
    )


def _outcome(document: Document, status: str, raw: Document) -> Outcome:
    name = raw.get("$ref", "").rpartition("/")[2]
    response = document["components"]["responses"][name] if name else raw
    return Outcome(status=status, meaning=HTTPStatus(int(status)).phrase, schema=_schema_of(response))


def _schema_of(holder: Document) -> str:
    for media in holder.get("content", {}).values():
        return str(media["schema"].get("$ref", "").rpartition("/")[2])
    return ""


def _members(raw: Document) -> Iterator[Member]:
    required = raw.get("required", [])
    for name, one in raw.get("properties", {}).items():
        yield Member(name=name, kind=_kind(one), required=name in required, description=one.get("description", ""))


def _kind(raw: Document) -> str:
    """Return in a few words what a value is."""
    if "$ref" in raw:
        return str(raw["$ref"].rpartition("/")[2])
    for several in ("oneOf", "anyOf", "allOf"):
        if several in raw:
            return " or ".join(_kind(one) for one in raw[several])
    if "enum" in raw:
        return ", ".join(repr(word) if word == "" else str(word) for word in raw["enum"])
    if raw.get("type") == "array":
        return f"list of {_kind(raw['items'])}"
    written = raw.get("type", "any")
    kind = " or ".join(written) if isinstance(written, list) else str(written)
    return f"{kind} ({raw['format']})" if "format" in raw else kind
