"""Codes of Meta's: each classified once, none a surprise, none leaking who it was about."""

import orjson
import pytest

from whatsapp.errors import CLASSIFICATIONS, ErrorKind, ErrorScope, classification, classify, parse_error


def body(**error):
    return orjson.dumps({"error": {"message": "(#1) x", "type": "OAuthException", "fbtrace_id": "AbC", **error}})


@pytest.mark.parametrize(
    ("code", "kind", "scope"),
    [
        (0, "STOP", "WABA"),
        (190, "STOP", "WABA"),
        (10, "STOP", "WABA"),
        (200, "STOP", "WABA"),
        (299, "STOP", "WABA"),
        (131042, "STOP", "WABA"),
        (133010, "STOP", "NUMBER"),
        (131048, "STOP", "BUSINESS_INITIATED"),
        (4, "THROTTLED", "APP"),
        (80007, "THROTTLED", "WABA"),
        (130429, "THROTTLED", "NUMBER"),
        (131057, "THROTTLED", "NUMBER"),
        (131056, "THROTTLED", "PAIR"),
        (1, "RETRYABLE", "MESSAGE"),
        (131016, "RETRYABLE", "MESSAGE"),
        (131000, "UNCERTAIN", "MESSAGE"),
        (100, "PERMANENT", "MESSAGE"),
        (131026, "PERMANENT", "MESSAGE"),
        (131047, "PERMANENT", "MESSAGE"),
        (132001, "PERMANENT", "MESSAGE"),
    ],
)
def test_a_code_says_what_to_do_and_for_whom(code, kind, scope):
    assert classification(code) == (ErrorKind(kind), ErrorScope(scope))


# The other codes of Meta's page, by what they ask.
OTHERS = {
    "STOP WABA": (3, *range(201, 299), 368, 131031, 131044),
    "STOP NUMBER": (131005, 131037, 131045),
    "STOP BUSINESS_INITIATED": (131064,),
    "RETRYABLE MESSAGE": (2, 132069, 133004, 133015),
    "PERMANENT MESSAGE": (
        *(33, 131008, 131009, 132018, 130497, 131021, 131030, 131049, 131050, 130472, 131051, 131052, 131053, 131062),
        *(131063, 132000, 132005, 132007, 132008, 132012, 132015, 132016, 132068, 135000, 137000),
        *(133000, 133005, 133006, 133008, 133009, 133016, 134100, 134101, 134102, 134103),
    ),
}


def test_every_code_of_metas_page_is_in_the_table_and_asks_what_the_page_says():
    for asked, codes in OTHERS.items():
        wrong = [code for code in codes if code not in CLASSIFICATIONS or " ".join(CLASSIFICATIONS[code]) != asked]
        assert not wrong, asked


def test_131000_alone_is_uncertain():
    assert [code for code, found in CLASSIFICATIONS.items() if found.kind is ErrorKind.UNCERTAIN] == [131000]


def test_an_unknown_code_is_permanent_unless_meta_says_that_it_passes():
    assert classify(999999) is ErrorKind.PERMANENT
    assert classify(999999, status=400) is ErrorKind.PERMANENT
    assert classify(999999, transient=True) is ErrorKind.RETRYABLE
    assert classify(999999, status=503) is ErrorKind.RETRYABLE
    assert classify(999999, status=429) is ErrorKind.THROTTLED


def test_a_known_code_stays_what_it_is_whatever_the_status():
    assert classify(131047, status=500, transient=True) is ErrorKind.PERMANENT
    assert classify(131056, status=403) is ErrorKind.THROTTLED


def test_an_error_is_read_whole():
    error = parse_error(
        status=400,
        body=body(
            code=131056,
            error_subcode=2494055,
            error_data={"messaging_product": "whatsapp", "details": "Too many to +316970001001"},
        ),
    )
    assert (error.code, error.subcode, error.kind, error.scope) == (131056, 2494055, "THROTTLED", "PAIR")
    assert (error.title, error.fbtrace_id) == ("OAuthException", "AbC")
    assert error.details == "Too many to +316970001001"
    assert "31697" not in repr(error)


def test_details_may_be_text_or_absent():
    assert parse_error(status=400, body=body(code=100, error_data="Bare text")).details == "Bare text"
    assert parse_error(status=400, body=body(code=100)).details == "(#1) x"


def test_a_title_never_shows_a_phone_number():
    for number in ("+316970001001", "31 6 97 00 01 001", "06-9700 0100"):
        error = parse_error(status=400, body=body(code=100, error_user_title=f"Not sent to {number}."))
        assert error.title == "Not sent to …."


@pytest.mark.parametrize("code", [131047, "131047"])
def test_a_bare_error_with_a_code_of_whatsapps_own_is_metas(code):
    assert parse_error(status=400, body=orjson.dumps({"error": {"code": code, "message": "x"}})).code == 131047


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"null",
        b"[]",
        b'{"error": "invalid_request"}',
        b'{"error": {"code": 502, "message": "upstream"}}',
        b'{"error": {"message": "x", "type": "OAuthException"}}',
        b'{"error": {"code": true, "type": "x"}}',
        b'{"error": {"code": "\xef\xbc\x99", "type": "x"}}',
        b'{"error": {"code": 131047',
        b"\xff\xfe",
    ],
)
def test_what_is_not_metas_is_none(answer):
    assert parse_error(status=502, body=answer) is None
