"""Addresses that every host has: the first page, signing in and out, the language."""

from allauth.account import views as account
from django.urls import path
from django.views.i18n import set_language

from web.home import home
from web.security import security_txt

urlpatterns = [
    path("", home, name="home"),
    path("sign-in/", account.login, name="account_login"),
    path("sign-out/", account.logout, name="account_logout"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path("language/", set_language, name="set_language"),
]
