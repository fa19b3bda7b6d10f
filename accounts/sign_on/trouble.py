"""What goes wrong on the way in by a provider: one exception with a code, which the pages say in words."""


class SignOnTrouble(Exception):
    """Somebody cannot be let in by the provider. code: of web/sign_on_words.py; it holds nothing that came in."""

    def __init__(self, code: str) -> None:
        """Name what is wrong."""
        super().__init__(code)
        self.code = code


class ProviderTrouble(SignOnTrouble):
    """The provider cannot be asked, or what it answers cannot be used."""


class UnusableClaims(SignOnTrouble):
    """The token does not say what is needed of somebody."""


class NotAdmitted(SignOnTrouble):
    """The provider knows them, and they may not come in here."""
