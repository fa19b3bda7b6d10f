"""The way to the provider and back, on allauth's rails: state, PKCE and sign-in are its; the addresses, the nonce, the
signature and who is let in are ours.

allauth's table of apps stays empty, because a secret would lie in it in clear: an app is built from our own row for as
long as a request lasts. An identity is kept by its issuer and subject; no token of the provider's is kept at all.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from accounts.models import User
from accounts.sign_on import admitting, remembering
from accounts.sign_on.claims import Person, person_of
from accounts.sign_on.configuring import secret_of
from accounts.sign_on.discovery import claims_of
from accounts.sign_on.fetching import post_form
from accounts.sign_on.gate import running
from accounts.sign_on.models import SignOn
from accounts.sign_on.trouble import NotAdmitted, ProviderTrouble, UnusableClaims
from tenants import clock

STRONG = "sign_on_strong"  # in the session, while somebody signs in: the provider asked for two factors
SCOPES = ("openid", "profile", "email")


def begin(*, request: HttpRequest, sign_on: SignOn, next_url: str | None, linking: bool) -> HttpResponseBase:
    """Send somebody to the provider.  Raises ProviderTrouble."""
    remembering.provider(sign_on=sign_on)
    nonce = secrets.token_urlsafe(24)
    answer: HttpResponseBase = _provider(request, sign_on).redirect(
        request,
        process=AuthProcess.CONNECT if linking else AuthProcess.LOGIN,
        next_url=next_url,
        scope=list(SCOPES),
        auth_params={"nonce": _digest(nonce)},
        nonce=nonce,
    )
    return answer


def complete(*, request: HttpRequest, sign_on: SignOn) -> HttpResponseBase:
    """Take somebody in who comes back from the provider.  Raises SignOnTrouble."""
    view = Callback()
    view.request, view.adapter = request, Adapter(request, sign_on)
    try:
        answer: HttpResponseBase = view.dispatch(request)
    except ImmediateHttpResponse as immediate:
        answer = immediate.response
    return answer


class Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """The provider of the municipality that asks."""

    def get_oauth2_adapter(self, request: HttpRequest) -> "Adapter":
        """Return what knows its addresses."""
        return Adapter(request, self.app.sign_on)


class Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """What allauth asks of a provider, from its document and our settings."""

    def __init__(self, request: HttpRequest, sign_on: SignOn) -> None:
        """Name the settings; the document is asked for when it is needed."""
        super().__init__(request, sign_on.issuer)
        self.sign_on = sign_on
        self.nonce = ""

    @property
    def document(self) -> Any:
        """What the provider says of itself.  Raises ProviderTrouble."""
        return remembering.provider(sign_on=self.sign_on)

    @property
    def access_token_url(self) -> str:
        """Where a code is exchanged."""
        return str(self.document.token_endpoint)

    @property
    def authorize_url(self) -> str:
        """Where people sign in."""
        return str(self.document.authorization_endpoint)

    @property
    def basic_auth(self) -> bool:
        """Whether the secret goes in a header."""
        return bool(self.document.takes_basic)

    def get_provider(self) -> Provider:
        """Return the provider of these settings."""
        return _provider(self.request, self.sign_on)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Return where the provider sends people back to: what its admin registers."""
        return callback_url(request=request)

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """Exchange the code.  Raises ProviderTrouble."""
        form = {
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": self.get_callback_url(request, app),
            "code_verifier": pkce_code_verifier or "",
        }
        secret = secret_of(sign_on=self.sign_on)
        basic = (app.client_id, secret) if self.basic_auth else None
        if basic is None:
            form |= {"client_id": app.client_id, "client_secret": secret}
        found = post_form(url=self.access_token_url, form=form, basic=basic)
        if not isinstance(found.get("id_token"), str):
            raise ProviderTrouble("BAD_TOKEN")
        return found

    def parse_token(self, data: Mapping[str, Any]) -> SocialToken:
        """Return nothing of the access token: nobody asks the provider anything in a person's name."""
        return SocialToken(token="")

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, *, response: Mapping[str, Any]
    ) -> SocialLogin:
        """Return whom the token is about, once it is sure that the provider gave it for this sign-in."""
        claims = claims_of(
            token=response["id_token"],
            provider=self.document,
            client_id=self.sign_on.client_id,
            nonce=_digest(self.nonce),
        )
        person = person_of(claims=claims, groups_claim=self.sign_on.groups_claim, strong_acr=self.sign_on.strong_acr)
        identity = SocialAccount(provider=self.sign_on.issuer, uid=person.subject)
        login = SocialLogin(provider=self.get_provider(), account=identity)
        login.person = person
        return login


