from django.db import migrations

REFUSE = """
    CREATE FUNCTION messaging_refuse_version_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'versions of templates are append-only' USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER template_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON messaging_templateversion
        FOR EACH STATEMENT EXECUTE FUNCTION messaging_refuse_version_change();
"""
UNDO = """
    DROP TRIGGER template_version_append_only ON messaging_templateversion;
    DROP FUNCTION messaging_refuse_version_change();
"""

# What was a body with named parameters becomes components as Meta writes them, and its first version.
COMPONENTS = """
    UPDATE messaging_template AS template
    SET components = written.components, listed_components = written.components
    FROM (
        SELECT id, jsonb_build_array(
            jsonb_build_object('type', 'BODY', 'text', body, 'example', jsonb_build_object(
                'body_text_named_params', coalesce((
                    SELECT jsonb_agg(jsonb_build_object('param_name', each -> 'name', 'example', each -> 'example'))
                    FROM jsonb_array_elements(parameters) AS each
                ), '[]'::jsonb)
            ))
        ) AS components
        FROM messaging_template
    ) AS written
    WHERE written.id = template.id AND template.components = '[]'::jsonb;
    INSERT INTO messaging_templateversion
        (template_id, number, at, source, changed, status, meta_status, reason, category, components, parameter_format)
    SELECT id, 1, transaction_timestamp(), 'OURS', '["status", "category", "components"]', status, '', '', category,
        components, parameter_format
    FROM messaging_template;
"""


class Migration(migrations.Migration):
    """Versions refuse to be changed, by whoever holds the connection; templates of before get their first one."""

    dependencies = [("messaging", "0003_templates")]

    operations = [
        migrations.RunSQL(COMPONENTS, migrations.RunSQL.noop),
        migrations.RunSQL(REFUSE, UNDO),
    ]
