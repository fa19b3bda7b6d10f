"""The words of an onboarding, in both languages: what is asked, what is wrong with an answer, stages, steps at Meta."""

from whatsapp.reasons import Reason

PARTS: dict[str, Reason] = {
    "ORGANISATION": Reason("Organisatie", "Organisation"),
    "CONTACTS": Reason("Contact en nummer", "Contact and number"),
    "PRIVACY": Reason("Privacy", "Privacy"),
    "PURPOSES": Reason("Doelen", "Purposes"),
    "PROHIBITIONS": Reason("Verboden gebruik", "Forbidden use"),
    "SIGNING": Reason("Ondertekening", "Signing"),
}
INTRODUCTIONS: dict[str, Reason] = {
    "ORGANISATION": Reason(
        "Wie de overeenkomst aangaat, en waar de facturen naartoe gaan.",
        "Who enters into the agreement, and where invoices go.",
    ),
    "CONTACTS": Reason(
        "Met wie wij bellen, wie als eerste mag inloggen, en welk nummer op WhatsApp komt.",
        "Whom we call, who may sign in first, and which number comes to WhatsApp.",
    ),
    "PRIVACY": Reason(
        "Wie toeziet op de gegevens van inwoners, waar zij lezen hoe u ermee omgaat, en welke verwerkersovereenkomst"
        " geldt.",
        "Who watches over citizens' data, where they read how you treat it, and which processor agreement holds.",
    ),
    "PURPOSES": Reason(
        "Kies waarvoor de gemeente WhatsApp gebruikt, en beschrijf elk gekozen doel in een paar zinnen.",
        "Choose what the municipality uses WhatsApp for, and describe each chosen purpose in a few sentences.",
    ),
    "PROHIBITIONS": Reason(
        "Dit is altijd verboden. De gemeente aanvaardt elk verbod uitdrukkelijk.",
        "This is always forbidden. The municipality accepts each prohibition explicitly.",
    ),
    "SIGNING": Reason(
        "Wie de aanvraag namens de gemeente ondertekent, en wanneer.",
        "Who signs the application on behalf of the municipality, and when.",
    ),
}
LABELS: dict[str, Reason] = {
    "legal_entity": Reason("Rechtspersoon", "Legal entity"),
    "kvk_number": Reason("KvK-nummer", "KvK number (Chamber of Commerce)"),
    "oin": Reason("OIN", "OIN"),
    "vat_number": Reason("Btw-nummer", "VAT number (btw)"),
    "visiting_address": Reason("Bezoekadres: straat en nummer", "Visiting address: street and number"),
    "visiting_postcode": Reason("Postcode", "Postcode"),
    "visiting_city": Reason("Plaats", "Town"),
    "postal_address": Reason("Postadres: straat of postbus", "Postal address: street or PO box"),
    "postal_postcode": Reason("Postcode van het postadres", "Postcode of the postal address"),
    "postal_city": Reason("Plaats van het postadres", "Town of the postal address"),
    "order_reference": Reason("Inkooporder of referentie voor facturen", "Purchase order or reference for invoices"),
    "cost_centre": Reason("Kostenplaats op facturen", "Cost centre on invoices"),
    "has_no_cost_centre": Reason(
        "De gemeente gebruikt op facturen geen kostenplaats", "The municipality uses no cost centre on invoices"
    ),
    "contact_name": Reason("Contactpersoon", "Contact"),
    "contact_function": Reason("Functie", "Position"),
    "contact_email": Reason("E-mailadres", "E-mail address"),
    "contact_phone": Reason("Telefoonnummer", "Telephone number"),
    "invoice_email": Reason("E-mailadres voor facturen", "E-mail address for invoices"),
    "admin_email": Reason("E-mailadres van de eerste beheerder", "E-mail address of the first administrator"),
    "whatsapp_number": Reason("Nummer dat op WhatsApp komt", "Number that comes to WhatsApp"),
    "number_now": Reason("Waar is dit nummer nu?", "Where is this number now?"),
    "officer_name": Reason("Functionaris gegevensbescherming (FG)", "Data protection officer (FG)"),
    "officer_email": Reason("E-mailadres van de FG", "E-mail address of the FG"),
    "officer_phone": Reason("Telefoonnummer van de FG", "Telephone number of the FG"),
    "privacy_page": Reason("Privacypagina van de gemeente", "The municipality's page on privacy"),
    "agreement": Reason("Verwerkersovereenkomst: naam en versie", "Processor agreement: name and version"),
    "agreement_date": Reason("Datum van de verwerkersovereenkomst", "Date of the processor agreement"),
    "signatory_name": Reason("Naam van de ondertekenaar", "Signatory's name"),
    "signatory_function": Reason("Functie van de ondertekenaar", "Signatory's position"),
    "signed_date": Reason("Datum van ondertekening", "Date of signing"),
}
HINTS: dict[str, Reason] = {
    "legal_entity": Reason("Bijvoorbeeld: Gemeente Zwolle", "For example: Gemeente Zwolle"),
    "kvk_number": Reason("Acht cijfers", "Eight digits"),
    "oin": Reason("Twintig cijfers, vaak 00000001, dan het RSIN, dan 000", "Twenty digits, often 00000001, RSIN, 000"),
    "vat_number": Reason("Bijvoorbeeld NL001234567B01", "For example NL001234567B01"),
    "visiting_postcode": Reason("Bijvoorbeeld 1234 AB", "For example 1234 AB"),
    "admin_email": Reason(
        "Deze persoon richt straks de werkplek van de gemeente in.",
        "This person will set up the municipality's workspace.",
    ),
    "whatsapp_number": Reason(
        "Een eigen nummer van de gemeente dat een sms of een gesprek uit het buitenland kan ontvangen. Een 14-nummer of"
        " 0800-nummer kan niet.",
        "A number of the municipality's own that can receive an SMS or a call from abroad. A 14 or 0800 number cannot.",
    ),
    "privacy_page": Reason(
        "Het adres ervan, zoals https://www.zwolle.nl/privacy. Inwoners krijgen het bij hun eerste bericht.",
        "Its address, such as https://www.zwolle.nl/privacy. Citizens get it with their first message.",
    ),
    "agreement": Reason(
        "Bijvoorbeeld: Standaard verwerkersovereenkomst gemeenten, 3.0",
        "For example: Standaard verwerkersovereenkomst gemeenten, 3.0",
    ),
    "signed_date": Reason("De dag waarop de aanvraag is ondertekend", "The day on which the application was signed"),
}
NUMBER_NOW: dict[str, Reason] = {
    "NEW": Reason("Nog niet op WhatsApp", "Not on WhatsApp yet"),
    "BUSINESS_APP": Reason(
        "In de WhatsApp Business-app op een telefoon. Maak daar vooraf een back-up; het nummer gaat er bij de"
        " koppeling uit, of u koppelt de app mee in Embedded Signup.",
        "In the WhatsApp Business app on a phone. Make a backup there first; connecting takes the number out of it, or"
        " you connect the app along with it in Embedded Signup.",
    ),
    "OTHER_BSP": Reason(
        "Bij een andere BSP. Die zet daar eerst de verificatie in twee stappen uit, of geeft u de pincode.",
        "At another BSP. They switch off two-step verification there first, or give you its PIN.",
    ),
}
DESCRIBE = Reason("Waarvoor precies?", "What for, exactly?")
ACCEPTED = Reason("De gemeente aanvaardt dat dit verboden is", "The municipality accepts that this is forbidden")
PROHIBITIONS: dict[str, Reason] = {
    "PROMOTION": Reason("Promotie", "Promotion"),
    "POLITICAL_CAMPAIGN": Reason("Politieke campagne", "Political campaigning"),
    "VOTER_DATA": Reason("Gegevens van kiezers verzamelen", "Collecting voter data"),
    "ELECTION_INTERFERENCE": Reason("Verkiezingen beïnvloeden", "Influencing elections"),
}
MISTAKES: dict[str, Reason] = {
    "kvk": Reason("Een KvK-nummer heeft acht cijfers.", "A KvK number has eight digits."),
    "oin_length": Reason("Een OIN heeft twintig cijfers.", "An OIN has twenty digits."),
    "oin_prefix": Reason(
        "Een OIN begint met zeven nullen en een cijfer, zoals 00000001.",
        "An OIN begins with seven zeros and a digit, as 00000001.",
    ),
    "oin_rsin": Reason(
        "Na 00000001 hoort een RSIN van negen cijfers en dan 000. Dit RSIN bestaat niet: controleer de cijfers.",
        "00000001 is followed by an RSIN of nine digits and then 000. There is no such RSIN: check the digits.",
    ),
    "vat": Reason(
        "Dit is geen Nederlands btw-nummer. Het heeft de vorm NL001234567B01; controleer de cijfers.",
        "This is no Dutch VAT number. It looks like NL001234567B01; check the digits.",
    ),
    "postcode": Reason("Een postcode ziet eruit als 1234 AB.", "A postcode looks like 1234 AB."),
    "email": Reason("Dit is geen e-mailadres.", "This is no e-mail address."),
    "phone": Reason(
        "Dit telefoonnummer bestaat niet. Schrijf het met netnummer, of met + en het landnummer.",
        "There is no such telephone number. Write it with its area code, or with + and the country's.",
    ),
    "number_unreachable": Reason(
        "Dit nummer kan niet op WhatsApp: Meta kan er geen sms of gesprek naartoe brengen.",
        "This number cannot be on WhatsApp: Meta cannot reach it by SMS or by a call.",
    ),
    "page": Reason(
        "Dit is geen adres van een beveiligde pagina. Het begint met https://, zoals https://www.zwolle.nl/privacy.",
        "This is no address of a secure page. It begins with https://, as https://www.zwolle.nl/privacy.",
    ),
    "date": Reason("Dit is geen datum. Schrijf jaar, maand, dag: 2026-11-25.", "This is no date. Write 2026-11-25."),
    "too_long": Reason("Dit is te lang.", "This is too long."),
    "one_line": Reason("Schrijf dit op één regel.", "Write this on one line."),
    "choice": Reason("Kies een van de antwoorden.", "Choose one of the answers."),
    "box": Reason("Vink dit aan, of laat het leeg.", "Tick this, or leave it empty."),
    "wanted": Reason("Vul dit in.", "Fill this in."),
    "no_purpose": Reason("Kies ten minste een doel.", "Choose at least one purpose."),
    "purpose_gone": Reason(
        "Dit doel mag niet meer volgens de huidige voorwaarden: haal het vinkje weg.",
        "The present terms no longer allow this purpose: untick it.",
    ),
    "unaccepted": Reason("Vink dit aan: elk verbod geldt altijd.", "Tick this: each prohibition always holds."),
}
MISSING: dict[str, Reason] = {
    "empty": Reason("is nog niet ingevuld", "is not filled in yet"),
    "mistake": Reason("klopt niet", "is not right"),
    "no_purpose": Reason("er is nog geen doel gekozen", "no purpose was chosen yet"),
    "purpose_gone": Reason("mag niet meer volgens de huidige voorwaarden", "is no longer allowed by the present terms"),
    "signed_in_future": Reason("ligt in de toekomst", "lies in the future"),
    "no_signed_copy": Reason("De ondertekende aanvraag is nog niet geüpload", "The signed copy was not uploaded yet"),
    "signed_copy_outdated": Reason(
        "Na het ondertekenen is er iets gewijzigd: laat de nieuwe aanvraag ondertekenen en upload die",
        "Something was changed after signing: have the new application signed, and upload that",
    ),
    "step": Reason("Nog niet gelukt bij Meta:", "Not done at Meta yet:"),
    "no_tenant": Reason("De werkplek van de gemeente is nog niet gemaakt", "The workspace was not made yet"),
}
REFUSALS: dict[str, Reason] = {
    "no_such_move": Reason(
        "Deze stap bestaat niet vanuit de fase waarin de aanmelding is.",
        "There is no such step from the stage that the onboarding is in.",
    ),
    "not_ready": Reason("Deze stap kan nog niet: er ontbreekt iets.", "This cannot be done yet: something is missing."),
    "moved_meanwhile": Reason(
        "Iemand anders heeft de aanmelding intussen naar een andere fase gebracht. Er is niets gewijzigd.",
        "Somebody else moved the onboarding to another stage meanwhile. Nothing was changed.",
    ),
    "four_eyes": Reason(
        "U heeft zelf aan deze aanvraag gewerkt. Iemand anders beoordeelt haar.",
        "You worked on this application yourself. Somebody else decides on it.",
    ),
    "no_reason": Reason("Schrijf op waarom.", "Write down why."),
    "reason_too_long": Reason("De reden is te lang: ten hoogste 1000 tekens.", "The reason is too long: 1000 at most."),
    "no_data_until": Reason(
        "Kies een dag na vandaag tot en met welke de gemeente bij haar gegevens kan.",
        "Choose a day after today until which the municipality can come to its data.",
    ),
    "not_now": Reason("Deze stap kan niet in deze fase.", "This step cannot be taken in this stage."),
    "first": Reason("Eerst moet een eerdere stap lukken.", "An earlier step has to succeed first."),
    "busy": Reason(
        "Deze stap wordt al uitgevoerd. Wacht even en bekijk dan de uitkomst.",
        "This step is being taken already. Wait a moment, then look at its outcome.",
    ),
    "kept": Reason(
        "Het venster van Meta gaf niets. Wat eerder is overgenomen blijft gelden.",
        "Meta's window gave nothing. What was taken over before still holds.",
    ),
    "no_pdf": Reason("Dit bestand is geen PDF.", "This file is no PDF."),
    "too_large": Reason("Dit bestand is te groot: ten hoogste 10 MB.", "This file is too large: 10 MB at most."),
    "empty": Reason("Kies een bestand.", "Choose a file."),
    "closed": Reason(
        "De aanvraag is al ingediend en kan niet worden gewijzigd. Neem haar eerst terug.",
        "The application was declared already and cannot be changed. Take it back first.",
    ),
    "name": Reason("Schrijf op aan wie u de link geeft.", "Write down whom you give the link to."),
}
MOVES: dict[str, Reason] = {
    "DECLARED": Reason("Indienen ter goedkeuring", "Hand in for approval"),
    "APPLIED": Reason("Terugnemen om te wijzigen", "Take back to change"),
    "APPROVED": Reason("Goedkeuren", "Approve"),
    "REJECTED": Reason("Afwijzen", "Reject"),
    "GOVERNMENT_APPROVAL_PENDING": Reason("Wacht op goedkeuring door Meta", "Waits for Meta's approval"),
    "REGISTERED": Reason("Geregistreerd", "Registered"),
    "LIVE": Reason("Live zetten", "Make live"),
    "SUSPENDED": Reason("Opschorten", "Suspend"),
    "OFFBOARDED": Reason("Beëindigen", "End"),
}
CONSEQUENCES: dict[str, Reason] = {
    "APPROVED": Reason(
        "U verklaart dat de aanvraag klopt met de voorwaarden. Daarna kan de gemeente met Meta worden verbonden.",
        "You declare that the application is in line with the terms. Then the municipality can be connected to Meta.",
    ),
    "REJECTED": Reason(
        "De gemeente ziet de reden en kan de aanvraag aanpassen.",
        "The municipality sees the reason and can change the application.",
    ),
    "SUSPENDED": Reason(
        "Vanaf nu verzendt de gemeente niets meer. Wat inwoners schrijven komt nog binnen en blijft bewaard; antwoorden"
        " wachten in de rij tot u hervat. De beheerders krijgen een mail met uw reden en uw naam.",
        "From now on nothing leaves from the municipality. What citizens write still comes in and is kept; answers wait"
        " in the queue until you resume. The administrators are mailed your reason and your name.",
    ),
    "LIVE": Reason(
        "Wat in de rij wacht wordt verzonden, en de gemeente werkt weer gewoon. De beheerders krijgen een mail.",
        "What waits in the queue is sent, and the municipality works as usual again. The administrators are mailed.",
    ),
    "OFFBOARDED": Reason(
        "Dit kan niet ongedaan worden gemaakt. De gemeente verzendt nooit meer iets over dit platform, ook niet wat nog"
        " in de rij wacht. De beheerders krijgen een mail met uw reden, uw naam, en tot wanneer zij bij hun gegevens"
        " kunnen.",
        "This cannot be undone. Nothing will leave from the municipality over this platform any more, nor what waits in"
        " the queue. The administrators are mailed your reason, your name, and until when they can come to their data.",
    ),
}
STEPS: dict[str, Reason] = {
    "SIGNUP": Reason("Account en nummer bij Meta overnemen", "Take over account and number at Meta"),
    "TENANT": Reason("Werkplek van de gemeente maken", "Make the municipality's workspace"),
    "SUBSCRIBE": Reason("Berichten van Meta naar ons laten komen", "Have Meta's messages come to us"),
    "CREDIT": Reason("Kredietlijn delen", "Share the credit line"),
    "GOVERNMENT_FORM": Reason("Formulier voor overheden bij Meta indienen", "Hand in Meta's form for governments"),
    "GOVERNMENT_APPROVAL": Reason("Goedkeuring van Meta vastleggen", "Record Meta's approval"),
    "REQUEST_CODE": Reason("Code voor het nummer laten sturen", "Have a code sent to the number"),
    "VERIFY_CODE": Reason("Code van het nummer invoeren", "Enter the number's code"),
    "STORAGE": Reason("Opslag in de EU kiezen", "Choose storage in the EU"),
    "REGISTER": Reason("Nummer registreren", "Register the number"),
    "PROFILE": Reason("Bedrijfsprofiel invullen", "Fill in the business profile"),
    "READ_BACK": Reason("Naam, kwaliteit en limiet teruglezen", "Read back name, quality and limit"),
    "INSTALLED": Reason("Bevestiging van Meta afwachten", "Wait for Meta's confirmation"),
}
STEP_STATES: dict[str, Reason] = {
    "WAITING": Reason("Nog te doen", "To do"),
    "RUNNING": Reason("Bezig", "Under way"),
    "DONE": Reason("Gelukt", "Done"),
    "FAILED": Reason("Mislukt", "Failed"),
}
OUTCOMES: dict[str, Reason] = {
    "event_unreadable": Reason(
        "Het venster van Meta gaf geen bruikbaar antwoord. Open het opnieuw.",
        "Meta's window gave no usable answer. Open it again.",
    ),
    "cancelled": Reason(
        "Het venster van Meta is afgebroken. Open het opnieuw.", "Meta's window was left. Open it again."
    ),
    "signup_error": Reason(
        "Het venster van Meta gaf een fout. Open het opnieuw; blijft het zo, geef Meta dan wat hieronder staat.",
        "Meta's window failed. Open it again; if it stays so, give Meta what stands below.",
    ),
    "no_account": Reason(
        "Er is geen account gekozen. Open het venster opnieuw.", "No account was chosen. Open the window again."
    ),
    "no_code": Reason("Meta gaf geen code. Open het venster opnieuw.", "Meta gave no code. Open the window again."),
    "meta_100": Reason(
        "Meta kent dit niet, of de code van 30 seconden was al verlopen. Probeer het opnieuw.",
        "Meta does not know this, or the code of 30 seconds was over. Try again.",
    ),
    "meta_190": Reason(
        "Meta neemt de toegangssleutel niet (meer) aan: hij is verlopen, of de gemeente heeft de toegang ingetrokken."
        " Verbind opnieuw; kan dat hier niet meer, vraag het dan aan wie dit platform beheert.",
        "Meta does not take the token (any more): it is over, or the municipality withdrew our access. Connect again;"
        " where this page no longer lets you, ask whoever runs this platform.",
    ),
    "meta_133005": Reason(
        "De pincode is niet die van het nummer. Vul de pincode in die de vorige beheerder heeft ingesteld.",
        "The PIN is not the number's. Enter the PIN that whoever had it before has set.",
    ),
    "meta_133008": Reason(
        "Er is te vaak een verkeerde pincode ingevuld: Meta neemt er nu geen meer aan. Vraag de vorige beheerder om de"
        " juiste, en probeer het later opnieuw.",
        "A wrong PIN was entered too often: Meta takes none now. Ask whoever had the number before for the right one,"
        " and try again later.",
    ),
    "meta_133016": Reason(
        "Dit nummer is binnen 72 uur te vaak geregistreerd of uitgeschreven. Meta neemt het pas na die 72 uur weer aan:"
        " probeer het daarna opnieuw.",
        "This number was registered or deregistered too often within 72 hours. Meta takes it again only after those 72"
        " hours: try again then.",
    ),
    "unreachable": Reason(
        "Meta gaf geen antwoord. Probeer het opnieuw; wat al gelukt is wordt gevonden.",
        "Meta gave no answer. Try again; what succeeded already is found.",
    ),
    "token_opens_another": Reason(
        "De toegang van Meta hoort bij een ander account dan het venster noemde.",
        "Meta's token belongs to another account than the window named.",
    ),
    "number_of_another": Reason(
        "Dit nummer staat niet in dit account bij Meta.", "This number is not in this account at Meta."
    ),
    "another_number": Reason(
        "Het nummer bij Meta is een ander nummer dan in de aanvraag staat.",
        "The number at Meta is not the one in the application.",
    ),
    "number_taken": Reason(
        "Dit nummer is al van een andere gemeente op dit platform.",
        "This number is another municipality's on this platform already.",
    ),
    "no_number": Reason(
        "Er staat nog geen nummer in het account. Voeg het bij Meta toe en bevestig opnieuw.",
        "There is no number in the account yet. Add it at Meta, then confirm again.",
    ),
    "which_number": Reason(
        "Er staan meer nummers in het account. Verbind met de hand en noem het nummer.",
        "There are several numbers in the account. Connect by hand and name the number.",
    ),
    "nothing_to_confirm": Reason(
        "Er is nog niets verbonden. Open eerst het venster van Meta.",
        "Nothing was connected yet. Open Meta's window first.",
    ),
    "ids": Reason(
        "Vul het nummer van het account en van het telefoonnummer bij Meta in: alleen cijfers.",
        "Enter Meta's ids of the account and the number: digits only.",
    ),
    "token": Reason("Dit is geen toegangssleutel van Meta.", "This is no token of Meta's."),
    "taken": Reason(
        "De werkplek, code of het nummer is al van een andere gemeente.",
        "The workspace, code or number is another municipality's already.",
    ),
    "not_in_register": Reason(
        "De gemeente staat niet (meer) in het register van gemeenten, zoals na een herindeling. Ga dat na; klopt het"
        " register niet, vraag dan wie dit platform beheert om een nieuwere uitgave te laden.",
        "The municipality is not in the register of municipalities (any more), as after a merger. Look it up; where the"
        " register is wrong, ask whoever runs this platform to load a newer edition.",
    ),
    "form": Reason(
        "Meta noemt het account of nummer zoals het hier niet kan worden bewaard. Bevestig eerst account en nummer"
        " opnieuw; blijft het zo, vraag het dan aan wie dit platform beheert.",
        "Meta names the account or number as it cannot be kept here. Confirm account and number once more first; if it"
        " stays so, ask whoever runs this platform.",
    ),
    "not_subscribed": Reason(
        "Meta nam de aanmelding aan, maar toont haar niet. Probeer het opnieuw.",
        "Meta took the subscription, yet does not show it. Try again.",
    ),
    "no_credit_line": Reason(
        "Op dit platform is geen kredietlijn ingesteld (META_CREDIT_LINE_ID). Vraag wie het beheert om er een in te"
        " stellen, en probeer het daarna opnieuw.",
        "No credit line is set on this platform (META_CREDIT_LINE_ID). Ask whoever runs it to set one, then try again.",
    ),
    "no_credit_after_sharing": Reason(
        "Meta nam de kredietlijn aan, maar toont haar niet. Probeer het opnieuw.",
        "Meta took the credit line, yet does not show it. Try again.",
    ),
    "method": Reason("Kies sms of gesprek.", "Choose SMS or a call."),
    "code_form": Reason("De code heeft zes cijfers.", "The code has six digits."),
    "code_wrong": Reason(
        "Meta neemt deze code niet aan: het is een andere, of hij is verlopen. Laat een nieuwe sturen.",
        "Meta does not take this code: it is another one, or it is over. Have a new one sent.",
    ),
    "pin_form": Reason("Een pincode heeft zes cijfers.", "A PIN has six digits."),
    "registered_elsewhere": Reason(
        "Het nummer is al geregistreerd, met opslag buiten de EU. Laat het eerst uitschrijven waar het nu is.",
        "The number is registered already, with storage outside the EU. Have it deregistered first where it is now.",
    ),
    "in_business_app": Reason(
        "Het nummer staat nog in de Business-app op een telefoon; opslag in de EU kan dan niet. Laat de gemeente het"
        " account in die app verwijderen (Instellingen, Account), en probeer het dan opnieuw.",
        "The number still lives in the Business app on a phone; then storage in the EU cannot be chosen. Have the"
        " municipality delete the account in that app (Settings, Account), then try again.",
    ),
    "not_in_eu": Reason(
        "Meta nam de keuze aan, maar toont haar niet. Probeer het opnieuw.",
        "Meta took the choice, yet does not show it. Try again.",
    ),
    "number_not_verified": Reason(
        "Het nummer is nog niet bewezen: laat een code sturen en voer die in.",
        "The number is not proven yet: have a code sent and enter it.",
    ),
    "not_registered": Reason(
        "Het nummer is niet (meer) geregistreerd bij Meta.", "The number is not registered at Meta (any more)."
    ),
    "not_installed_yet": Reason(
        "Meta heeft het nog niet bevestigd. Dat komt vanzelf binnen; kijk later opnieuw.",
        "Meta has not confirmed it yet. That comes by itself; look again later.",
    ),
    "day": Reason("Vul de dag in.", "Enter the day."),
    "day_in_future": Reason("Die dag is nog niet geweest.", "That day has not been yet."),
    "reference": Reason("Vul het kenmerk van Meta in.", "Enter Meta's reference."),
    "moved_meanwhile": Reason(
        "De aanmelding is intussen naar een andere fase gegaan.", "The onboarding went to another stage meanwhile."
    ),
    "not_ready": Reason("Er ontbreekt nog iets.", "Something is missing still."),
    "no_such_move": Reason(
        "De aanmelding is niet meer in de fase waarin dit kan.",
        "The onboarding is no longer in the stage in which this can be done.",
    ),
}
TABLES: dict[str, dict[str, Reason]] = {
    "part": PARTS,
    "introduction": INTRODUCTIONS,
    "label": LABELS,
    "hint": HINTS,
    "number_now": NUMBER_NOW,
    "prohibition": PROHIBITIONS,
    "mistake": MISTAKES,
    "missing": MISSING,
    "refusal": REFUSALS,
    "move": MOVES,
    "consequence": CONSEQUENCES,
    "step": STEPS,
    "step_state": STEP_STATES,
    "step_outcome": OUTCOMES,
}


def said(*, table: str, code: str, language: str | None) -> str:
    """Return the words for a code; Meta's own codes as they came."""
    found = TABLES[table].get(code)
    return found.in_language(language) if found is not None else code.replace("meta_", "Meta: ")
