"""What a production cannot do without, made up: once, so that what becomes required is entered here alone."""

from cryptography.fernet import Fernet

from config.env import VARIABLES

# Servers at which nobody listens.
PRODUCTION = {
    "DJANGO_SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "BASE_DOMAIN": "berichten.example",
    "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "META_APP_ID": "1",
    "META_APP_SECRET": "geheim",
    "META_VERIFY_TOKEN": "woord",
    "META_SYSTEM_TOKEN": "teken",
    "STORAGE_URL": "s3://storage.example/media?region=eu-west-1",
    "SELLER_NAME": "Voorbeeld",
}
# Those of them that a cluster keeps in a Secret.
SECRETS = {each.name: PRODUCTION[each.name] for each in VARIABLES if each.secret and each.name in PRODUCTION}
