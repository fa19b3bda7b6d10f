"""Why Meta did not take or deliver a message, by its code, in words that an agent understands: Dutch and English.

Said beside Meta's code, never instead of it. A code that is not here has none of ours: then Meta's title is shown.
Where sending again cannot help, the words say what can.
"""

from typing import NamedTuple


class Reason(NamedTuple):
    """One reason in both languages. helps_again: the same message may arrive when it is sent again, now or later."""

    nl: str
    en: str
    helps_again: bool = True

    def in_language(self, language: str | None) -> str:
        """Return it in a language; Dutch unless that is English."""
        return self.en if (language or "").startswith("en") else self.nl


_TOKEN = Reason(
    "WhatsApp laat ons niet meer namens dit nummer verzenden: de toegang is verlopen of ingetrokken. "
    "Uw leverancier moet dit herstellen.",
    "WhatsApp no longer lets us send from this number: access has expired or was withdrawn. "
    "Your provider has to mend it.",
)
_OURS = Reason(
    "Het bericht was niet opgebouwd zoals WhatsApp het wil. Dit is een fout van het platform, niet van u. "
    "Meld het bij uw leverancier.",
    "The message was not built the way WhatsApp wants it. That is the platform's mistake, not yours. "
    "Report it to your provider.",
    helps_again=False,
)
_BUSY = Reason(
    "WhatsApp had een storing, ook nadat het enkele keren opnieuw was geprobeerd.",
    "WhatsApp had a failure, also after several more tries.",
)
_FAST = Reason(
    "Er werd meer verzonden dan WhatsApp op dat moment toestond.",
    "More was sent than WhatsApp allowed at that moment.",
)
_REGISTRATION = Reason(
    "De registratie van dit nummer bij WhatsApp is niet in orde. Uw leverancier moet dit herstellen.",
    "The registration of this number at WhatsApp is not in order. Your provider has to mend it.",
)
_MARKETING = Reason(
    "WhatsApp ziet dit bericht als reclame, en neemt het langs deze weg niet aan. Gebruik een ander kanaal.",
    "WhatsApp regards this message as marketing, and does not take it this way. Use another channel.",
    helps_again=False,
)
_PARAMETERS = Reason(
    "De template en wat erin is ingevuld passen niet bij elkaar. Vul hem anders in.",
    "The template and what was filled in do not fit each other. Fill it in differently.",
    helps_again=False,
)

