"""allauth's views under our addresses: exactly the ones we use, named as allauth expects."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.urls import URLPattern, path, re_path

from hub.accounts.views import audit_log, people, profile, second_factor

urlpatterns: list[URLPattern] = [
    path("account/login", account.login, name="account_login"),
    path("account/logout", account.logout, name="account_logout"),
    path("account/signup", account.signup, name="account_signup"),
    path("account/inactive", account.account_inactive, name="account_inactive"),
    path("account/reauthenticate", account.reauthenticate, name="account_reauthenticate"),
    path("account/code", second_factor.authenticate, name="mfa_authenticate"),
    path("account/reauthenticate/code", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/email/sent", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(r"^account/email/confirm/(?P<key>[-:\w]+)$", account.confirm_email, name="account_confirm_email"),
    path("account/password/forgotten", account.password_reset, name="account_reset_password"),
    path("account/password/sent", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^account/password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("account/password/done", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("settings/profile", profile.profile, name="settings_profile"),
    path("settings/email", account.email, name="account_email"),
    path("settings/password", account.password_change, name="account_change_password"),
    path("settings/password/set", account.password_set, name="account_set_password"),
    path("settings/security", mfa.index, name="mfa_index"),
    path("settings/security/totp/activate", totp.activate_totp, name="mfa_activate_totp"),
    path("settings/security/totp/deactivate", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("settings/security/codes", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("settings/security/codes/new", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("settings/security/codes/file", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("settings/people", people.index, name="settings_people"),
    path("settings/people/<int:user_id>", people.person, name="settings_person"),
    path("settings/people/<int:user_id>/deactivate", people.deactivate, name="settings_person_deactivate"),
    path("settings/people/<int:user_id>/reactivate", people.reactivate, name="settings_person_reactivate"),
    path(
        "settings/people/<int:user_id>/make-administrator",
        people.make_administrator,
        name="settings_person_make_administrator",
    ),
    path(
        "settings/people/<int:user_id>/revoke-administrator",
        people.revoke_administrator,
        name="settings_person_revoke_administrator",
    ),
    path("settings/log", audit_log.own, name="settings_log"),
    path("settings/log/export", audit_log.export_own, name="settings_log_export"),
    path("settings/log/everyone", audit_log.everyone, name="settings_log_everyone"),
    path("settings/log/everyone/export", audit_log.export_everyone, name="settings_log_everyone_export"),
]
