"""The words on the pages for what is said of templates: alerts, Meta's reasons, looks, and the rules a draft breaks."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

ALERTS: dict[str, Promise] = {
    "MARKETING": _(
        "Meta made this template marketing. A municipality may not send that, so it is held. "
        "Ask Meta to review the category, or write a new template."
    ),
    "CATEGORY_COMING": _("Meta announced that it will give this template another category."),
    "REJECTED": _("Meta rejected this template. It cannot be sent."),
    "PAUSED": _("Meta paused this template, because citizens reacted badly to it. It cannot be sent for now."),
    "DISABLED": _("Meta disabled this template for good. It cannot be sent any more."),
    "DELETED": _("This template was deleted at Meta. It cannot be sent any more."),
    "ARCHIVED": _("Meta archived this template, because it was not used for long. It cannot be sent."),
    "UNKNOWN_STATUS": _("Meta gives this template a state that we do not know, so it is not sent:"),
    "LOW_QUALITY": _("Citizens react badly to this template. If that goes on, Meta pauses it."),
    "UNREADABLE": _("What Meta has of this template cannot be read, so it is not sent."),
}

# Meta's codes of why a template was rejected, paused or disabled.
REASONS: dict[str, Promise] = {
    "ABUSIVE_CONTENT": _("Its content is abusive, according to Meta."),
    "INCORRECT_CATEGORY": _("Its category does not fit its content, according to Meta."),
    "INVALID_FORMAT": _("Its form is not right: look at its variables and their examples."),
    "PROMOTIONAL": _("It promotes something, according to Meta."),
    "SCAM": _("It looks like a scam, according to Meta."),
    "TAG_CONTENT_MISMATCH": _("Its content does not fit its category or language, according to Meta."),
    "FIRST_PAUSE": _("Paused for the first time, for 3 hours."),
    "SECOND_PAUSE": _("Paused for the second time, for 6 hours. The next time Meta disables it."),
    "RATE_LIMITING_PAUSE": _("Paused because Meta first waits for the reactions of citizens."),
    "UNPAUSE": _("The pause is over."),
    "DISABLED": _("Disabled after several pauses."),
}

SOURCES: dict[str, Promise] = {
    "OURS": _("This platform"),
    "LOOK": _("Read at Meta"),
    "WEBHOOK": _("Told by Meta"),
    "REFUSAL": _("Meta refused a message"),
}

ASPECTS: dict[str, Promise] = {
    "status": _("State"),
    "category": _("Category"),
    "components": pgettext_lazy("template", "Text and parts"),
}

# Why an item of Meta's list has no place here.
UNREADABLE: dict[str, Promise] = {
    "no_object": _("It is not a template at all:"),
    "id_missing": _("It has no number at Meta:"),
    "id_too_long": _("Its number at Meta is too long:"),
    "name_missing": _("It has no name:"),
    "name_too_long": _("Its name is too long:"),
    "language_missing": _("It has no language:"),
    "language_too_long": _("Its language is too long:"),
}

SYNC_FAILURES: dict[str, Promise] = {
    "token_missing": _("We have no access to your account at Meta. Your provider must arrange it."),
    "token_unreadable": _("Our access to your account at Meta cannot be read. Your provider must renew it."),
    "meta_0": _("Meta no longer accepts our access to your account. Your provider must renew it."),
    "meta_190": _("Meta no longer accepts our access to your account. Your provider must renew it."),
    "meta_4": _("Meta asks us to wait: there were too many questions. We try again within an hour."),
    "meta_80007": _("Meta asks us to wait: there were too many questions. We try again within an hour."),
    "interrupted": _("It was interrupted. We try again within an hour."),
}

# Rules that a draft breaks: code of messaging/templates/checking.py; {limit} and {actual} where a rule counts.
PROBLEMS: dict[str, Promise] = {
    "name_invalid": _("A name has only small letters, digits and underscores."),
    "language_invalid": _("This is no language code: use nl or en, say."),
    "marketing": _("A municipality may not send marketing. Choose utility."),
    "category_unknown": _("Choose a category: utility or authentication."),
    "parameter_format_unknown": _("Variables have either names or numbers."),
    "purpose_missing": _("Choose a declared purpose."),
    "purpose_undeclared": _("Your municipality has not declared this purpose."),
    "policy_flagged": _("Flagged words: change them, or ask your provider."),
    "policy_waiting": _("Your provider still has to look at it."),
    "policy_refused": _("Your provider refused these words. Change them."),
    "edited_today": _("Meta takes one edit of an approved template in 24 hours. Hand it in later."),
    "edited_often": _("Meta takes ten edits of an approved template in 30 days. Hand it in later."),
    "body_missing": _("A template needs a text."),
    "component_twice": _("This part may be there only once."),
    "component_unknown": _("Meta does not know this part."),
    "header_format_unknown": _("A header is a text, a picture, a video, a document or a location."),
    "text_missing": _("This part has no text."),
    "too_long": _("This is too long: {actual} characters, and at most {limit} are allowed."),
    "too_many_variables": _("There are too many variables for this text: {actual}, and at most {limit} are allowed."),
    "variable_at_start": _("A text may not begin with a variable."),
    "variable_at_end": _("A text may not end with a variable."),
    "variables_adjacent": _("There must be words between two variables."),
    "variable_name_invalid": _("A variable has a name of small letters, digits and underscores, or a number."),
    "variables_not_in_order": _("Numbered variables are 1, 2, 3, in this order."),
    "braces_unpaired": _("A variable stands between {{ and }}: one of these is missing."),
    "example_missing": _("Give an example of each variable, and of a picture, video or document."),
    "buttons_missing": _("There are no buttons in this part."),
    "too_many_buttons": _("There are too many buttons: {actual}, and at most {limit} are allowed."),
    "too_many_url_buttons": _("There are too many buttons to a website: {actual}, and at most {limit} are allowed."),
    "too_many_phone_number_buttons": _(
        "There are too many buttons that call: {actual}, and at most {limit} are allowed."
    ),
    "too_many_copy_code_buttons": _(
        "There are too many buttons that copy a code: {actual}, and at most {limit} are allowed."
    ),
    "too_many_quick_reply_buttons": _("There are too many quick replies: {actual}, and at most {limit} are allowed."),
    "too_many_flow_buttons": _(
        "There are too many buttons that open a form: {actual}, and at most {limit} are allowed."
    ),
    "too_many_request_contact_info_buttons": _(
        "There are too many buttons that ask for a phone number: {actual}, and at most {limit} are allowed."
    ),
    "button_kind_unknown": _("Meta does not know this kind of button."),
    "quick_replies_apart": _("Put the quick replies together, without another button between them."),
    "button_label_missing": _("A button needs a label."),
    "button_label_too_long": _("The label of a button is too long: {actual} characters, and at most {limit}."),
    "button_label_variable": _("The label of a button has no variables."),
    "button_phone_invalid": _("This is no phone number: write it with its country code."),
    "button_code_too_long": _("The code of a button is too long: {actual} characters, and at most {limit}."),
    "button_url_invalid": _("An address begins with https://."),
    "button_url_too_long": _("The address of a button is too long: {actual} characters, and at most {limit}."),
    "button_url_variable": _("An address has at most one variable, {{1}}, at its end."),
}

PLACES: dict[str, Promise] = {
    "name": _("Name"),
    "language": _("Language"),
    "category": _("Category"),
    "purpose": _("Purpose"),
    "policy": _("Declaration"),
    "edit": pgettext_lazy("template", "Edits"),
    "HEADER": pgettext_lazy("template", "Header"),
    "BODY": pgettext_lazy("template", "Text"),
    "FOOTER": pgettext_lazy("template", "Footer"),
    "BUTTONS": pgettext_lazy("template", "Buttons"),
}


# Why a draft was not saved: code of messaging/templates/drafting.py.
CANNOT_SAVE: dict[str, Promise] = {
    "name_invalid": _("Give it a name of small letters, digits and underscores."),
    "name_taken": _("There is a template of this name in this language already. Choose another name."),
    "language_unknown": _("Choose a language."),
    "purpose_undeclared": _("Choose a purpose that your municipality has declared."),
    "text_endless": _("One of the texts is far too long. Shorten it."),
    "not_changeable": _("This template cannot be changed here any more. Nothing was saved."),
}

REVIEW_STATES: dict[str, Promise] = {
    "WAITING": _("Waits for the provider"),
    "RELEASED": _("Released"),
    "REFUSED": _("Refused"),
}


def cannot_save(code: str) -> str:
    """Return why a draft was not saved, in the language of the page."""
    return str(CANNOT_SAVE[code])


def problem(*, code: str, limit: int | None, actual: int | None) -> str:
    """Return what is wrong with a draft, in the language of the page."""
    words = str(PROBLEMS.get(code, code))
    return words if limit is None else words.replace("{limit}", str(limit)).replace("{actual}", str(actual))


def sync_failure(code: str) -> str:
    """Return why a look failed, in the language of the page."""
    if code in SYNC_FAILURES:
        return str(SYNC_FAILURES[code])
    if code.startswith("meta_"):
        return str(_("Meta answered with error %(code)s. We try again within an hour.")) % {"code": code[5:]}
    return str(_("Meta could not be reached. We try again within an hour."))
