from django.apps import AppConfig


class MessagingCoreConfig(AppConfig):
    name = "messaging.core"
    label = "messaging_core"
