"""Which accounts a municipality has, each by a number of it through which it can be read."""

from tenants.models import Municipality, Number


def accounts_of(*, municipality: Municipality) -> list[Number]:
    """Return one open number of each account, one with a token where there is one, in the order of their accounts."""
    found: dict[str, Number] = {}
    for number in municipality.numbers.filter(closed_at=None).order_by("waba_id", "id"):
        known = found.get(number.waba_id)
        if known is None or (known.access_token_encrypted is None and number.access_token_encrypted is not None):
            found[number.waba_id] = number
    return list(found.values())
