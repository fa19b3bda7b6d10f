"""The NL API Design Rules, one test for each rule that a machine can check, named after the rule's id.

Over both doors: the document of each, and answers of each. Source: Logius, API Design Rules 2.1 (read 2026-11-22);
where this API deviates is in docs/api/README.md.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from api.doors import BSP, DOORS, TENANT, Door
from api.openapi import document
from api.version import VERSION
from tests.api.calling import BASE, Caller

UUID_OF_NOTHING = uuid.UUID(int=1)
METHODS = {"get", "post", "put", "patch", "delete"}
KEBAB = re.compile(r"(/([a-z0-9-]+|_[a-z]+|\{[a-zA-Z_]+\}))+")
CAMEL = re.compile(r"[a-z][a-z0-9]*([A-Z][a-z0-9]*)*")
SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@pytest.fixture(params=DOORS, ids=lambda door: door.name)
def door(request) -> Door:
    return request.param


@pytest.fixture
def made(door) -> dict[str, Any]:
    return document(door=door, server="https://utrecht.example.nl")


@pytest.fixture
def caller(door, api, bsp) -> Caller:
    return api if door is TENANT else bsp


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def properties(made: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of every schema, at any depth."""
    if isinstance(made, dict):
        found = made.get("properties")
        if isinstance(found, dict):
            yield from found.items()
        for inner in made.values():
            yield from properties(inner)
    elif isinstance(made, list):
        for inner in made:
            yield from properties(inner)


