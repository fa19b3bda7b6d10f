"""The ASGI entry of the web process (config/doors.py says what it serves)."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

# Under ASGI each request may run in a thread of its own: connections come from a pool instead of staying with threads.
settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
# Who asks while many do waits for one: of fifty agents at once on a busy machine, some waited longer than ten seconds.
settings.DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 0, "max_size": 8, "timeout": 30}
django_application = get_asgi_application()

from config import celery  # noqa: F401 - tasks find their broker through it
from config.doors import Doors

application = Doors(
    django=django_application, database_url=settings.DATABASE_URL, broker_url=settings.CELERY_BROKER_URL
)
