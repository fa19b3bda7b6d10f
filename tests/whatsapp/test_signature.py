"""Signatures: the one door that everything from outside passes."""

import hashlib
import hmac

import pytest

from whatsapp.signature import is_valid, sign

SECRET = "f3b5c1"
BODY = b'{"entry":[{"text":"caf\\u00e9"}]}'


def test_it_signs_as_meta_does():
    expected = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert sign(body=BODY, app_secret=SECRET) == expected


def test_it_accepts_its_own_signature():
    assert is_valid(body=BODY, header=sign(body=BODY, app_secret=SECRET), app_secret=SECRET)


def test_it_refuses_a_signature_of_another_body_or_secret():
    assert not is_valid(body=BODY + b" ", header=sign(body=BODY, app_secret=SECRET), app_secret=SECRET)
    assert not is_valid(body=BODY, header=sign(body=BODY, app_secret="other"), app_secret=SECRET)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + "0" * 40,
        sign(body=BODY, app_secret=SECRET)[7:],
        sign(body=BODY, app_secret=SECRET) + "0",
        sign(body=BODY, app_secret=SECRET)[:-1],
        sign(body=BODY, app_secret=SECRET).upper(),
        " " + sign(body=BODY, app_secret=SECRET),
        "sha256=é" + "0" * 63,
        "sha256=\udcff",
        "\x00",
        "x" * 100_000,
    ],
)
def test_it_refuses_garbage_without_raising(header):
    assert is_valid(body=BODY, header=header, app_secret=SECRET) is False
