from django.db import migrations

REFUSE = """
    CREATE FUNCTION onboarding_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'moves and versions of an onboarding are append-only' USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER stage_move_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tenants_stagemove
        FOR EACH STATEMENT EXECUTE FUNCTION onboarding_refuse_change();
    CREATE TRIGGER application_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tenants_applicationversion
        FOR EACH STATEMENT EXECUTE FUNCTION onboarding_refuse_change();
"""
ALLOW = """
    DROP TRIGGER stage_move_append_only ON tenants_stagemove;
    DROP TRIGGER application_version_append_only ON tenants_applicationversion;
    DROP FUNCTION onboarding_refuse_change();
"""
# Whom an operator made live before there were onboardings has one from now on, so that each code has one.
ADOPT = """
    INSERT INTO tenants_onboarding
        (id, cbs_code, name, register_version, stage, stage_since, by_operator, municipality_id, created_at)
    SELECT gen_random_uuid(), cbs_code, name, '', stage, created_at, true, id, created_at
    FROM tenants_municipality
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_onboarding")]

    operations = [migrations.RunSQL(REFUSE, ALLOW), migrations.RunSQL(ADOPT, migrations.RunSQL.noop)]
