"""Which schema a request is for, by its host."""

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from tenants.hosts import HostMiddleware


def visit(host):
    """Send a request through the middleware; return it, or None when the host is nobody's."""
    from django.db import connection

    seen = []

    def view(request):
        seen.append(connection.schema_name)
        return HttpResponse()

    request = RequestFactory().get("/", headers={"host": host})
    try:
        HostMiddleware(view)(request)
    except Http404:
        return None, seen
    finally:
        connection.set_schema_to_public()
    return request, seen


class TestHosts:
    @pytest.mark.parametrize("host", ["utrecht.localhost", "utrecht.localhost:8000", "UTRECHT.localhost"])
    def test_it_puts_a_municipality_on_its_own_host(self, utrecht, host):
        request, seen = visit(host)
        assert seen == ["utrecht"]
        assert request.tenant == utrecht
        assert getattr(request, "urlconf", "config.urls_tenant") == "config.urls_tenant"

    @pytest.mark.parametrize("host", ["console.localhost", "console.localhost:8000"])
    def test_it_puts_the_console_in_public(self, utrecht, host):
        request, seen = visit(host)
        assert seen == ["public"]
        assert request.urlconf == "config.urls_public"

    @pytest.mark.parametrize(
        "host", ["localhost", "almelo.localhost", "public.localhost", "quarantine.localhost", "a.utrecht.localhost"]
    )
    def test_it_serves_nobody_on_an_unknown_host(self, utrecht, host):
        assert visit(host) == (None, [])

    @pytest.mark.parametrize("host", ["almelo.localhost", "utrecht.elders.example", "utrecht.localhost.elders.example"])
    def test_it_answers_404_to_whoever_asks_for_an_unknown_host_or_domain(self, utrecht, client, host):
        assert client.get("/", headers={"host": host}).status_code == 404
