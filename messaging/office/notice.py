"""What a citizen is told of their data when they first write, in the municipality's own form of address.

Only composed here; who sends it keeps to whom and when.
"""

from messaging.models import PrivacyNotice

OURS = {
    PrivacyNotice.FormOfAddress.FORMAL: (
        "U chat met de gemeente {name}. Stuur ons geen burgerservicenummer, kopie van uw identiteitsbewijs of medische "
        "gegevens."
    ),
    PrivacyNotice.FormOfAddress.INFORMAL: (
        "Je chat met de gemeente {name}. Stuur ons geen burgerservicenummer, kopie van je identiteitsbewijs of "
        "medische gegevens."
    ),
}
READ_ON = {
    PrivacyNotice.FormOfAddress.FORMAL: "Hoe wij met uw gegevens omgaan, leest u op {url}",
    PrivacyNotice.FormOfAddress.INFORMAL: "Hoe wij met je gegevens omgaan, lees je op {url}",
}


def form_of_address() -> PrivacyNotice.FormOfAddress:
    """Return how the municipality addresses citizens; formal while it chose nothing."""
    found = PrivacyNotice.objects.values_list("form_of_address", flat=True).first()
    return PrivacyNotice.FormOfAddress(found or PrivacyNotice.FormOfAddress.FORMAL)


def compose_notice(*, name: str) -> str | None:
    """Return the notice of the municipality of this name; None: it wrote none, so nobody is told anything."""
    notice = PrivacyNotice.objects.first()
    return None if notice is None else wording(notice=notice, name=name)


def wording(*, notice: PrivacyNotice, name: str) -> str:
    """Return a notice as a citizen reads it: the municipality's own words or ours, and where more is read."""
    form = PrivacyNotice.FormOfAddress(notice.form_of_address)
    # Own words are put in as they are: a brace in them is a brace.
    said = notice.own_text or OURS[form].format(name=name)
    return f"{said} {READ_ON[form].format(url=notice.url)}"
