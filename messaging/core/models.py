"""Work lists and lane leases: which municipality and which number has work, and who does it."""

from django.db import models


class InboxWake(models.Model):
    """A note, written with each batch of webhook events, that a municipality's inbox has work.

    Append-only for the intake and deleted by who drains, so that neither ever waits for the other. A lost note is
    harmless: the sweep looks at the rows themselves.
    """

    municipality_id = models.UUIDField()

    class Meta:
        # Draining takes a municipality's notes away; the sweep lists the municipalities.
        indexes = [models.Index(name="inbox_wake_by_municipality", fields=["municipality_id"])]

    def __str__(self) -> str:
        return str(self.municipality_id)


class OutboxWake(models.Model):
    """A note, written with each queued message, that a number's lane has work. As harmless to lose as InboxWake."""

    phone_number_id = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.phone_number_id


class Lane(models.Model):
    """The ordered, paced stream of outgoing messages of one number, and who owns it.

    A lane has one owner at a time, by lease. Each change of owner raises the fencing token, and each claim checks it,
    so that an owner who was thought dead can claim nothing more. Leases run on the database's own clock.
    """

    phone_number_id = models.CharField(max_length=40, primary_key=True)
    municipality_id = models.UUIDField()
    owner = models.CharField(max_length=100, default="")
    fencing_token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField()
    # Set when Meta said that this number cannot send now (token, lock, payment): sending rests until then.
    paused_until = models.DateTimeField(null=True)
    paused_reason = models.CharField(max_length=200, default="")

    class Meta:
        # A sender looks for lanes whose lease has ended.
        indexes = [models.Index(name="lane_by_lease", fields=["leased_until"])]

    def __str__(self) -> str:
        return self.phone_number_id
