import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


KEEP_THE_LOCAL_ADMIN = """
    CREATE FUNCTION accounts_keep_local_admin() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        who uuid;
        kept boolean;
    BEGIN
        IF TG_TABLE_NAME = 'accounts_user' THEN who := OLD.id; ELSE who := OLD.user_id; END IF;
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM %I.accounts_signon WHERE is_on AND local_admin_id = $1)', TG_TABLE_SCHEMA
        ) INTO kept USING who;
        IF kept THEN
            RAISE EXCEPTION 'this user is kept for the day that the provider fails' USING ERRCODE = 'check_violation';
        END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER accounts_keep_local_admin BEFORE UPDATE OF is_active ON accounts_user
        FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION accounts_keep_local_admin();
    CREATE TRIGGER accounts_keep_local_admin BEFORE DELETE OR UPDATE ON accounts_rolegrant
        FOR EACH ROW WHEN (OLD.role = 'ADMIN') EXECUTE FUNCTION accounts_keep_local_admin();
"""
LET_GO = """
    DROP TRIGGER accounts_keep_local_admin ON accounts_user;
    DROP TRIGGER accounts_keep_local_admin ON accounts_rolegrant;
    DROP FUNCTION accounts_keep_local_admin();
"""


class Migration(migrations.Migration):
    """A municipality's own provider; and the admin who is kept beside it stays one, whoever holds the connection."""

    dependencies = [
        ("accounts", "0005_second_step_and_invitations"),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupRole",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("group", models.CharField(max_length=200)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("ADMIN", "Beheerder"),
                            ("SUPERVISOR", "Supervisor"),
                            ("AGENT", "Medewerker"),
                            ("FINANCE", "Financiën"),
                            ("PRIVACY_OFFICER", "Privacy officer"),
                        ],
                        max_length=20,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("group", "role"), name="group_role_once"),
                    models.CheckConstraint(condition=models.Q(("group", ""), _negated=True), name="group_role_named"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["ADMIN", "SUPERVISOR", "AGENT", "FINANCE", "PRIVACY_OFFICER"])
                        ),
                        name="group_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignOn",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("is_on", models.BooleanField(default=False)),
                ("issuer", models.CharField(max_length=200)),
                ("client_id", models.CharField(max_length=200)),
                ("client_secret", models.TextField()),
                ("groups_claim", models.CharField(max_length=200)),
                (
                    "second_step",
                    models.CharField(
                        choices=[("HERE", "Here"), ("CLAIMED", "Claimed"), ("PROVIDER", "Provider")],
                        default="HERE",
                        max_length=8,
                    ),
                ),
                ("strong_acr", models.CharField(blank=True, default="", max_length=200)),
                ("passwords_open", models.BooleanField(default=True)),
                ("changed_at", models.DateTimeField()),
                (
                    "local_admin",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="sign_on_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(("second_step__in", ["HERE", "CLAIMED", "PROVIDER"])),
                        name="sign_on_second_step_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("issuer", ""), _negated=True),
                            models.Q(("client_id", ""), _negated=True),
                            models.Q(("client_secret", ""), _negated=True),
                            models.Q(("groups_claim", ""), _negated=True),
                        ),
                        name="sign_on_complete",
                    ),
                ],
            },
        ),
        migrations.RunSQL(KEEP_THE_LOCAL_ADMIN, LET_GO),
    ]
