"""Labels: words of the municipality's own, made by an admin, that agents put on threads and filter lists by."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Count

from audit.record import Actor, record
from messaging.announcing import announce, announce_all
from messaging.desk.acting import hold
from messaging.models import Label, Thread, ThreadLabel

MOST_LABELS = 100  # of a municipality: more than anybody can choose from


class LabelNameTaken(Exception):
    """Another label has this name, in whichever case."""


class BadLabel(ValueError):
    """A label needs a name of at most Label.LONGEST_NAME characters, and one of the known colours."""


class TooManyLabels(Exception):
    """There are MOST_LABELS already."""


@dataclass(frozen=True, slots=True)
class LabelView:
    """One label, and how many threads have it."""

    label: Label
    threads: int


def labels() -> Sequence[Label]:
    """Return the labels of the municipality, by name."""
    return list(Label.objects.order_by("name", "id"))


def overview() -> list[LabelView]:
    """Return the labels by name, with how many threads have each; by one query."""
    counted = Label.objects.annotate(held=Count("threads")).order_by("name", "id")
    return [LabelView(label=label, threads=label.held) for label in counted]


def labels_of(*, thread_ids: Iterable[UUID]) -> dict[UUID, tuple[Label, ...]]:
    """Return the labels of some threads, by name; by one query."""
    found: dict[UUID, tuple[Label, ...]] = {}
    on = ThreadLabel.objects.filter(thread_id__in=list(thread_ids)).select_related("label")
    for each in on.order_by("label__name", "label_id"):
        found[each.thread_id] = (*found.get(each.thread_id, ()), each.label)
    return found


@transaction.atomic
def make(*, name: str, colour: str, actor: Actor, at: datetime) -> Label:
    """Make a label.  Raises BadLabel, LabelNameTaken, TooManyLabels."""
    if Label.objects.count() >= MOST_LABELS:
        raise TooManyLabels
    label = _saved(_filled(Label(), name, colour))
    record(action="label.make", actor=actor, at=at, subject=f"label {label.id}", details={"name": label.name})
    return label


@transaction.atomic
def change(*, label_id: UUID, name: str, colour: str, actor: Actor, at: datetime) -> Label:
    """Give a label another name or colour. Safe to repeat.

    Raises BadLabel, LabelNameTaken, Label.DoesNotExist.
    """
    label = Label.objects.select_for_update().get(id=label_id)
    before = (label.name, label.colour)
    _filled(label, name, colour)
    if (label.name, label.colour) != before:
        _saved(label)
        details = {"name": label.name, "was": before[0]}
        record(action="label.change", actor=actor, at=at, subject=f"label {label.id}", details=details)
        _announce_all()
    return label


@transaction.atomic
def remove(*, label_id: UUID, actor: Actor, at: datetime) -> int:
    """Remove a label, from every thread that has it; return from how many.  Raises Label.DoesNotExist."""
    label = Label.objects.select_for_update().get(id=label_id)
    threads = ThreadLabel.objects.filter(label=label).count()
    label.delete()
    details = {"name": label.name, "threads": threads}
    record(action="label.remove", actor=actor, at=at, subject=f"label {label_id}", details=details)
    _announce_all()
    return threads


@transaction.atomic
def put_on(*, thread_id: UUID, label_ids: Collection[UUID], actor: Actor, at: datetime) -> Thread:
    """Give an open thread these labels and no others. Safe to repeat.

    A label that is gone meanwhile is left out.  Raises Thread.DoesNotExist, ThreadClosed.
    """
    thread = hold(thread_id=thread_id)
    # Held, so that none of them is removed before this is written.
    there = Label.objects.select_for_update(no_key=True).filter(id__in=list(label_ids)).order_by("id")
    wanted = {label.id for label in there}
    present = set(ThreadLabel.objects.filter(thread=thread).values_list("label_id", flat=True))
    if wanted == present:
        return thread
    ThreadLabel.objects.filter(thread=thread, label_id__in=present - wanted).delete()
    ThreadLabel.objects.bulk_create(ThreadLabel(thread=thread, label_id=each) for each in sorted(wanted - present))
    announce(threads=[thread.id])
    details = {"on": sorted(map(str, wanted - present)), "off": sorted(map(str, present - wanted))}
    record(action="thread.label", actor=actor, at=at, subject=f"thread {thread_id}", details=details)
    return thread


def _filled(label: Label, name: str, colour: str) -> Label:
    label.name, label.colour = " ".join(name.split()), colour
    if not label.name or len(label.name) > Label.LONGEST_NAME or colour not in Label.Colour.values:
        raise BadLabel
    return label


def _saved(label: Label) -> Label:
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError as error:
        raise LabelNameTaken from error
    return label


def _announce_all() -> None:
    announce_all(schema_name=connection.schema_name)  # type: ignore[attr-defined]
