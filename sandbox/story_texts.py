"""What the story's citizens are called and what they ask: invented people, everyday questions to a municipality.

Dutch, because citizens write Dutch. No name, number or address is a real person's.
"""

from dataclasses import dataclass

NAMES = (
    "Anneke Veldkamp", "Bram Oude Luttikhuis", "Chantal Wessels", "Dirk Nijhuis", "Esra Yıldız", "Fatima El Amrani",
    "Gerrit Kamphuis", "Hanneke ter Braak", "Ibrahim Haddad", "Joke Siemerink", "Kees Wolters", "Lieke Hofstede",
    "Mohamed Bensaïd", "Nienke Rouwenhorst", "Oscar Leferink", "Petra Scholten", "Quinten Averink", "Rachida Ouali",
    "Sjoerd Hilbrink", "Thea Morsink", "Umut Kaplan", "Vera Kuipers", "Wim Haverkate", "Xandra Bolscher",
    "Yara de Graaf", "Zeynep Arslan", "Arjan Pierik", "Betty Olde Hampsink", "Cas Lansink", "Dewi Santoso",
    "Erik Bruggink", "Femke Reinders", "Gülşen Demir", "Henk Assink", "Ilse Vaneker", "Jasper Tijink",
    "Karin Boomkamp", "Luuk Schuurman", "Marit Kolthof", "Noor Hesselink", "Olga Petrova", "Pim Weustink",
    "Ria Groothuis", "Stefan Kuiper", "Tamara Nijland", "Ursula Beernink", "Vincent Elferink", "Wendy Maathuis",
    "Yusuf Çelik", "Zoë Rikkerink", "Aad Velthuis", "Bianca Kroeze", "Cor Lammers", "Daphne Hulshof",
    "Emre Şahin", "Frans Bekhuis", "Gea Roelofs", "Harm Ensink", "Inge Wiefferink", "Jan Willem Spit",
    "Khadija Azzouzi", "Leo Brummelhuis", "Mirjam Tempert", "Nadia Kowalska", "Otto Steggink", "Paul Geerdink",
    "Rosa Fernandes", "Sanne Wijlens", "Tom Eijsink", "Vera Lohuis", "Willeke Bult", "Youssef Amrani",
)  # fmt: skip

STREETS = ("Molenweg", "Kerkstraat", "Beukenlaan", "Esweg", "Vijverstraat", "Lindelaan", "Marktplein", "Hofkamp")


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of question: how it begins, how it goes on, and what is shown with it."""

    opening: tuple[str, ...]
    further: tuple[str, ...]
    photo: str
    document: str


TOPICS = (
    Topic(
        ("Goedemorgen, mijn paspoort verloopt volgende maand. Kan ik een afspraak maken?",
         "Hallo, hoe lang duurt het voordat een nieuw paspoort klaar is?"),
        ("Moet ik mijn oude paspoort meenemen?", "Kan mijn dochter van 9 mee, zij heeft een identiteitskaart nodig.",
         "Woensdagmiddag zou mij het beste uitkomen."),
        "Is deze pasfoto goed?", "bevestiging-afspraak.pdf",
    ),
    Topic(
        ("Mijn grijze container is gisteren niet geleegd, de hele {straat} staat nog vol.",
         "Hallo, wanneer wordt het oud papier opgehaald aan de {straat}?"),
        ("De buren hebben hetzelfde probleem.", "Kan ik het ook zelf naar het milieupark brengen?",
         "De ondergrondse container is weer vol."),
        "Zo ziet het er nu uit.", "afvalkalender.pdf",
    ),
    Topic(
        ("Ik wil graag een parkeervergunning aanvragen voor de {straat}.",
         "Mijn parkeervergunning loopt af, moet ik zelf verlengen?"),
        ("Het gaat om een leaseauto, welke papieren heeft u nodig?", "Mijn kenteken is gewijzigd.",
         "Hoe regel ik een bezoekersvergunning?"),
        "Dit staat er op het bord.", "verklaring-leasemaatschappij.pdf",
    ),
    Topic(
        ("Wij verhuizen de 15e naar de {straat}. Hoe geef ik dat door?",
         "Ik ben verhuisd maar zie het nog niet in mijn gegevens."),
        ("Mijn partner verhuist een week later.", "Heeft u de huurovereenkomst nodig?",
         "Moet ik ook de hond opnieuw aanmelden?"),
        "Ons nieuwe huis!", "huurovereenkomst.pdf",
    ),
    Topic(
        ("Er ligt een omgewaaide boom op het fietspad bij de {straat}.",
         "Melding: de straatlantaarn voor ons huis aan de {straat} is al een week kapot."),
        ("Het is gevaarlijk voor de kinderen die naar school fietsen.", "Het ligt ter hoogte van de bushalte.",
         "Er staat nu ook veel water op de weg."),
        "Foto van de plek.", "situatieschets.pdf",
    ),
    Topic(
        ("Heb ik een vergunning nodig voor een dakkapel aan de achterkant?",
         "Hoe staat het met mijn aanvraag voor de uitbouw aan de {straat}?"),
        ("De buren hebben geen bezwaar.", "De tekening heb ik bijgevoegd.", "Wat zijn de kosten ongeveer?"),
        "Zo moet het ongeveer worden.", "bouwtekening.pdf",
    ),
    Topic(
        ("Ik wil mijn zoon aangeven, hij is dinsdag geboren!", "Wij gaan trouwen, wanneer kunnen wij in ondertrouw?"),
        ("Mijn vrouw kan niet mee, is dat een probleem?", "Kan het ook in het kleine dorpshuis?",
         "Welke papieren heeft u van ons nodig?"),
        "Hier is hij dan.", "geboorteverklaring.pdf",
    ),
    Topic(
        ("Mijn moeder kan niet meer zelf naar de winkel, hoe vraag ik vervoer aan?",
         "Ik heb een vraag over hulp in het huishouden."),
        ("Wie kan er bij haar langskomen?", "Zij heeft liever dat u mij belt.", "Hoe lang is de wachttijd?"),
        "Dit is de ingang van de flat.", "brief-huisarts.pdf",
    ),
    Topic(
        ("Wat zijn de openingstijden van het stadhuis?", "Kan ik zonder afspraak langskomen voor een uittreksel?"),
        ("En op donderdagavond?", "Is er parkeergelegenheid voor mindervaliden?", "Dan kom ik morgen langs."),
        "Ik sta voor de deur.", "uittreksel-aanvraag.pdf",
    ),
    Topic(
        ("Ik wil bezwaar maken tegen de waarde van mijn woning aan de {straat}.",
         "Kan ik de aanslag in termijnen betalen?"),
        ("De woning hiernaast is lager getaxeerd.", "Ik heb de brief nu voor me.", "Wat is de uiterste datum?"),
        "Dit is de brief.", "aanslag-gemeentelijke-belastingen.pdf",
    ),
)  # fmt: skip

THANKS = ("Dank u wel!", "Super, bedankt voor de snelle reactie.", "Fijn, dan weet ik genoeg.", "Oké, duidelijk 👍")
REMINDERS = ("Heeft u mijn vraag gezien?", "Ik wacht nog op antwoord.", "Is er al nieuws?")
BUTTONS = (("afspraak", "Afspraak maken"), ("melding", "Melding doen"), ("medewerker", "Medewerker spreken"))
ROWS = (
    ("ma", "Maandag", "9 tot 12 uur"),
    ("wo", "Woensdag", "13 tot 17 uur"),
    ("do", "Donderdag", "avond"),
)
