"""Users: one for each address in a schema, and only roles that exist."""

import pytest
from django.db import IntegrityError, transaction
from django_tenants.utils import schema_context

from accounts.models import RoleGrant, User
from accounts.roles import BspRole, MunicipalRole


def make(email="Jansen@Utrecht.example"):
    return User.objects.create_user(email=email, name="Jansen")


class TestUsers:
    def test_it_writes_an_address_in_lower_case(self, utrecht):
        with schema_context("utrecht"):
            assert make(" Jansen@UTRECHT.example ").email == "jansen@utrecht.example"

    def test_it_makes_one_user_for_an_address_however_it_is_written(self, utrecht):
        with schema_context("utrecht"):
            make("jansen@utrecht.example")
            with pytest.raises(IntegrityError), transaction.atomic():
                make("JANSEN@utrecht.example")
            assert User.objects.count() == 1

    def test_it_lets_two_municipalities_have_the_same_address_as_two_users(self, utrecht):
        with schema_context("utrecht"):
            here = make()
        with schema_context("delft"):
            there = make()
            assert User.objects.count() == 1
        assert here.id != there.id

    def test_it_gives_no_password_that_could_be_guessed(self, utrecht):
        with schema_context("utrecht"):
            user = make()
            assert not user.has_usable_password()
            assert not user.check_password("")

    def test_it_names_the_schema_in_which_somebody_acts(self, utrecht):
        with schema_context("utrecht"):
            user = make()
            assert (user.actor().schema, user.actor().id, user.actor().name) == ("utrecht", str(user.id), "Jansen")


class TestRoles:
    @pytest.mark.parametrize("role", [*MunicipalRole.values, *BspRole.values])
    def test_it_grants_every_role_that_there_is_once(self, utrecht, role):
        with schema_context("utrecht"):
            user = make()
            RoleGrant.objects.create(user=user, role=role)
            with pytest.raises(IntegrityError, match="role_grant_once"), transaction.atomic():
                RoleGrant.objects.create(user=user, role=role)

    @pytest.mark.parametrize("role", ["", "admin", "MAYOR"])
    def test_it_refuses_a_role_that_there_is_not(self, utrecht, role):
        with schema_context("utrecht"), pytest.raises(IntegrityError, match="role_grant_known"), transaction.atomic():
            RoleGrant.objects.create(user=make(), role=role)
