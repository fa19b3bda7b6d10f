"""The second step of who comes by the provider: not asked for twice, where the provider is trusted with it."""

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

from accounts.sign_on.flow import STRONG


class SecondStepStage(AuthenticateStage):  # type: ignore[misc]
    """allauth's own, but for whom the provider has asked already."""

    def _should_handle(self, request: HttpRequest) -> bool:
        return not request.session.get(STRONG, False) and bool(super()._should_handle(request))
