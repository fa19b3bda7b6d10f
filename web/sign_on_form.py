"""The form of a municipality's provider: what was typed, as the domain wants it, and what is shown again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.roles import MunicipalRole
from accounts.sign_on import configuring
from accounts.sign_on.models import SignOn
from web.sign_on_words import SETTINGS

SECOND_STEPS: dict[str, Promise] = {
    SignOn.SecondStep.HERE: _("This platform asks for it, as of everybody"),
    SignOn.SecondStep.CLAIMED: _("The provider, when its token says that it did; otherwise this platform"),
    SignOn.SecondStep.PROVIDER: _("The provider always asks for it: its own rules demand it"),
}
FIRST: dict[str, Any] = {"groups_claim": "groups", "second_step": SignOn.SecondStep.HERE, "passwords_open": True}


# What is typed: name, type of the field, its words, a hint, and whether it may stay empty.
TYPED: tuple[tuple[str, str, Promise, Promise, bool], ...] = (
    (
        "issuer",
        "url",
        _("Issuer"),
        _("The address by which the provider calls itself, or that of its document (…/openid-configuration)"),
        False,
    ),
    ("client_id", "text", _("Client ID"), _("At Microsoft: the application ID"), False),
    ("client_secret", "password", _("Client secret"), _("It is kept encrypted and never shown again."), False),
    ("groups_claim", "text", _("Claim with the groups"), _("Usually groups; roles for Microsoft's app roles"), False),
    (
        "strong_acr",
        "text",
        _("Value of acr that stands for a second step"),
        _("Only where tokens do not say amr: mfa; may stay empty"),
        True,
    ),
)
KEPT_SECRET: Promise = _("There is one, and it is never shown. Leave this empty to keep it.")


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is typed in."""

    name: str
    type: str
    label: Promise
    hint: Promise
    optional: bool
    value: str
    error: Promise | None


@dataclass(frozen=True, slots=True)
class RoleField:
    """The groups of one role. text: one group a line."""

    role: str
    text: str


class SignOnForm:
    """What an admin fills in."""

    def __init__(
        self, *, values: Mapping[str, Any], groups: Mapping[str, tuple[str, ...]], has_secret: bool = False
    ) -> None:
        """Take what is shown in the fields; has_secret: one is kept already."""
        self.values = values
        self.has_secret = has_secret
        self.roles = [RoleField(role, "\n".join(groups.get(role, ()))) for role in MunicipalRole.values]
        self.second_steps = [(code, word, values.get("second_step") == code) for code, word in SECOND_STEPS.items()]
        self.errors: dict[str, Promise] = {}
        self._groups = groups

    @classmethod
    def of_settings(cls, found: SignOn | None) -> "SignOnForm":
        """Return the form with what is there; the secret is never shown."""
        if found is None:
            return cls(values=FIRST, groups={})
        names = ("is_on", "issuer", "client_id", "groups_claim", "second_step", "strong_acr", "passwords_open")
        values = {name: getattr(found, name) for name in names}
        return cls(
            values=values | {"local_admin": found.local_admin.id}, groups=configuring.groups_by_role(), has_secret=True
        )

    @classmethod
    def of_post(cls, posted: Mapping[str, str], *, has_secret: bool) -> "SignOnForm":
        """Return the form with what was typed."""
        values: dict[str, Any] = {name: posted.get(name) == "on" for name in ("is_on", "passwords_open")}
        for name in ("issuer", "client_id", "groups_claim", "second_step", "strong_acr"):
            values[name] = _text(posted, name)
        try:
            values["local_admin"] = UUID(posted.get("local_admin", ""))
        except ValueError:
            values["local_admin"] = None
        groups = {
            role: tuple(line.strip() for line in _text(posted, f"groups-{role}").splitlines() if line.strip())
            for role in MunicipalRole.values
        }
        return cls(values=values, groups=groups, has_secret=has_secret)

    def fields(self) -> dict[str, Field]:
        """Return the fields that are typed in, by name."""
        found = {}
        for name, kind, label, hint, optional in TYPED:
            value = self.values.get(name) or ""
            if name == "client_secret" and self.has_secret:
                hint, optional = KEPT_SECRET, True
            found[name] = Field(name, kind, label, hint, optional, value, self.errors.get(name))
        return found

    def wish(self, *, client_secret: str) -> configuring.Wish:
        """Return what the admin wants."""
        return configuring.Wish(client_secret=client_secret.strip(), groups=self._groups, **self.values)

    def say(self, problems: Mapping[str, str]) -> None:
        """Show beside each field what is wrong with it."""
        self.errors = {name: SETTINGS[code] for name, code in problems.items()}


def _text(posted: Mapping[str, str], name: str) -> str:
    return posted.get(name, "").replace("\x00", "").strip()
