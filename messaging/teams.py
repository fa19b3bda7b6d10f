"""Threads handed to a team of the municipality's, and what becomes of them when the team is no more."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Team
from audit.record import Actor, record
from messaging.announcing import announce
from messaging.desk.acting import person
from messaging.models import Thread, ThreadNote


@transaction.atomic
def hand_over(*, thread_id: UUID, team_id: UUID | None, actor: Actor, at: datetime) -> Thread:
    """Hand a thread to a team, or back to none; open or closed. Safe to repeat.

    Who has it keeps it: an agent outside the team goes on until somebody takes it over.
    Raises Thread.DoesNotExist, Team.DoesNotExist.
    """
    name = ""
    if team_id is not None:
        name = Team.objects.select_for_update(no_key=True).get(id=team_id).name  # it is not dissolved meanwhile
    thread = Thread.objects.select_for_update(no_key=True).get(id=thread_id)
    if thread.team_id != team_id:
        thread.team_id = team_id
        thread.save(update_fields=["team_id"])
        author_id = person(actor=actor)
        ThreadNote.objects.create(thread=thread, kind=ThreadNote.Kind.TEAM, text=name, author_id=author_id, at=at)
        announce(threads=[thread.id])
        details = {"team": str(team_id) if team_id else ""}
        record(action="thread.hand_over", actor=actor, at=at, subject=f"thread {thread_id}", details=details)
    return thread


@transaction.atomic
def dissolve(*, team_id: UUID, actor: Actor, at: datetime) -> int:
    """Dissolve a team: its threads are of no team then, and everybody sees them; return how many.

    Raises Team.DoesNotExist.
    """
    team = Team.objects.select_for_update().get(id=team_id)
    threads = Thread.objects.filter(team_id=team_id).update(team_id=None)
    team.delete()
    details = {"name": team.name, "threads": threads}
    record(action="team.dissolve", actor=actor, at=at, subject=f"team {team_id}", details=details)
    return threads
