"""When a municipality answers citizens, and what it says of their data (messaging/office/)."""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField
from django.db import models
from django.db.models import F, Func, Q

DAY_MINUTES = 24 * 60


class Office(models.Model):
    """What the municipality chose: one row, or none while it chose nothing and nobody is told that it is closed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    holidays = models.JSONField()  # names of messaging.office.holidays.Holiday
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="office_is_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"{self.saved_at:%Y-%m-%d %H:%M}"


class OpenPeriod(models.Model):
    """Part of a weekday on which somebody answers, each week. Minutes of the clock on the wall in the Netherlands."""

    weekday = models.PositiveSmallIntegerField()  # 0: Monday
    opens_minute = models.PositiveSmallIntegerField()  # of the day
    closes_minute = models.PositiveSmallIntegerField()  # first minute after it; 1440: midnight

    class Meta:
        constraints = [
            models.CheckConstraint(name="open_period_weekday_known", condition=Q(weekday__lte=6)),
            models.CheckConstraint(
                name="open_period_within_its_day",
                condition=Q(closes_minute__gt=F("opens_minute"), closes_minute__lte=DAY_MINUTES),
            ),
            # As minutes of the week, so that PostgreSQL needs no extension for it.
            ExclusionConstraint(
                name="open_period_no_overlap",
                expressions=[
                    (
                        Func(
                            F("weekday") * DAY_MINUTES + F("opens_minute"),
                            F("weekday") * DAY_MINUTES + F("closes_minute"),
                            function="int4range",
                            output_field=IntegerRangeField(),
                        ),
                        "&&",
                    )
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens_minute}-{self.closes_minute}"


class SpecialDay(models.Model):
    """One date on which other hours hold than on its weekday, whatever holiday it is: closed, or open for a part."""

    LONGEST_NAME = 100

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    date = models.DateField(unique=True)
    name = models.CharField(max_length=LONGEST_NAME)
    opens_minute = models.PositiveSmallIntegerField(null=True)  # None: closed all day
    closes_minute = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="special_day_named", condition=~Q(name="")),
            models.CheckConstraint(
                name="special_day_closed_or_open",
                condition=Q(opens_minute=None, closes_minute=None)
                | Q(
                    opens_minute__isnull=False,
                    closes_minute__isnull=False,
                    closes_minute__gt=F("opens_minute"),
                    closes_minute__lte=DAY_MINUTES,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"


class PrivacyNotice(models.Model):
    """What citizens are told of their data: one row, or none while nothing was written and nobody is told anything."""

    LONGEST_TEXT = 600

    class FormOfAddress(models.TextChoices):
        """How a citizen is addressed, in all that the municipality says by itself."""

        FORMAL = "FORMAL"  # u
        INFORMAL = "INFORMAL"  # je

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    url = models.URLField(max_length=300)  # of the municipality's own page on privacy
    form_of_address = models.CharField(max_length=10, choices=FormOfAddress)
    own_text = models.CharField(max_length=LONGEST_TEXT, default="", blank=True)  # in place of ours; the link is added
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="privacy_notice_is_one", condition=Q(id=1)),
            models.CheckConstraint(
                name="privacy_notice_address_known", condition=Q(form_of_address__in=["FORMAL", "INFORMAL"])
            ),
            models.CheckConstraint(name="privacy_notice_url_secure", condition=Q(url__startswith="https://")),
        ]

    def __str__(self) -> str:
        return self.url
