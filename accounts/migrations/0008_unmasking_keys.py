"""A scope of its own for numbers in full. Keys that read messages keep what they could: they get it."""

from django.db import migrations, models

KNOWN = ["invoices:read", "messages:read", "messages:send", "municipalities:read", "templates:read", "usage:read"]
GIVE = """
UPDATE api_apikey SET scopes = scopes || '["messages:unmask"]' WHERE scopes @> '["messages:read"]'
"""
TAKE = "UPDATE api_apikey SET scopes = scopes - 'messages:unmask'"


def _known(scopes: list[str]) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(("scopes__contained_by", scopes)), name="api_key_scopes_known")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_teams")]

    operations = [
        migrations.RemoveConstraint(model_name="apikey", name="api_key_scopes_known"),
        migrations.RunSQL(GIVE, migrations.RunSQL.noop),
        migrations.AddConstraint(model_name="apikey", constraint=_known(sorted([*KNOWN, "messages:unmask"]))),
        migrations.RunSQL(migrations.RunSQL.noop, TAKE),
    ]
