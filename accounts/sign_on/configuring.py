"""The settings of a municipality's provider, as its admin gives them: checked, tried, written and audited."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.socialaccount.models import SocialAccount
from django.db import transaction

from accounts.models import User
from accounts.roles import MunicipalRole
from accounts.sign_on import closing
from accounts.sign_on.discovery import discover, issuer_of, keys_of
from accounts.sign_on.fetching import check_address
from accounts.sign_on.models import ISSUER_CHARACTERS, GroupRole, SignOn
from accounts.sign_on.trouble import ProviderTrouble
from audit.record import Actor, record
from tenants import encryption

LONGEST = 200  # of every other text


class Unacceptable(Exception):
    """The settings cannot be so. problems: by field, a code of web/sign_on_words.py."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Name what is wrong, field by field."""
        super().__init__(", ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Wish:
    """What an admin wants. client_secret: empty keeps the one there is. groups: by role, as the token calls them."""

    is_on: bool
    issuer: str
    client_id: str
    client_secret: str
    groups_claim: str
    groups: Mapping[str, tuple[str, ...]]
    second_step: str
    strong_acr: str
    passwords_open: bool
    local_admin: UUID | None


def current() -> SignOn | None:
    """Return the settings there are."""
    return SignOn.objects.select_related("local_admin").first()


def groups_by_role() -> dict[str, tuple[str, ...]]:
    """Return the groups of each role, by name."""
    found: dict[str, list[str]] = {role: [] for role in MunicipalRole.values}
    for each in GroupRole.objects.order_by("group"):
        found[each.role].append(each.group)
    return {role: tuple(groups) for role, groups in found.items()}


def candidates() -> list[User]:
    """Return who can be the local admin: admins with a password, who do not come by the provider."""
    found = User.objects.filter(is_active=True, role_grants__role=MunicipalRole.ADMIN).order_by("name", "email")
    linked = set(SocialAccount.objects.values_list("user_id", flat=True))
    return [user for user in found if user.has_usable_password() and user.id not in linked]


def try_out(*, issuer: str) -> None:
    """Ask the provider for its document and its keys, now.  Raises ProviderTrouble."""
    keys_of(provider=discover(issuer=issuer_of(issuer)))


def save(*, wish: Wish, actor: Actor, at: datetime) -> SignOn:
    """Write the settings; the provider must answer before it is turned on, or before another one is.

    Raises Unacceptable: nothing was changed then.
    """
    before = current()
    issuer = issuer_of(wish.issuer)
    _check(wish, issuer, before)
    if wish.is_on and (before is None or not before.is_on or before.issuer != issuer):
        try:
            try_out(issuer=issuer)
        except ProviderTrouble as trouble:
            raise Unacceptable({"issuer": trouble.code}) from None
    with transaction.atomic():
        there = SignOn.objects.select_for_update().first()
        secret = wish.client_secret
        if not secret and (there is None or there.issuer != issuer):
            raise Unacceptable({"client_secret": "SECRET_NEEDED"})  # changed meanwhile
        values = {
            "is_on": wish.is_on,
            "issuer": issuer,
            "client_id": wish.client_id,
            "groups_claim": wish.groups_claim,
            "second_step": wish.second_step,
            "strong_acr": wish.strong_acr,
            "passwords_open": wish.passwords_open,
            "local_admin_id": wish.local_admin,
        }
        changed = sorted(name for name, value in values.items() if there is None or getattr(there, name) != value)
        if secret:
            values["client_secret"] = encryption.encrypt(plain=secret.encode()).decode()
            changed.append("client_secret")
        if groups_by_role() != _tidy(wish.groups):
            changed.append("groups")
        saved, _made = SignOn.objects.update_or_create(id=1, defaults=values | {"changed_at": at})
        GroupRole.objects.all().delete()
        GroupRole.objects.bulk_create(
            GroupRole(group=group, role=role) for role, groups in _tidy(wish.groups).items() for group in groups
        )
        ended = closing.end_sessions(but_of=actor.id)
        details = {"changed": changed, "is_on": wish.is_on, "issuer": issuer, "sessions_ended": ended}
        record(action="sign_on.change", actor=actor, at=at, subject="sign-on", details=details)
    return saved


def secret_of(*, sign_on: SignOn) -> str:
    """Return the secret that the provider knows us by.  Raises UnreadableSecret: no key opens it."""
    return encryption.decrypt(encrypted=sign_on.client_secret.encode()).decode()


def _check(wish: Wish, issuer: str, before: SignOn | None) -> None:
    """Accept settings that hang together.  Raises Unacceptable."""
    problems: dict[str, str] = {}
    try:
        check_address(url=issuer)
        if len(issuer) > ISSUER_CHARACTERS:
            problems["issuer"] = "TOO_LONG"
    except ProviderTrouble as trouble:
        problems["issuer"] = trouble.code
    for name in ("client_id", "groups_claim"):
        if not getattr(wish, name):
            problems[name] = "NEEDED"
    for name in ("client_id", "groups_claim", "strong_acr", "client_secret"):
        if len(getattr(wish, name)) > LONGEST:
            problems[name] = "TOO_LONG"
    # A secret is for who it was given by: another provider must not be sent it.
    if not wish.client_secret and (before is None or before.issuer != issuer):
        problems["client_secret"] = "SECRET_NEEDED"  # noqa: S105 - a code
    if wish.second_step not in SignOn.SecondStep.values:
        problems["second_step"] = "NEEDED"
    if wish.local_admin not in {user.id for user in candidates()}:
        problems["local_admin"] = "LOCAL_ADMIN_NEEDED"
    every = [group for groups in wish.groups.values() for group in groups]
    if any(len(group) > LONGEST for group in every) or len(every) > LONGEST:
        problems["groups"] = "TOO_LONG"
    elif wish.is_on and not every:
        problems["groups"] = "GROUPS_NEEDED"
    if problems:
        raise Unacceptable(problems)


def _tidy(groups: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {role: tuple(sorted(set(groups.get(role, ())))) for role in MunicipalRole.values}
