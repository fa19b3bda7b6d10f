"""Every text of the pages is there in Dutch, and what the machine reads is what people translated."""

import string

import pytest
from babel.messages.pofile import read_po

from config import texts


@pytest.fixture(scope="module")
def catalog():
    return read_po(texts.SOURCE.open("rb"), locale="nl")


def test_every_text_is_translated(catalog):
    missing = [
        text.singular
        for text in texts.texts()
        if not (known := catalog.get(text.singular, text.context)) or not known.string or not all(known.string)
    ]
    assert missing == []


def test_no_translation_is_of_a_text_that_is_gone(catalog):
    used = {text.singular for text in texts.texts()}
    left = [message.id for message in catalog if message.id]
    assert [id_ for id_ in left if (id_[0] if isinstance(id_, tuple) else id_) not in used] == []


def test_each_translation_has_the_values_of_its_text(catalog):
    def values(text: str) -> set[str]:
        return {part.split(")")[0] for part in text.split("%(")[1:]}

    for message in catalog:
        ids, strings = (message.id, message.string) if message.pluralizable else ([message.id], [message.string])
        for id_, translated in zip(ids, strings, strict=True):
            if id_:
                assert values(id_) == values(translated), id_
                assert translated.strip(string.whitespace) == translated


def test_the_compiled_texts_are_those_of_the_source(catalog):
    assert texts.COMPILED.read_bytes() == texts.compiled(catalog), "run: python -m config.texts"
