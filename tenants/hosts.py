"""Which schema a request is for, by its host: the console in `public`, each municipality in its own."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django_tenants.middleware.main import TenantMainMiddleware
from django_tenants.utils import get_public_schema_name

from tenants.models import Municipality


class HostMiddleware(TenantMainMiddleware):  # type: ignore[misc]
    """Put the tenant of the request's host on the connection, or answer 404."""

    def no_tenant_found(self, request: HttpRequest, hostname: str) -> None:
        """Serve the console on its own host; any other unknown host is nobody's.  Raises Http404: it is unknown."""
        if hostname != settings.CONSOLE_HOST:
            raise Http404("no municipality is served on this host")
        request.tenant = Municipality(schema_name=get_public_schema_name(), name="console")  # type: ignore[attr-defined]
        self.setup_url_routing(request, force_public=True)

    @staticmethod
    def hostname_from_request(request: Any) -> str:
        """Return the host without its port, in lower case."""
        return str(request.get_host()).split(":")[0].lower()
