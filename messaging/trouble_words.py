"""What is wrong with a number, in words for who answers citizens and who must act: Dutch and English."""

from tenants.models import Trouble
from whatsapp.reasons import Reason

Kind = Trouble.Kind

TITLES: dict[str, Reason] = {
    Kind.TOKEN: Reason("WhatsApp laat dit nummer niet meer verzenden", "WhatsApp lets nothing leave from this number"),
    Kind.LOCKED: Reason("WhatsApp heeft het account geblokkeerd", "WhatsApp has blocked the account"),
    Kind.PAYMENT: Reason("De betaling aan WhatsApp is geweigerd", "The payment to WhatsApp was refused"),
    Kind.UNREGISTERED: Reason("Het nummer is niet bij WhatsApp geregistreerd", "The number is not registered"),
    Kind.RESTRICTED: Reason("WhatsApp beperkt dit nummer", "WhatsApp restricts this number"),
    Kind.QUALITY: Reason("De kwaliteit van dit nummer is te laag", "The quality of this number is too low"),
    Kind.LIMIT: Reason("De berichtenlimiet is bereikt", "The messaging limit is reached"),
    Kind.SILENT: Reason("Er komt onverwacht niets binnen", "Unexpectedly, nothing comes in"),
    Kind.STANDBY: Reason("Een andere toepassing antwoordt op dit nummer", "Another application answers this number"),
    Kind.DISCONNECTED: Reason("Het nummer is losgekoppeld", "The number was disconnected"),
    Kind.UNREACHABLE: Reason("WhatsApp is onbereikbaar", "WhatsApp is out of reach"),
    Kind.STALLED: Reason("Berichten staan stil", "Messages stand still"),
    Kind.PIN: Reason(
        "De pincode van dit nummer is gevraagd of uitgezet",
        "Somebody asked for this number's PIN, or had it turned off",
    ),
}
_PROVIDER = Reason(
    "Antwoorden wachten en gaan vanzelf weg zodra het is opgelost. Uw leverancier moet nu handelen.",
    "Answers wait, and leave by themselves as soon as it is solved. Your provider has to act now.",
)
_TEMPLATES = Reason(
    "Antwoorden aan inwoners die zelf schreven gaan door; templates wachten.",
    "Answers to citizens who wrote go on; templates wait.",
)
ADVICE: dict[str, Reason] = {
    **dict.fromkeys((Kind.TOKEN, Kind.LOCKED, Kind.PAYMENT, Kind.UNREGISTERED, Kind.DISCONNECTED), _PROVIDER),
    **dict.fromkeys((Kind.RESTRICTED, Kind.QUALITY, Kind.LIMIT), _TEMPLATES),
    Kind.SILENT: Reason(
        "Stuur zelf een bericht naar het nummer om te zien of het binnenkomt.",
        "Send the number a message yourself, and see whether it comes in.",
    ),
    Kind.STANDBY: Reason(
        "Wat inwoners schrijven komt hier niet binnen zolang die toepassing het overneemt.",
        "What citizens write does not come in here while that application has taken over.",
    ),
    Kind.UNREACHABLE: Reason(
        "Antwoorden wachten en gaan vanzelf weg zodra WhatsApp er weer is.",
        "Answers wait, and leave by themselves as soon as WhatsApp is back.",
    ),
    Kind.STALLED: Reason(
        "Door een storing bij uw leverancier gaat niets weg of komt niets binnen. Alles wacht en gaat vanzelf verder.",
        "By a failure at your provider nothing leaves, or nothing comes in. All of it waits, and goes on by itself.",
    ),
    Kind.PIN: Reason(
        "Wie de pincode heeft, kan het nummer overnemen. Vroeg niemand van u erom, bel dan nu uw leverancier.",
        "Whoever has the PIN can take the number over. If nobody of yours asked for it, call your provider now.",
    ),
}
