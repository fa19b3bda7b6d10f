"""The words on the pages for what is about people and how they sign in (web/words.py has the others)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What the trail calls what people do with each other's accounts, and with their own.
ACTIONS: dict[str, Promise] = {
    "user.roles": _("Roles changed"),
    "user.deactivate": _("User blocked"),
    "user.reactivate": _("User let in again"),
    "users.export": _("Access review exported"),
    "invitation.make": _("User invited"),
    "invitation.repeat": _("Invitation sent again"),
    "invitation.revoke": _("Invitation withdrawn"),
    "invitation.accept": _("Invitation accepted"),
    "session.begin": _("Signed in"),
    "session.refuse": _("Sign-in refused"),
    "session.lock": _("Sign-in locked"),
    "session.end": _("Signed out"),
    "second_step.refuse": _("Second step refused"),
    "second_step.lock": _("Second step locked"),
    "second_step.reset": _("Second step removed by an administrator"),
    "password.reset.ask": _("New password asked for"),
    "sign_in_rules.change": _("Rules for signing in changed"),
}
USER_STATES: dict[str, Promise] = {
    "ACTIVE": _("Can sign in"),
    "INVITED": _("Has no password yet"),
    "BLOCKED": _("Blocked"),
}
INVITATION_STATES: dict[str, Promise] = {
    "NONE": _("Not invited"),
    "WAITING": _("Invitation is being sent"),
    "SENT": _("Invited"),
    "UNSENT": _("Invitation could not be sent"),
    "EXPIRED": _("Invitation is too old"),
    "REVOKED": _("Invitation withdrawn"),
    "ACCEPTED": _("Invitation accepted"),
}
STEPS: dict[str, Promise] = {"totp": _("App with codes"), "webauthn": _("Passkey")}
