"""What lies on the stage for pages that nobody at play comes to: run once, in one process of the platform's.

Of Delft, where nobody looks at an inbox, what would stop Utrecht's agents; of people who sign in seldom, what is theirs
alone. It prints what stands in no row, or not as an address has it: links that are mailed, and ids.
"""

SET_UP_PAGES = """
import json
from datetime import timedelta
from allauth.account.forms import EmailAwarePasswordResetTokenGenerator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection
from django_tenants.utils import schema_context
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData
from accounts import keys, teams
from accounts.models import User
from audit.record import Actor
from messaging.core.models import Replay
from messaging.models import Message, Thread
from messaging.templates import drafting, judging
from tenants import clock, elections, health, number_reading, trouble
from tenants.models import Municipality, Trouble

actor, at = Actor("public", "1", "Otto Operator"), clock.now()
utrecht, delft = (Municipality.objects.get(schema_name=name) for name in ("utrecht", "delft"))
made = {}
for kind, detail in ((Trouble.Kind.TOKEN, "190 Access token has expired"), (Trouble.Kind.PAYMENT, "131042")):
    trouble.open_trouble(phone_number_id=delft.numbers.get().phone_number_id, kind=kind, at=at, detail=detail)
# Of a number that is not as it should be, and of which Meta told this and that on other days.
number = utrecht.numbers.get()
said = {
    "quality": "YELLOW", "verified_name": "Gemeente Utrecht", "messaging_limit": "TIER_2K", "throughput": "STANDARD",
}
number_reading.take_over(number=number, said=said, at=at)
for days, aspect, values in (
    (40, "review", {"account_review": "APPROVED"}),
    (9, "pin", {"pin_event": "PIN_CHANGED"}),
    (2, "alert", {"alert": "INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO"}),
):
    health.tell(number=number, aspect=aspect, values=values, at=at - timedelta(days=days))
for name, municipality in (("election", None), ("own_election", utrecht)):  # not before two months have passed
    begins = at.date() + timedelta(days=60)
    period = elections.set_period(
        municipality=municipality, name="Verkiezing van de gemeenteraad", begins_date=begins,
        ends_date=begins + timedelta(days=30), actor=actor, at=at,
    )
    made[name] = str(period.id)
payload = {"element": {"id": "wamid.x", "type": "text", "text": {"body": "Hallo"}, "timestamp": "gisteren"}}
with connection.cursor() as cursor:
    cursor.execute(
        "INSERT INTO public.inbox (municipality_id, dedup_key, kind, field, phone_number_id, payload, received_at,"
        " state, reason, applied_at) VALUES (%s, %s, 'MESSAGE', 'messages', %s, %s, %s, 'DEAD',"
        " 'failed: ValueError', %s) RETURNING id",
        [delft.id, b"letter".ljust(32, b"."), delft.numbers.get().phone_number_id, json.dumps(payload), at, at],
    )
    made["letter"] = cursor.fetchone()[0]
replay = Replay.objects.create(
    municipality_id=delft.id, kind="MESSAGE", asked_by_schema="public", asked_by_id="1", asked_by_name=actor.name,
    asked_at=at, total=3, done=3, finished_at=at,
)
made["replay"] = str(replay.id)

# Of somebody who has an app: a passkey, and recovery codes.
user = User.objects.get(email="onboarding@voorbeeld.example")
RecoveryCodes.activate(user)
key = AttestedCredentialData.create(b"\\0" * 16, b"k" * 32, ES256.from_ctap1(b"\\x04" + b"x" * 32 + b"y" * 32))
flags = AuthenticatorData.FLAG.AT | AuthenticatorData.FLAG.UP
signed = AuthenticatorData.create(b"h" * 32, flags, 0, key)
client = CollectedClientData.create(type="webauthn.create", challenge=b"c" * 32, origin="http://console.localhost")
credential = {
    "id": websafe_encode(b"k" * 32), "rawId": websafe_encode(b"k" * 32), "type": "public-key",
    "response": {
        "clientDataJSON": websafe_encode(bytes(client)),
        "attestationObject": websafe_encode(bytes(AttestationObject.create("none", signed, {}))),
    },
    "clientExtensionResults": {},
}
data = {"name": "Laptop van kantoor", "credential": credential}
made["passkey"] = Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data).pk

with schema_context("utrecht"):
    made["key"] = str(keys.create_key(
        name="Zaaksysteem", scopes=["messages:read", "messages:send"], actor=actor, at=at,
        expires_at=at + timedelta(days=365), allowed_ranges=["192.0.2.0/24"],
    ).key.id)
    team = teams.make(name="Burgerzaken", actor=actor, at=at)
    members = list(User.objects.filter(email__in=["agent@voorbeeld.example"]).values_list("id", flat=True))
    teams.change(team_id=team.id, name=team.name, member_ids=members, actor=actor, at=at)
    made["team"] = str(team.id)
    wording = drafting.Wording(
        name="balie_dicht", language="nl", purpose="SERVICES", header="Balie dicht", footer="Gemeente Utrecht",
        body="Goedendag {{naam}}, op de dag van de verkiezingen is de balie dicht. U kunt een dag later terecht.",
        examples={"naam": "mevrouw De Vries"},
    )
    draft = drafting.create(waba_id=utrecht.numbers.get().waba_id, wording=wording, actor=actor, at=at)
    made["draft"] = str(draft.id)
    judged = judging.ask(template_id=draft.id, municipality=utrecht, actor=actor, at=at)
    made["draft_review"] = str(judged.review.id)
    thread = Thread.objects.get(contact__wa_id="31697000014")
    message = Message.objects.create(
        thread=thread, direction="OUTBOUND", state="UNCERTAIN", kind="text", stamped_at=at, created_at=at,
        text="De milieustraat is open tot vijf uur.",
        content={"body": "De milieustraat is open tot vijf uur.", "preview_url": False},
    )
    made |= {"uncertain": str(message.id), "uncertain_thread": str(thread.id)}
    user = User.objects.get(email="guessed@voorbeeld.example")
    address = EmailAddress.objects.create(user=user, email="guus@voorbeeld.example", verified=False, primary=False)
    made["email"] = EmailConfirmationHMAC(address).key
    # After that: what addresses somebody has is part of what the link is made of.
    made["forgotten"] = f"{user_pk_to_url_str(user)}/{EmailAwarePasswordResetTokenGenerator().make_token(user)}"
print(json.dumps(made))
"""
# What it prints, by name; what of it is no id is a link.
MADE = frozenset(
    {
        *("election", "own_election", "letter", "replay", "passkey", "key", "team", "draft", "draft_review"),
        *("uncertain", "uncertain_thread", "forgotten", "email"),
    }
)
