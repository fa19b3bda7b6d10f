"""The words of an onboarding, as a filter of its templates."""

from django import template
from django.utils.translation import get_language

from web.application_form import label_of
from web.onboarding_words import said

register = template.Library()


@register.filter
def question(name: str) -> str:
    """Return how a question of the application is called."""
    return label_of(name)


@register.filter
def hex(digest: bytes) -> str:  # noqa: A001 - as the template says it
    """Return a digest as people compare it."""
    return bytes(digest).hex()


@register.filter
def onboarding(code: str, table: str) -> str:
    """Return the words for a code, in the reader's language."""
    return said(table=table, code=str(code), language=get_language())
