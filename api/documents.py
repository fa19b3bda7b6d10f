"""Where a door's documents are: `openapi.json`, open to every site, and a page made of it, served by ourselves."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_safe

from api.doors import Door
from api.openapi import document
from api.reference import operations_by_tag, schemas
from api.version import BASE_PATH

# The page has one style of its own and no script, so that nothing from elsewhere can be run on it.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def mounted(*, door: Door) -> list[URLPattern | URLResolver]:
    """Return a door's addresses below the base path, its documents with them."""
    base = BASE_PATH.removeprefix("/")
    return [
        path(f"{base}/openapi.json", require_safe(partial(openapi_json, door=door))),
        path(f"{base}/docs/", require_safe(partial(docs, door=door))),
        path(f"{base}/", include(list(door.patterns))),
    ]


def openapi_json(request: HttpRequest, *, door: Door) -> HttpResponse:
    """Return the OpenAPI document; anyone may read it, from any site."""
    answer = JsonResponse(_document(request, door), json_dumps_params={"ensure_ascii": False})
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


def docs(request: HttpRequest, *, door: Door) -> HttpResponse:
    """Return the page of the API."""
    made = _document(request, door)
    shown = {"document": made, "tags": operations_by_tag(made), "schemas": schemas(made)}
    answer = render(request, "api/docs.html", shown)
    answer.headers["Content-Security-Policy"] = PAGE_POLICY
    return answer


def _document(request: HttpRequest, door: Door) -> dict[str, Any]:
    return document(door=door, server=f"{request.scheme}://{request.get_host()}")
