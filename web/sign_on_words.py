"""The words for what can be wrong with signing in by a provider: for its admin, and for who wanted to come in."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What an admin is told of their settings, by the codes of accounts/sign_on/.
SETTINGS: dict[str, Promise] = {
    "NEEDED": _("This is needed."),
    "TOO_LONG": _("This is too long: 200 characters, or 200 groups, at most."),
    "SECRET_NEEDED": _("Enter the client secret: this provider has not been given one yet."),
    "LOCAL_ADMIN_NEEDED": _("Choose an administrator who signs in with a password."),
    "GROUPS_NEEDED": _("Name at least one group: otherwise nobody could come in."),
    "NO_ADDRESS": _("This is no address, such as https://login.example.nl/tenant/v2.0."),
    "NOT_HTTPS": _("The address, and each that the provider names, must begin with https://."),
    "INSIDE": _("This address is inside a network. The provider must be reachable on the internet."),
    "UNREACHABLE": _("No answer came from this address. Is it spelled right, and is the provider up?"),
    "TOO_SLOW": _("The provider did not answer within 8 seconds."),
    "BAD_CERTIFICATE": _("The certificate of this address is not valid."),
    "REDIRECTS": _("This address sends us on to another one. Enter that one, if it is the provider's."),
    "NOT_THERE": _("There is no OpenID Connect document at this address. Is a part of it missing?"),
    "NOT_JSON": _("What stands at this address is no OpenID Connect document."),
    "TOO_LARGE": _("What stands at this address is too large to be an OpenID Connect document."),
    "OTHER_ISSUER": _(
        "The provider calls itself otherwise than this address. Enter the issuer exactly as it names it; at Microsoft,"
        " with the number of your own tenant instead of 'common'."
    ),
    "INCOMPLETE": _("The provider's document names not every address that is needed."),
    "NO_CODE_FLOW": _("The provider does not offer signing in by code (response type 'code')."),
    "NO_SIGNATURE": _("The provider does not sign tokens in a way that can be trusted, such as RS256."),
    "NO_SECRET": _("The provider does not take a client secret."),
    "NO_KEYS": _("The provider publishes no key that its tokens can be checked with."),
}

# What somebody is told who could not come in.
REFUSED: dict[str, Promise] = {
    "NO_ROLE": _(
        "You have an account at your municipality, but it gives you no role here. Ask your administrator to put you in"
        " one of the groups that have one."
    ),
    "BLOCKED": _("Your account here is blocked. Ask your administrator."),
    "ADDRESS_TAKEN": _(
        "Somebody signs in here with your e-mail address and a password. Is that you? Sign in so once, and then choose"
        " 'Connect' on the page 'My account'."
    ),
    "LOCAL_ADMIN": _("You are kept for the day that the provider fails, so your account stays apart from it."),
    "OTHERS": _("This account of your municipality's belongs to somebody else here."),
    "CANCELLED": _("You were not signed in: it was stopped at your municipality's sign-in page."),
    "TOO_LATE": _("It took longer than ten minutes, or it began in another window. Begin again."),
    "NO_EMAIL": _("Your municipality's account does not say which e-mail address you have. Ask your administrator."),
    "NO_SUBJECT": _("Your municipality's account does not say who you are. Ask your administrator."),
    "TOO_MANY_GROUPS": _(
        "Your account is in so many groups that your municipality's provider does not name them. Ask your administrator"
        " to have it send only the groups of this application, or roles of it."
    ),
    "BAD_TOKEN": _(
        "What your municipality's provider answered cannot be trusted. Begin again, or ask your administrator."
    ),
}
AWAY: Promise = _(
    "Your municipality's sign-in page does not work at this moment. Try again later, or ask your administrator: one of"
    " them can still sign in with a password."
)


def refusal(code: str) -> Promise:
    """Return what somebody is told; of all that is wrong with the provider itself, that it does not work."""
    return REFUSED.get("BAD_TOKEN" if code == "UNKNOWN_KEY" else code, AWAY)
