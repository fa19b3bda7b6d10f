"""Teams: made, named and filled by an admin; and what somebody may see by the teams that they are in.

Whoever holds READ_ALL_TEAMS sees every thread. Others see, where the municipality chose so, the threads of their own
teams, those that are given to them, and those of no team, lest a new question stays unseen.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Prefetch

from accounts.models import Membership, Team, TeamRule, User
from accounts.permissions import ROLES_WITH, Permission
from audit.record import Actor, record


class NameTaken(Exception):
    """Another team has this name, in whichever case."""


class NameMissing(Exception):
    """A team needs a name, of at most Team.LONGEST_NAME characters."""


@dataclass(frozen=True, slots=True)
class TeamView:
    """One team and who is in it, by name."""

    team: Team
    members: tuple[User, ...]


def teams() -> list[TeamView]:
    """Return all teams with their members, by two queries."""
    members = Membership.objects.select_related("user").order_by("user__name", "user__id")
    found = Team.objects.order_by("name").prefetch_related(Prefetch("memberships", queryset=members))
    return [TeamView(team=team, members=tuple(each.user for each in team.memberships.all())) for team in found]


def candidates() -> Sequence[User]:
    """Return who can be put in a team: those who may read threads, by name."""
    roles = ROLES_WITH[Permission.READ_THREADS]
    return list(User.objects.filter(is_active=True, role_grants__role__in=roles).distinct().order_by("name", "id"))


def choices() -> Sequence[Team]:
    """Return all teams, by name."""
    return list(Team.objects.order_by("name"))


def team_names(*, team_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of some teams; by no query where there are none."""
    return dict(Team.objects.filter(id__in=team_ids).values_list("id", "name")) if team_ids else {}


def team_name(*, team_id: UUID) -> str:
    """Return a team's name, or nothing when it is gone."""
    return Team.objects.filter(id=team_id).values_list("name", flat=True).first() or ""


def sees_only_own() -> bool:
    """Return whether the municipality chose that agents see only the threads of their own teams."""
    return TeamRule.objects.filter(only_own=True).exists()


def teams_of(*, user_id: UUID) -> frozenset[UUID]:
    """Return the teams that somebody is in."""
    return frozenset(Membership.objects.filter(user_id=user_id).values_list("team_id", flat=True))


@transaction.atomic
def make(*, name: str, actor: Actor, at: datetime) -> Team:
    """Make a team.  Raises NameMissing, NameTaken."""
    team = _saved(Team(name=_checked(name)))
    record(action="team.make", actor=actor, at=at, subject=f"team {team.id}", details={"name": team.name})
    return team


@transaction.atomic
def change(*, team_id: UUID, name: str, member_ids: Collection[UUID], actor: Actor, at: datetime) -> Team:
    """Give a team this name and these members. Safe to repeat; who may not read threads is left out.

    Raises Team.DoesNotExist, NameMissing, NameTaken.
    """
    team = Team.objects.select_for_update().get(id=team_id)
    wanted = {user.id for user in candidates()} & set(member_ids)
    present = set(Membership.objects.filter(team=team).values_list("user_id", flat=True))
    before, team.name = team.name, _checked(name)
    renamed = team.name != before
    if renamed:
        _saved(team)
    Membership.objects.filter(team=team, user_id__in=present - wanted).delete()
    Membership.objects.bulk_create(Membership(team=team, user_id=user_id) for user_id in sorted(wanted - present))
    if renamed or wanted != present:
        details = {
            "name": team.name,
            "in": sorted(str(user_id) for user_id in wanted - present),
            "out": sorted(str(user_id) for user_id in present - wanted),
        }
        record(action="team.change", actor=actor, at=at, subject=f"team {team.id}", details=details)
    return team


@transaction.atomic
def set_rule(*, only_own: bool, actor: Actor, at: datetime) -> None:
    """Choose whether agents see only the threads of their own teams. Safe to repeat."""
    if sees_only_own() == only_own:
        return
    TeamRule.objects.update_or_create(id=1, defaults={"only_own": only_own})
    record(action="team.rule", actor=actor, at=at, subject="teams", details={"only_own": only_own})


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > Team.LONGEST_NAME:
        raise NameMissing
    return name


def _saved(team: Team) -> Team:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError as error:
        raise NameTaken from error
    return team
