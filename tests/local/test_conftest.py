"""The tests' own ground: databases that do not leak, two municipalities, a clock that stands still, no network."""

import socket

import pytest


def _names():
    from tenants.models import Municipality

    return set(Municipality.objects.values_list("schema_name", flat=True))


class TestDatabases:
    @pytest.mark.parametrize("time", [1, 2])
    def test_it_rolls_back_what_a_test_wrote(self, db, time):
        from tenants.models import Municipality

        assert not Municipality.objects.filter(name="Elders").exists()
        Municipality.objects.filter(schema_name="delft").update(name="Elders")
        assert Municipality.objects.filter(name="Elders").exists()

    @pytest.mark.parametrize("time", [1, 2])
    def test_it_gives_a_committing_test_a_database_of_its_own(self, committing_db, time):
        import psycopg

        from tenants.models import Municipality

        assert _names() == {"utrecht", "delft"}
        Municipality.objects.filter(schema_name="delft").update(name="Elders")
        with psycopg.connect(committing_db.url) as other:
            assert other.execute(
                "SELECT count(*) FROM public.tenants_municipality WHERE name = 'Elders'"
            ).fetchone() == (1,)

    def test_it_knows_both_municipalities(self, utrecht, delft):
        assert (utrecht.cbs_code, delft.cbs_code) == ("GM0344", "GM0503")


class TestClockAndNetwork:
    def test_it_stands_still_until_it_is_moved(self, clock):
        from tenants.clock import now

        before = now()
        assert now() == before
        clock.move(hours=24)
        assert (now() - before).total_seconds() == 86_400

    def test_it_refuses_to_leave_this_machine(self):
        with socket.socket() as attempt, pytest.raises(AssertionError, match="another machine"):
            attempt.connect(("192.0.2.1", 80))