REASONS: dict[int, Reason] = {
    **dict.fromkeys((0, 3, 10, 190, *range(200, 300)), _TOKEN),
    **dict.fromkeys((1, 2, 131000, 131016, 133004), _BUSY),
    **dict.fromkeys((33, 100, 131008, 131009, 132018, 135000), _OURS),
    **dict.fromkeys((4, 80007, 130429), _FAST),
    **dict.fromkeys((131045, 133000, 133005, 133006, 133008, 133009, 133010, 133015, 133016), _REGISTRATION),
    **dict.fromkeys((131063, 134100, 134101, 134102, 134103), _MARKETING),
    **dict.fromkeys((132000, 132012), _PARAMETERS),
    368: Reason(
        "WhatsApp heeft dit account tijdelijk geblokkeerd wegens overtreding van het beleid.",
        "WhatsApp has blocked this account for a while because its policies were broken.",
    ),
    130472: Reason(
        "WhatsApp bezorgt dit bericht niet: deze inwoner zit in een proef van WhatsApp. Gebruik een ander kanaal.",
        "WhatsApp does not deliver this message: this citizen is part of a WhatsApp trial. Use another channel.",
        helps_again=False,
    ),
    130497: Reason(
        "Dit account mag geen berichten sturen naar het land van deze inwoner. Gebruik een ander kanaal.",
        "This account may not send messages to this citizen's country. Use another channel.",
        helps_again=False,
    ),
    131005: Reason(
        "Wij hebben bij WhatsApp geen toegang tot dit nummer. Uw leverancier moet dit herstellen.",
        "We have no access to this number at WhatsApp. Your provider has to mend it.",
    ),
    131021: Reason(
        "De ontvanger is het eigen nummer. Gebruik een ander nummer.",
        "The recipient is our own number. Use another number.",
        helps_again=False,
    ),
    131026: Reason(
        "Niet te bezorgen: dit nummer heeft geen WhatsApp, een te oude versie, of nieuwe voorwaarden niet aanvaard. "
        "Gebruik een ander kanaal.",
        "Cannot be delivered: this number has no WhatsApp, too old a version, or has not accepted new terms yet. "
        "Use another channel.",
        helps_again=False,
    ),
    131030: Reason(
        "Dit is een proefnummer, en de ontvanger staat niet op de lijst daarvan. Uw leverancier moet dit herstellen.",
        "This is a test number, and the recipient is not on its list. Your provider has to mend it.",
        helps_again=False,
    ),
    131031: Reason(
        "WhatsApp heeft dit account vergrendeld. Er kan niets worden verzonden tot dat is opgelost.",
        "WhatsApp has locked this account. Nothing can be sent until that is solved.",
    ),
    131037: Reason(
        "WhatsApp heeft de naam van dit nummer nog niet goedgekeurd.",
        "WhatsApp has not approved this number's name yet.",
    ),
    131042: Reason(
        "Er is een probleem met de betaling aan WhatsApp. Uw leverancier moet dit oplossen.",
        "There is a problem with the payment to WhatsApp. Your provider has to solve it.",
    ),
    131044: Reason(
        "Bij WhatsApp is geen betaalwijze aan dit account gekoppeld. Uw leverancier moet dit oplossen.",
        "No way of paying is attached to this account at WhatsApp. Your provider has to solve it.",
    ),
    131047: Reason(
        "De 24 uur waarin u vrij mag antwoorden waren voorbij. Stuur een template.",
        "The 24 hours in which you may answer freely were over. Send a template.",
    ),
    131048: Reason(
        "WhatsApp beperkt dit nummer, omdat veel ontvangers de berichten ongewenst vonden.",
        "WhatsApp restricts this number, because many recipients did not want its messages.",
    ),
    131049: Reason(
        "WhatsApp hield dit bericht tegen om deze inwoner niet te veel te laten ontvangen. Probeer het na 24 uur.",
        "WhatsApp held this message back so that this citizen does not get too many. Try again after 24 hours.",
    ),
    131050: Reason(
        "Deze inwoner wil geen berichten van dit soort meer ontvangen. Gebruik een ander kanaal als het moet.",
        "This citizen does not want messages of this kind any more. Use another channel if need be.",
        helps_again=False,
    ),
    131051: Reason(
        "WhatsApp ondersteunt dit soort bericht niet. Schrijf het op een andere manier.",
        "WhatsApp does not support this kind of message. Write it in another way.",
        helps_again=False,
    ),
    131052: Reason(
        "WhatsApp kon de bijlage niet ophalen. Voeg haar opnieuw toe.",
        "WhatsApp could not fetch the attachment. Attach it again.",
    ),
    131053: Reason(
        "WhatsApp nam de bijlage niet aan: zij is beschadigd, te groot, of niet van de opgegeven soort. "
        "Kies een ander bestand.",
        "WhatsApp did not take the attachment: it is damaged, too large, or not of the kind stated. "
        "Choose another file.",
        helps_again=False,
    ),
    131056: Reason(
        "Er gingen te veel berichten kort na elkaar naar deze inwoner.",
        "Too many messages went to this citizen in a short time.",
    ),
    131057: Reason(
        "WhatsApp was bezig met onderhoud aan dit nummer.", "WhatsApp was carrying out maintenance on this number."
    ),
    131062: Reason(
        "Voor dit bericht is een telefoonnummer nodig, en van deze inwoner is dat niet bekend. "
        "Gebruik een ander kanaal.",
        "This message needs a phone number, and this citizen's is not known. Use another channel.",
        helps_again=False,
    ),
    131064: Reason(
        "WhatsApp beperkt dit account, omdat templates onder een verkeerde categorie waren ingediend.",
        "WhatsApp restricts this account, because templates were handed in under a wrong category.",
    ),
    132001: Reason(
        "Deze template bestaat niet in deze taal, of is niet goedgekeurd. Kies een andere.",
        "This template does not exist in this language, or is not approved. Choose another one.",
        helps_again=False,
    ),
    132005: Reason(
        "De ingevulde template is te lang. Vul minder in.",
        "The template as filled in is too long. Fill in less.",
        helps_again=False,
    ),
    132007: Reason(
        "De inhoud van deze template is in strijd met het beleid van WhatsApp. Kies een andere.",
        "The content of this template goes against WhatsApp's policies. Choose another one.",
        helps_again=False,
    ),
    132008: Reason(
        "Wat in de template is ingevuld heeft niet de vorm die WhatsApp wil. Vul hem anders in.",
        "What was filled in is not in the form that WhatsApp wants. Fill it in differently.",
        helps_again=False,
    ),
    132015: Reason(
        "WhatsApp heeft deze template gepauzeerd, omdat inwoners er slecht op reageerden. Kies een andere.",
        "WhatsApp has paused this template, because citizens reacted badly to it. Choose another one.",
    ),
    132016: Reason(
        "WhatsApp heeft deze template voorgoed uitgeschakeld. Kies een andere.",
        "WhatsApp has disabled this template for good. Choose another one.",
        helps_again=False,
    ),
    132068: Reason(
        "WhatsApp heeft dit formulier (Flow) geblokkeerd. Stel de vraag op een andere manier.",
        "WhatsApp has blocked this form (Flow). Ask in another way.",
        helps_again=False,
    ),
    132069: Reason(
        "Dit formulier (Flow) is tijdelijk begrensd door WhatsApp.", "WhatsApp limits this form (Flow) for a while."
    ),
    137000: Reason(
        "De identiteit van deze inwoner is veranderd sinds u ermee schreef. Ga na wie dit nummer nu heeft.",
        "This citizen's identity has changed since you wrote. Make sure who has this number now.",
        helps_again=False,
    ),
}


def reason_of(*, code: int) -> Reason | None:
    """Return why, by Meta's code, or None for a code that we do not know."""
    return REASONS.get(code)
