"""Addresses that every host has: the first page, signing in and out, one's own account, the trail, the language.

Allauth's views are named one by one, so that each has an address of ours and the rule of `requires`; its own names for
them stay, because it sends people from one to the other by these.
"""

from allauth.account import views as account
from allauth.mfa.base import views as second_step
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path, reverse_lazy

from accounts.strength import Owed
from web import inviting, joining, keys, own_account, people, trail
from web.access import requires
from web.home import home
from web.language import choose
from web.security import security_txt
from web.sent_mail import sent_mail

own = requires(None)  # everyone who is signed in, of themselves
# Where a second step is set up, and given: what is open to who owes one, and nothing else (accounts/strength.py).
setting_up = requires(None, also_owing=[Owed.SET_UP])
proving = requires(None, also_owing=[Owed.SET_UP, Owed.PROOF])
ACCOUNT = reverse_lazy("mfa_index")

urlpatterns = [
    path("", home, name="home"),
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("sign-in/second-step/", own_account.second_step, name="mfa_authenticate"),
    path("sign-in/forgotten/", account.password_reset, name="account_reset_password"),
    path("sign-in/forgotten/sent/", account.password_reset_done, name="account_reset_password_done"),
    path("sign-in/forgotten/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path(
        "sign-in/forgotten/<slug:uidb36>/<slug:key>/",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("sign-out/", account.logout, name="account_logout"),
    path("account/", own_account.overview, name="mfa_index"),
    path("account/sessions/end/", own_account.end_sessions, name="end-sessions"),
    path("account/password/", own(account.password_change), name="account_change_password"),
    path("account/email/", own_account.change_address, name="account_email"),
    path("account/email/<str:key>/", own_account.confirm_address, name="account_confirm_email"),
    path("account/second-step/", own_account.owed_second_step, name="second-step"),
    path("account/confirm/", proving(account.reauthenticate), name="account_reauthenticate"),
    path("account/confirm/code/", proving(second_step.reauthenticate), name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey/", proving(own_account.ConfirmByPasskey.as_view()), name="mfa_reauthenticate_webauthn"
    ),
    path("account/app/", setting_up(own_account.SetUpApp.as_view()), name="mfa_activate_totp"),
    path("account/app/remove/", own(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/passkeys/", setting_up(own_account.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path(
        "account/passkeys/<int:pk>/",
        own(webauthn.EditWebAuthnView.as_view(success_url=ACCOUNT)),
        name="mfa_edit_webauthn",
    ),
    path(
        "account/passkeys/<int:pk>/remove/",
        own(webauthn.RemoveWebAuthnView.as_view(success_url=ACCOUNT)),
        name="mfa_remove_webauthn",
    ),
    path("account/recovery-codes/", own(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "account/recovery-codes/new/", own(recovery_codes.generate_recovery_codes), name="mfa_generate_recovery_codes"
    ),
    path("invitation/", joining.join, name="join"),
    path("invitation/<str:token>/", joining.follow, name="invitation"),
    path("users/", people.users, name="users"),
    path("users/review.csv", people.export, name="users-export"),
    path("users/invite/", inviting.invite, name="invite"),
    path("users/invite/many/", inviting.invite_many, name="invite-many"),
    path("users/<uuid:user_id>/", people.user, name="user"),
    path("users/<uuid:user_id>/roles/", people.roles, name="user-roles"),
    path("users/<uuid:user_id>/invitation/", people.invitation, name="user-invitation"),
    path("users/<uuid:user_id>/access/", people.access, name="user-access"),
    path("users/<uuid:user_id>/second-step/", people.second_step, name="user-second-step"),
    path("mail/", sent_mail, name="sent-mail"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path("trail/", trail.trail, name="trail"),
    path("trail/export.<slug:form>", trail.export, name="trail-export"),
    path("keys/", keys.listed, name="keys"),
    path("keys/new/", keys.make, name="new-key"),
    path("keys/<uuid:key_id>/new-secret/", keys.rotate, name="rotate-key"),
    path("keys/<uuid:key_id>/revoke/", keys.revoke, name="revoke-key"),
    path("language/", choose, name="set_language"),
]
