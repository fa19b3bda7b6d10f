"""The storage of STORAGE_URL=s3://…: django-storages', with time-outs, so that a slow service holds no worker."""

from typing import Any

from botocore.config import Config
from storages.backends.s3 import S3Storage

CONNECT_SECONDS = 5
READ_SECONDS = 30


class PatientStorage(S3Storage):  # type: ignore[misc]
    """S3, tried twice more and no longer."""

    def __init__(self, **options: Any) -> None:
        """Take django-storages' options."""
        super().__init__(**options)
        patience = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 3})
        self.client_config: Config = self.client_config.merge(patience)