class Callback(OAuth2CallbackView):  # type: ignore[misc]
    """allauth's own way back, with the nonce that went out."""

    def _get_state(self, request: HttpRequest, provider: Provider) -> Any:
        state, answer = super()._get_state(request, provider)
        if state is not None:
            self.adapter.nonce = state["nonce"]
        return state, answer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Take somebody in; what the provider should not have given is told to the trail.  Raises SignOnTrouble."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except (ProviderTrouble, UnusableClaims) as trouble:
            if self.adapter.nonce and trouble.code in TOLD:
                admitting.refuse(code=trouble.code, issuer=self.adapter.sign_on.issuer, at=clock.now())
            raise


# What the trail is told of: tokens that are not right. That a provider is away, the log knows.
TOLD = {"BAD_TOKEN", "UNKNOWN_KEY", "NO_SUBJECT", "NO_EMAIL", "TOO_MANY_GROUPS"}


class SignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """What allauth asks of us on the way."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """Return the municipality's own provider, built from our row, or nothing."""
        found = running()
        return [] if found is None else [_app(found)]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """Return the municipality's provider."""
        return Provider(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or make the user, or let nobody in.  Raises NotAdmitted."""
        person: Person = sociallogin.person
        issuer = sociallogin.account.provider
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            self._link(request, person, issuer)
        identity = admitting.admit(person=person, issuer=issuer, at=clock.now())
        sociallogin.account, sociallogin.user = identity, identity.user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Say why nobody came back: they pressed cancel, waited too long, or it began in another browser."""
        state = (extra_context or {}).get("state")
        raise NotAdmitted("CANCELLED" if state is not None else "TOO_LATE")

    def _link(self, request: HttpRequest, person: Person, issuer: str) -> None:
        if not isinstance(request.user, User):
            raise NotAdmitted("TOO_LATE")  # signed out meanwhile
        admitting.link(user=request.user, person=person, issuer=issuer, at=clock.now())
        raise ImmediateHttpResponse(HttpResponseRedirect(reverse("mfa_index")))


def callback_url(*, request: HttpRequest) -> str:
    """Return the address that is registered at the provider."""
    return request.build_absolute_uri(reverse("sign-on-back"))


def is_strong(*, sign_on: SignOn, login: SocialLogin) -> bool:
    """Return whether the provider has asked for the second step already, so that we need not."""
    if sign_on.second_step == SignOn.SecondStep.PROVIDER:
        return True
    return sign_on.second_step == SignOn.SecondStep.CLAIMED and bool(login.person.strong)


def _provider(request: HttpRequest, sign_on: SignOn) -> Provider:
    return Provider(request, app=_app(sign_on))


def _app(sign_on: SignOn) -> SocialApp:
    app = SocialApp(
        provider="openid_connect",
        provider_id=sign_on.issuer,
        name=sign_on.issuer[:40],
        client_id=sign_on.client_id,
        settings={"oauth_pkce_enabled": True},
    )
    app.sign_on = sign_on
    return app


def _digest(nonce: str) -> str:
    """Return what the provider is told of a nonce: who reads it there has not what the session has."""
    return hashlib.sha256(nonce.encode()).hexdigest()
