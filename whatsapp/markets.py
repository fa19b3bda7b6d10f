"""Markets as Meta prices them: by the calling code of the recipient's number.

Source: Meta, WhatsApp pricing, "Country calling codes" (as known on 2026-11-22). Markets that it prices together are
OTHER here; a rate sheet may say what those cost.
"""

OTHER = "OTHER"
# The longest code that fits counts. +1 and +7 are shared by countries of one market each.
CALLING_CODES = {
    "1": "US_CA",
    "20": "EG",
    "27": "ZA",
    "31": "NL",
    "33": "FR",
    "34": "ES",
    "39": "IT",
    "44": "GB",
    "49": "DE",
    "51": "PE",
    "52": "MX",
    "54": "AR",
    "55": "BR",
    "56": "CL",
    "57": "CO",
    "60": "MY",
    "62": "ID",
    "7": "RU",
    "90": "TR",
    "91": "IN",
    "92": "PK",
    "234": "NG",
    "966": "SA",
    "971": "AE",
    "972": "IL",
}
LONGEST = 3


def market_of(*, wa_id: str) -> str:
    """Return the market of a number, digits as Meta gives them; '' when there is none."""
    if not wa_id.isdecimal():
        return ""
    codes = (wa_id[:length] for length in range(LONGEST, 0, -1))
    return next((CALLING_CODES[code] for code in codes if code in CALLING_CODES), OTHER)
