"""What the policy check flags in a draft's words, and what it lets pass."""

from datetime import date

import pytest

from messaging.templates.defaults import DEFAULTS
from tenants import policy
from tenants.declaration import Prohibition

TODAY = date(2026, 11, 25)


def found(*texts, on=TODAY):
    return {each.prohibition for each in policy.check(texts=texts, on=on)}


FLAGGED = {
    "Stem op 18 maart op de VVD!": {"POLITICAL_CAMPAIGN", "ELECTION_INTERFERENCE"},
    "Kom naar de avond van PvdA Utrecht": {"POLITICAL_CAMPAIGN"},
    "De V.V.D. nodigt u uit": {"POLITICAL_CAMPAIGN"},
    "DENK nodigt u uit": {"POLITICAL_CAMPAIGN"},
    "Leefbaar Utrecht nodigt u uit": {"POLITICAL_CAMPAIGN"},
    "De lijsttrekkers ontvangen u": {"POLITICAL_CAMPAIGN"},
    "Ontmoet kandidaat-raadslid De Vries": {"POLITICAL_CAMPAIGN"},
    "Zij is kandidaat voor de gemeenteraad": {"POLITICAL_CAMPAIGN"},
    "Stem gerust morgen op lijst 3": {"ELECTION_INTERFERENCE"},
    "Ons stemadvies voor u": {"ELECTION_INTERFERENCE"},
    "Onze stem-adviezen voor u": {"ELECTION_INTERFERENCE"},
    "De gemeenteraadsverkiezingen komen eraan": {"ELECTION_INTERFERENCE"},
    "De gemeenteraads\u00adver\u200bkiezingen komen eraan": {"ELECTION_INTERFERENCE"},
    "De vérkïezing komt eraan": {"ELECTION_INTERFERENCE"},
    "De v е r k i е z i n g komt eraan": {"ELECTION_INTERFERENCE"},  # two letters are Cyrillic
    "Op welke partij stemt u?": {"VOTER_DATA"},
    "Mogen wij uw politieke voorkeur weten?": {"VOTER_DATA"},
    "Who will you vote for?": {"VOTER_DATA", "ELECTION_INTERFERENCE"},
    "Nu 20% korting op de zwembadkaart": {"PROMOTION"},
    "Profiteer van onze aanbiedingen": {"PROMOTION"},
}
PASSES = [
    "Goedendag mevrouw De Vries, uw vergunning voor de dakkapel is verleend.",
    "Uw stempas ligt klaar bij de balie.",
    "Ik denk dat u morgen langs kunt komen; de spanning is 230 volt.",
    "Uw afspraak op het gemeentehuis is bevestigd. Neem uw paspoort mee.",
    "Code rood: blijf binnen en sluit ramen en deuren.",
    "De stemming in de wijk is goed.",
    "U kiest zelf een tijd voor uw afspraak.",
    "Bestemmingsplan Centrum ligt ter inzage. U kunt tot 1 maart reageren.",
    "Reageer met 1 als u een kopie wilt ontvangen.",
    "Your permit was granted. Reply to this message if you have questions.",
    "",
]


class TestFlagging:
    @pytest.mark.parametrize("text", sorted(FLAGGED))
    def test_it_flags(self, text):
        assert FLAGGED[text] <= found(text)

    @pytest.mark.parametrize("text", PASSES)
    def test_it_lets_pass(self, text):
        assert policy.check(texts=[text], on=TODAY) == ()

    def test_it_lets_the_templates_pass_that_each_tenant_gets(self):
        for each in DEFAULTS:
            assert policy.check(texts=[each.body], on=TODAY) == (), each.name

    def test_it_names_the_words_and_their_prohibition_once(self):
        findings = policy.check(texts=["Stemadvies!", "Het stemádvies", "Korting"], on=TODAY)
        assert [(each.prohibition, each.words) for each in findings] == [
            ("ELECTION_INTERFERENCE", "stemadvies"),
            ("PROMOTION", "korting"),
        ]


class TestData:
    def test_every_prohibition_has_phrases_of_both_languages(self):
        assert found("Korting", "Onze partij", "Stemadvies", "Stemgedrag") == set(Prohibition.values)
        assert found("Discounts", "Our party", "Voting advice", "Voters") == set(Prohibition.values)

    def test_a_phrase_counts_from_its_day_on(self):
        assert found("Stemadvies", on=date(2021, 1, 14)) == set()
        assert found("Stemadvies", on=date(2021, 1, 15)) == {"ELECTION_INTERFERENCE"}
        assert policy.version(on=TODAY) == date(2021, 1, 15)

    def test_a_phrase_ends_with_its_day(self, tmp_path, monkeypatch):
        rows = "from_date,until_date,prohibition,phrase\n2021-01-15,2026-01-01,PROMOTION,korting*\n"
        file = tmp_path / "phrases.csv"
        file.write_text(rows + "2026-01-01,,PROMOTION,prijsje*\n")
        monkeypatch.setattr(policy, "FILE", file)
        policy._phrases.cache_clear()
        try:
            assert found("korting", on=date(2025, 12, 31)) == {"PROMOTION"}
            assert found("korting", on=date(2026, 1, 1)) == set()
            assert found("Prijsjes", on=date(2026, 1, 1)) == {"PROMOTION"}
            assert policy.version(on=date(2025, 12, 31)) == date(2021, 1, 15)
            assert policy.version(on=TODAY) == date(2026, 1, 1)
        finally:
            policy._phrases.cache_clear()
