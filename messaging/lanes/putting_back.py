"""Before messages are put back to be sent again: held, and looked at whether they may still go.

Who opts out, and what Meta makes of a template, takes back what waits and leaves to a lane what it has in its hands
(messaging/consent.py, messaging/templates/holding.py); so a lane that puts such a message back looks for itself. A
statement sees what was committed when it began: one that looked first and got the message's row later would miss what
was said in between. Therefore the rows are held first; who comes later waits for them, and finds the message waiting.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg import AsyncConnection, sql

from messaging.consent import OPTED_OUT
from messaging.models import Template
from messaging.templates.sending import refusal_of_state

if TYPE_CHECKING:
    from messaging.lanes.store import Lease

# Returns those that somebody else has now.
HOLD = """
    WITH held AS MATERIALIZED (
        SELECT id FROM {schema}.messaging_message WHERE id = ANY(%(messages)s) FOR NO KEY UPDATE SKIP LOCKED
    )
    SELECT id FROM {schema}.messaging_message WHERE id = ANY(%(messages)s) AND id NOT IN (SELECT id FROM held)
"""

# Of the templates among them, the citizen's standing word (as in messaging/consent.py), and how the template is now.
LOOK = """
    SELECT message.id, coalesce((
            SELECT consent.word = 'OPT_OUT' FROM {schema}.messaging_consent AS consent
            WHERE consent.contact_id = ANY(ARRAY(
                SELECT item.contact_id
                UNION ALL
                SELECT merged.id FROM {schema}.messaging_contact AS merged
                WHERE merged.merged_into_id = item.contact_id
            ))
            ORDER BY consent.at DESC, consent.word DESC, consent.id DESC LIMIT 1
        ), FALSE),
        template.status, template.category, template.problem, template.doubted_at,
        EXISTS (
            SELECT FROM public.tenants_declaredpurpose AS declared
            WHERE declared.municipality_id = %(municipality)s AND declared.purpose = template.purpose
        )
    FROM {schema}.messaging_message AS message
    JOIN {schema}.messaging_outboxitem AS item ON item.message_id = message.id
    LEFT JOIN {schema}.messaging_templateversion AS version ON version.id = message.template_version_id
    LEFT JOIN {schema}.messaging_template AS template ON template.id = version.template_id
    WHERE message.id = ANY(%(messages)s) AND message.kind = 'template' AND message.state = 'SENDING'
        AND item.claimed_by = %(token)s
"""


async def hold(
    *, connection: AsyncConnection, lease: "Lease", messages: Collection[UUID]
) -> tuple[set[UUID], dict[UUID, str]]:
    """Hold messages until the transaction ends; return those that somebody else has, and why some may not go again."""
    values = {"messages": list(messages), "token": lease.fencing_token, "municipality": lease.municipality_id}
    schema = sql.Identifier(lease.schema_name)
    cursor = await connection.execute(sql.SQL(HOLD).format(schema=schema), values)
    taken = {row[0] for row in await cursor.fetchall()}
    cursor = await connection.execute(sql.SQL(LOOK).format(schema=schema), values)
    refused = {row[0]: why for row in await cursor.fetchall() if row[0] not in taken and (why := _why(*row[1:]))}
    return taken, refused


def _why(is_opted_out: bool, status: str | None, category: Any, problem: Any, doubted_at: Any, declared: bool) -> str:
    """Return the code of why a template may not go again, or nothing. status: None where no version is known."""
    if is_opted_out:
        return OPTED_OUT
    if status is None:
        return ""
    template = Template(status=status, category=category, problem=problem, doubted_at=doubted_at)
    return refusal_of_state(template=template) or ("" if declared else "template_purpose_undeclared")
