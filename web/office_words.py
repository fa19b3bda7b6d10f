"""The words of the pages of opening hours and privacy notice: holidays, and what is wrong with what was filled in."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HOLIDAYS: dict[str, Promise] = {
    "NEW_YEAR": _("New Year's Day"),
    "GOOD_FRIDAY": _("Good Friday"),
    "EASTER_SUNDAY": _("Easter Sunday"),
    "EASTER_MONDAY": _("Easter Monday"),
    "KINGS_DAY": _("King's Day"),
    "LIBERATION_DAY": _("5 May, every year"),
    "LIBERATION_JUBILEE": _("5 May, once in five years"),
    "ASCENSION_DAY": _("Ascension Day"),
    "DAY_AFTER_ASCENSION": _("The Friday after Ascension Day"),
    "WHIT_SUNDAY": _("Whit Sunday"),
    "WHIT_MONDAY": _("Whit Monday"),
    "CHRISTMAS_DAY": _("Christmas Day"),
    "SECOND_CHRISTMAS_DAY": _("Second Christmas Day"),
}

BAD: dict[str, Promise] = {
    "half": _("Fill in both: from when and until when."),
    "closes_before_opening": _("It closes before it opens."),
    "overlap": _("The two periods overlap."),
    "name_missing": _("Say what day it is, in at most 100 characters."),
    "day_missing": _("Give the date."),
    "day_taken": _("There is something for this date already: remove that first."),
    "url_not_secure": _("Give the address of your own page on privacy, beginning with https://."),
    "address_unknown": _("Choose how you address citizens."),
    "text_too_long": _("The text has at most 600 characters."),
}
