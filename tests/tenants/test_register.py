"""The register of municipalities and the schema names made from it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.register import RESERVED, BadSchemaName, checked_schema_name, municipalities, schema_name_for

ODD = {
    "GM0796": ("'s-Hertogenbosch", "shertogenbosch"),
    "GM0373": ("Bergen (NH.)", "bergennh"),
    "GM0893": ("Bergen (L.)", "bergenl"),
    "GM1900": ("Súdwest-Fryslân", "sudwestfryslan"),
    "GM0518": ("'s-Gravenhage", "sgravenhage"),
}


def test_it_holds_every_municipality_of_the_country():
    register = municipalities()
    assert len(register) == 342
    assert all(re.fullmatch(r"GM\d{4}", code) and code == entry.cbs_code for code, entry in register.items())
    assert len({entry.province for entry in register.values()}) == 12
    assert len({entry.tooi_uri for entry in register.values()}) == 342


def test_it_makes_a_schema_name_of_each_that_is_good_unique_and_not_reserved():
    names = [entry.schema_name for entry in municipalities().values()]
    assert len(set(names)) == 342
    assert not RESERVED & set(names)
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9]{1,62}", name) or name.startswith("pg")] == []


@pytest.mark.parametrize("code", sorted(ODD))
def test_it_folds_odd_names(code):
    name, schema_name = ODD[code]
    assert municipalities()[code].schema_name == schema_name
    assert schema_name_for(name=name) == schema_name


@pytest.mark.parametrize(
    ("name", "schema_name"),
    [
        ("'s-Hertogenbosch", "shertogenbosch"),
        ("\u2019s-Hertogenbosch", "shertogenbosch"),
        ("Bergen (NH)", "bergennh"),
        ("Bergen (L)", "bergenl"),
        ("Súdwest-Fryslân", "sudwestfryslan"),
        ("Su\u0301dwest-Frysla\u0302n", "sudwestfryslan"),
        ("De Fryske Marren", "defryskemarren"),
        ("IJsselstein", "ijsselstein"),
        ("\u0132sselstein", "ijsselstein"),
    ],
)
def test_it_drops_what_a_host_name_cannot_hold(name, schema_name):
    assert schema_name_for(name=name) == schema_name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "a" * 64,
        "1utrecht",
        "pg",
        "pgbouncer",
        "Utrecht",
        "den haag",
        "a-b",
        "a_b",
        "a.b",
        'a"b',
        "utrecht\n",
        "é1",
        *sorted(RESERVED),
    ],
)
def test_it_refuses_what_cannot_be_both_schema_and_host(name):
    with pytest.raises(BadSchemaName):
        checked_schema_name(name=name)


@pytest.mark.parametrize("name", ["", "'", "123", "Console", "W.W.W.", "Public", "Quarantine"])
def test_it_refuses_a_name_of_which_nothing_usable_is_left(name):
    with pytest.raises(BadSchemaName):
        schema_name_for(name=name)


@given(st.text(max_size=80))
def test_it_makes_a_good_name_or_none(name):
    try:
        made = schema_name_for(name=name)
    except BadSchemaName:
        return
    assert checked_schema_name(name=made) == made