def resolved(made: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference inside the document."""
    while "$ref" in part:
        found: Any = made
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def answers(caller: Caller) -> Iterator[tuple[str, Any]]:
    """Yield one answer of every kind: found, refused, unknown, not allowed, malformed, without a key."""
    reading = "/threads" if caller.host.startswith("utrecht") else "/municipalities"
    yield "200", caller.get(reading)
    yield "200 document", Caller(caller.host).get("/openapi.json")
    yield "400", caller.get(f"{reading}?limit=0")
    yield "401", Caller(caller.host).get(reading)
    yield "401 wrong", Caller(caller.host, "wak_aaaaaaaaaa_" + "a" * 43).get(reading)
    yield "404 address", caller.get("/no-such-thing")
    yield "404 row", caller.get(f"{reading}/{UUID_OF_NOTHING}")
    yield "404 host", Caller("elders.localhost", caller.key).get(reading)
    yield "405", caller.call("DELETE", reading)
    yield "406", caller.get(reading, Accept="application/xml")
    yield (
        "415" if caller.host.startswith("utrecht") else "405 post",
        caller.call(
            "POST", "/messages" if caller.host.startswith("utrecht") else reading, raw=b"x", Content_Type="text/plain"
        ),
    )


# --- /core/no-trailing-slash: path-keys-no-trailing-slash, nlgov:paths-no-trailing-slash


def test_paths_no_trailing_slash(made):
    assert made["paths"]
    assert [path for path in made["paths"] if path.endswith("/")] == []


def test_no_trailing_slash_answers_404_and_redirects_nowhere(caller, made):
    for path in made["paths"]:
        answer = caller.get(re.sub(r"\{\w+\}", str(UUID_OF_NOTHING), path) + "/")
        assert (path, answer.status_code) == (path, 404)


# --- /core/doc-openapi, /core/publish-openapi


def test_openapi3(made):
    assert made["openapi"].startswith("3.1.")


def test_openapi_root_exists_at_the_standard_place_for_everyone(caller, door):
    answer = Caller(caller.host).get("/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["info"]["title"] == door.title
    assert answer.json()["servers"] == [{"url": f"http://{caller.host}{BASE}"}]


def test_every_reference_of_the_document_leads_somewhere(made):
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    found = set(references(made))
    assert len(found) > 10
    for reference in found:
        assert resolved(made, {"$ref": reference})


def test_operation_operation_id_unique(made):
    ids = [operation["operationId"] for _, _, operation in operations(made)]
    assert len(set(ids)) == len(ids)


def test_path_params_are_all_declared(made):
    for path, _, operation in operations(made):
        declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


def test_openapi_tags_uniqueness(made):
    names = [tag["name"] for tag in made["tags"]]
    assert len(set(names)) == len(names)
    assert {tag for _, _, operation in operations(made) for tag in operation["tags"]} == set(names)


# --- /core/doc-openapi-contact


def test_info_contact_fields_exist(made):
    assert all(made["info"]["contact"][name] for name in ("name", "email", "url"))


# --- /core/version-header, /core/semver, /core/uri-version


def test_missing_version_header(made):
    for path, method, operation in operations(made):
        for status, response in operation["responses"].items():
            assert "API-Version" in resolved(made, response)["headers"], (path, method, status)


def test_version_header_is_on_every_answer(caller):
    for kind, answer in answers(caller):
        assert (kind, answer.headers.get("API-Version")) == (kind, VERSION)


def test_semver(made):
    assert SEMVER.fullmatch(made["info"]["version"])
    assert made["info"]["version"] == VERSION


def test_include_major_version_in_uri(made):
    for server in made["servers"]:
        assert server["url"].endswith(f"/v{VERSION.split('.')[0]}")


def test_servers_use_https(caller, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # as in production, behind the ingress
    answer = Caller(caller.host).get("/openapi.json", X_Forwarded_Proto="https")
    assert answer.json()["servers"] == [{"url": f"https://{caller.host}{BASE}"}]


# --- /core/http-methods


def test_http_methods(made):
    assert {method for _, method, _ in operations(made)} <= METHODS


def test_http_methods_that_are_not_there_answer_405_and_name_those_that_are(caller, made):
    for path, methods in made["paths"].items():
        answer = caller.call("PATCH", re.sub(r"\{\w+\}", str(UUID_OF_NOTHING), path))
        allowed = {name.strip().lower() for name in answer.headers["Allow"].split(",")}
        assert (answer.status_code, allowed - {"head"}) == (405, set(methods))


def test_http_head_is_answered_as_get_without_a_body(caller, made):
    for path, methods in made["paths"].items():
        if "get" in methods and "{" not in path:
            answer = caller.call("HEAD", path)
            assert (answer.status_code, answer.content) == (200, b"")


# --- /core/path-segments-kebab-case, /core/naming-collections, /core/query-keys-camel-case


def test_paths_kebab_case(made):
    assert [path for path in made["paths"] if not KEBAB.fullmatch(path)] == []


def test_naming_collections_in_the_plural(made):
    firsts = {path.split("/")[1] for path in made["paths"]}
    # A noun that has no plural, and one whose plural is Latin.
    assert {name for name in firsts if not name.endswith("s")} <= {"usage", "media"}


def test_query_keys_camel_case(made):
    names = [
        one["name"]
        for _, _, operation in operations(made)
        for one in operation.get("parameters", [])
        if one["in"] == "query"
    ]
    assert names
    assert [name for name in names if not CAMEL.fullmatch(name)] == []


def test_property_casing(made):
    names = [name for name, _ in properties(made["components"]["schemas"])]
    assert len(names) > 20
    assert [name for name in names if not CAMEL.fullmatch(name)] == []


def test_schema_camel_case(made):
    assert all(re.fullmatch(r"([A-Z][a-z0-9]*)+", name) for name in made["components"]["schemas"])


# --- /core/date-time


def test_date_time_ensure_timezone(made):
    formats = {schema.get("format") for _, schema in properties(made)}
    assert "date-time" in formats
    assert formats & {"date-time-local", "time", "time-local"} == set()


def test_date_time_is_written_in_utc(caller, thread, utrecht):
    moments = re.findall(
        r'At":"([^"]+)"', caller.get("/threads" if caller.host[0] == "u" else "/municipalities").content.decode()
    )
    assert moments
    for moment in moments:
        assert moment.endswith("Z")
        assert datetime.fromisoformat(moment).tzinfo == UTC


def test_specify_format_for_date_and_time(made):
    for name, schema in properties(made):
        if name.endswith("At"):
            assert schema.get("format") == "date-time", name
        if name == "date" or name.endswith("Date"):
            assert schema.get("format") == "date", name


# --- /core/error-handling/problem-details, /core/error-handling/invalid-input


def test_use_problem_schema(made):
    seen = 0
    for _, _, operation in operations(made):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                schema = resolved(made, response)["content"]["application/problem+json"]["schema"]
                assert {"status", "title", "detail"} <= set(resolved(made, schema)["required"])
                seen += 1
    assert seen > 10


def test_problem_schema_members_are_in_every_error(caller):
    for kind, answer in answers(caller):
        assert str(answer.status_code) == kind.split()[0]
        if answer.status_code >= 400:
            assert (kind, answer.headers["Content-Type"]) == (kind, "application/problem+json")
            said = answer.json()
            assert said["status"] == answer.status_code
            assert said["title"]
            assert said["detail"]
            assert said["code"]


def test_problem_details_of_what_nobody_foresaw_tell_nothing_of_it(caller, monkeypatch):
    from api.bsp import views as of_bsp
    from api.tenant import views as of_tenant

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("geheim 31697000001")

    for views in (of_tenant, of_bsp):
        monkeypatch.setattr(views, "usage", fail)
    answer = caller.get("/usage")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "server_error"
    assert answer.headers["API-Version"] == VERSION
    assert "geheim" not in answer.content.decode()


def test_problem_invalid_input(made):
    for path, method, operation in operations(made):
        if method != "get" or operation.get("parameters"):
            assert "400" in operation["responses"], (path, method)
        assert "422" not in operation["responses"]


def test_problem_invalid_input_tells_all_errors_at_once(caller):
    path = "/threads?limit=0&state=x&nothing=1" if caller.host[0] == "u" else "/invoices?limit=0&status=x&nothing=1"
    answer = caller.get(path)
    assert answer.status_code == 400
    assert len({error["pointer"] for error in answer.json()["errors"]}) == 3


# --- /core/transport/security-headers, /core/transport/no-sensitive-uris, /core/transport/cors


def test_security_headers(caller):
    for kind, answer in answers(caller):
        found = {name: answer.headers.get(name) for name in SECURITY_HEADERS}
        assert (kind, found) == (kind, SECURITY_HEADERS)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "max-age=" in answer.headers["Strict-Transport-Security"]
        assert not answer.cookies


SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def test_no_sensitive_uris(made):
    for path, _, operation in operations(made):
        for one in operation.get("parameters", []):
            if one["in"] in {"path", "query"}:
                assert one["name"] not in {"phoneNumber", "bsuid", "waId", "email", "name", "key", "token"}, path
                assert one["in"] != "path" or one["schema"].get("format") == "uuid"


def test_cors_opens_the_document_and_nothing_else(caller):
    for kind, answer in answers(caller):
        expected = "*" if kind == "200 document" else None
        assert (kind, answer.headers.get("Access-Control-Allow-Origin")) == (kind, expected)


def test_both_doors_are_tried():
    assert {door.name for door in DOORS} == {TENANT.name, BSP.name}
