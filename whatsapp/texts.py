"""What is wrong with a message, in Dutch and English: a text for each code of LimitExceeded and InvalidContent.

The one table of them; pages and API read it (tests/whatsapp/test_texts.py compares it with the code).
{limit} is what Meta takes at most, {actual} what it was.
"""

from dataclasses import dataclass

from whatsapp.limits import LimitExceeded
from whatsapp.outgoing import InvalidContent


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    nl: str
    en: str


OTHERWISE = Words(
    nl="WhatsApp neemt dit bericht zo niet aan. Pas het aan en probeer het opnieuw.",
    en="WhatsApp would not take this message. Change it and try again.",
)

TEXTS: dict[str, Words] = {
    "text_empty": Words("Schrijf eerst een bericht.", "Write a message first."),
    "text_too_long": Words(
        "Het bericht is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The message is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "recipient_missing": Words("Er is geen ontvanger.", "There is no recipient."),
    "recipient_wa_id_invalid": Words("Dit is geen telefoonnummer.", "This is no phone number."),
    "recipient_bsuid_invalid": Words("Dit is geen gebruikers-id van WhatsApp.", "This is no user id of WhatsApp's."),
    "our_id_missing": Words("Het bericht heeft geen eigen kenmerk.", "The message has no id of ours."),
    "our_id_too_long": Words("Het eigen kenmerk is te lang.", "Our id of the message is too long."),
    "quote_not_allowed": Words(
        "Een reactie noemt zelf al op welk bericht zij slaat.", "A reaction names its message itself already."
    ),
    "media_kind_unknown": Words(
        "Stuur een afbeelding, video, document, geluid of sticker.",
        "Send an image, a video, a document, a sound or a sticker.",
    ),
    "media_needs_id_or_link": Words(
        "Geef een bestand of een link, niet allebei.", "Give either a file or a link, not both."
    ),
    "media_link_not_https": Words(
        "De link moet een volledig adres zijn dat met https:// begint.",
        "The link must be a full address that begins with https://.",
    ),
    "media_link_too_long": Words(
        "De link is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "The link is too long: {actual} characters, and {limit} are allowed.",
    ),
    "media_caption_not_allowed": Words(
        "Bij geluid en stickers kan geen onderschrift.", "A sound or a sticker takes no caption."
    ),
    "media_caption_too_long": Words(
        "Het onderschrift is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The caption is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "media_filename_not_allowed": Words(
        "Alleen een document heeft een bestandsnaam.", "Only a document has a file name."
    ),
    "media_filename_too_long": Words(
        "De bestandsnaam is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "The file name is too long: {actual} characters, and {limit} are allowed.",
    ),
    "media_voice_not_allowed": Words(
        "Alleen geluid kan een spraakbericht zijn.", "Only a sound can be a voice message."
    ),
    "location_latitude_invalid": Words(
        "De breedtegraad ligt tussen -90 en 90.", "The latitude lies between -90 and 90."
    ),
    "location_longitude_invalid": Words(
        "De lengtegraad ligt tussen -180 en 180.", "The longitude lies between -180 and 180."
    ),
    "location_name_missing": Words("Geef bij een adres ook een naam.", "Give an address a name as well."),
    "location_name_too_long": Words(
        "De naam van de plek is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "The place's name is too long: {actual} characters, and {limit} are allowed.",
    ),
    "location_address_too_long": Words(
        "Het adres is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "The address is too long: {actual} characters, and {limit} are allowed.",
    ),
    "contacts_count": Words("Stuur 1 tot 20 contactkaarten.", "Send 1 to 20 contact cards."),
    "contacts_name_missing": Words("Elke contactkaart heeft een naam nodig.", "Each contact card needs a name."),
    "contacts_part_empty": Words("Een regel van de contactkaart is leeg.", "A line of the contact card is empty."),
    "contacts_part_too_long": Words(
        "Een regel van de contactkaart is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "A line of the contact card is too long: {actual} characters, and {limit} are allowed.",
    ),
    "reaction_target_missing": Words("Kies het bericht waarop u reageert.", "Choose the message that you react to."),
    "reaction_emoji_invalid": Words("Een reactie is één emoji.", "A reaction is one emoji."),
    "interactive_body_missing": Words("Schrijf een tekst bij de keuzes.", "Write a text with the choices."),
    "interactive_body_too_long": Words(
        "De tekst is te lang: {actual} tekens, en WhatsApp neemt er hier {limit}.",
        "The text is too long: {actual} characters, and WhatsApp takes {limit} here.",
    ),
    "header_text_empty": Words("De kop is leeg.", "The header is empty."),
    "header_text_too_long": Words(
        "De kop is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The header is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "header_kind_unknown": Words(
        "Een kop is een tekst, afbeelding, video of document.", "A header is a text, an image, a video or a document."
    ),
    "footer_empty": Words("De voettekst is leeg.", "The footer is empty."),
    "footer_too_long": Words(
        "De voettekst is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The footer is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "buttons_count": Words("Geef 1 tot 3 knoppen.", "Give 1 to 3 buttons."),
    "button_id_missing": Words("Elke knop heeft een kenmerk nodig.", "Each button needs an id."),
    "button_id_too_long": Words(
        "Het kenmerk van een knop is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "A button's id is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "button_ids_repeat": Words("Geef elke knop een eigen kenmerk.", "Give each button an id of its own."),
    "button_title_missing": Words("Zet een tekst op elke knop.", "Put a text on each button."),
    "button_title_too_long": Words(
        "De tekst op een knop is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The text on a button is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "button_titles_repeat": Words("Geef elke knop een eigen tekst.", "Give each button a text of its own."),
    "list_button_missing": Words("Zet een tekst op de knop die de lijst opent.", "Put a text on the list's button."),
    "list_button_too_long": Words(
        "De tekst op de knop is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The text on the button is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "list_sections_count": Words("Geef 1 tot 10 groepen keuzes.", "Give 1 to 10 sections."),
    "list_section_empty": Words("Een groep heeft geen keuzes.", "A section has no choices."),
    "list_section_title_missing": Words(
        "Geef elke groep een kop als er meer dan één is.", "Give each section a heading when there are several."
    ),
    "list_section_title_too_long": Words(
        "De kop van een groep is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "A section's heading is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "list_rows_count": Words("Geef 1 tot 10 keuzes in totaal.", "Give 1 to 10 choices in total."),
    "list_row_id_missing": Words("Elke keuze heeft een kenmerk nodig.", "Each choice needs an id."),
    "list_row_id_too_long": Words(
        "Het kenmerk van een keuze is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "A choice's id is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "list_row_ids_repeat": Words("Geef elke keuze een eigen kenmerk.", "Give each choice an id of its own."),
    "list_row_title_missing": Words("Geef elke keuze een tekst.", "Give each choice a text."),
    "list_row_title_too_long": Words(
        "De tekst van een keuze is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "A choice's text is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "list_row_description_too_long": Words(
        "De toelichting bij een keuze is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "A choice's description is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "cta_label_missing": Words("Zet een tekst op de knop.", "Put a text on the button."),
    "cta_label_too_long": Words(
        "De tekst op de knop is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The text on the button is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "cta_url_invalid": Words(
        "Het adres van de knop moet een volledig webadres zijn.", "The button's address must be a full web address."
    ),
    "cta_url_too_long": Words(
        "Het adres van de knop is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "The button's address is too long: {actual} characters, and {limit} are allowed.",
    ),
    "template_name_invalid": Words(
        "De naam van een template heeft alleen kleine letters, cijfers en liggende streepjes.",
        "A template's name has lower-case letters, digits and underscores only.",
    ),
    "template_name_too_long": Words(
        "De naam van de template is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The template's name is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "template_language_invalid": Words(
        "Dit is geen taalcode, zoals nl of en_US.", "This is no code of a language, such as nl or en_US."
    ),
    "template_component_invalid": Words(
        "Een onderdeel van de template klopt niet.", "A component of the template is not right."
    ),
    "template_parameter_invalid": Words(
        "Een variabele van de template klopt niet.", "A variable of the template is not right."
    ),
    "template_parameter_name_invalid": Words(
        "De naam van een variabele heeft alleen kleine letters, cijfers en liggende streepjes.",
        "A variable's name has lower-case letters, digits and underscores only.",
    ),
    "template_parameter_empty": Words("Vul elk veld van de template in.", "Fill in every field of the template."),
    "template_parameter_layout": Words(
        "In een veld van een template kan geen nieuwe regel, tab of rij van vier spaties.",
        "A field of a template takes no new line, tab or run of four spaces.",
    ),
    "template_body_too_long": Words(
        "De ingevulde template is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The template is too long once filled in: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "template_parameter_too_long": Words(
        "Een veld is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "One of the fields is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "template_values_invalid": Words(
        "Geef de variabelen op volgorde of op naam.", "Give the variables in order or by name."
    ),
    "template_header_values_invalid": Words(
        "De kop van een template heeft hooguit één variabele.", "A template's header has one variable at most."
    ),
    "template_header_place_incomplete": Words(
        "Een plek als kop heeft een naam en een adres nodig.", "A place as header needs a name and an address."
    ),
    "template_too_many_buttons": Words(
        "Een template heeft hooguit {limit} knoppen.", "A template has {limit} buttons at most."
    ),
    "template_button_index_invalid": Words(
        "Elke knop van een template heeft een eigen plaats, van 0 tot 9.",
        "Each button of a template has a place of its own, from 0 to 9.",
    ),
    "template_url_suffix_missing": Words(
        "Vul het slot van het adres van de knop in.", "Fill in the end of the button's address."
    ),
    "template_url_suffix_too_long": Words(
        "Het slot van het adres is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "The end of the address is too long: {actual} characters, and {limit} are allowed.",
    ),
    "template_payload_missing": Words("Vul in wat de knop terugstuurt.", "Fill in what the button sends back."),
    "template_payload_too_long": Words(
        "Wat de knop terugstuurt is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "What the button sends back is too long: {actual} characters, and {limit} are allowed.",
    ),
    "template_coupon_missing": Words("Vul de code in die gekopieerd wordt.", "Fill in the code to be copied."),
    "template_coupon_too_long": Words(
        "De code is te lang: {actual} tekens, en WhatsApp neemt er {limit}.",
        "The code is too long: {actual} characters, and WhatsApp takes {limit}.",
    ),
    "template_flow_token_too_long": Words(
        "Het kenmerk van het formulier is te lang: {actual} tekens, en het mogen er {limit} zijn.",
        "The form's token is too long: {actual} characters, and {limit} are allowed.",
    ),
}


def text_of(error: LimitExceeded | InvalidContent, *, language: str) -> str:
    """Return what is wrong, for people. language: nl or en."""
    words = TEXTS.get(error.code, OTHERWISE)
    text = words.nl if language == "nl" else words.en
    return text.format(limit=error.limit, actual=error.actual) if isinstance(error, LimitExceeded) else text
