"""PostgreSQL and Redis of one instance: servers of its own, or those that the caller's environment names."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis

from config.local import databases
from config.local.failure import SetupError
from config.local.postgres import PostgresCluster
from config.local.redis import RedisServer

BROKER_DATABASES = 16  # what a Redis has unless it was set up otherwise
CONNECT_SECONDS = 5


class Servers:
    """Both servers.  `postgres` and `redis` are None where the caller brought one."""

    def __init__(self, folder: Path, *, durable: bool = True, environ: Mapping[str, str] = os.environ) -> None:
        """Name the servers; nothing is made before `start`."""
        self._database_url = environ.get("DATABASE_URL") or None
        self._broker_url = environ.get("CELERY_BROKER_URL") or None
        self.postgres = None if self._database_url else PostgresCluster(folder / "postgres", durable=durable)
        self.redis = None if self._broker_url else RedisServer(folder / "redis")

    def start(self) -> None:
        """Start what is not given, and check what is.  Raises SetupError: one cannot be used; one line says why."""
        try:
            if self.postgres is not None:
                self.postgres.start()
            else:
                databases.check_server(server=self.server)
            if self.redis is not None:
                self.redis.start()
            else:
                _check_broker(url=self.broker())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what was started here.  Safe to repeat."""
        if self.redis is not None:
            self.redis.stop()
        if self.postgres is not None:
            self.postgres.stop()

    @property
    def server(self) -> str:
        """The URL of a database that is there already, from which others are made."""
        if self.postgres is not None:
            return self.postgres.url()
        assert self._database_url is not None
        return self._database_url

    def database(self, *, name: str) -> str:
        """Return the URL of a database on the server; on a caller's own its name begins with that of his."""
        return databases.with_name(url=self.server, name=self.database_name(name=name))

    def database_name(self, *, name: str) -> str:
        """Return the full name of a database: on a caller's own server it begins with that of his."""
        return name if self.postgres is not None else f"{databases.name_in(url=self.server)}_{name}"

    def broker(self, *, number: int = 0) -> str:
        """Return the URL of one of the broker's numbered databases, counted from the caller's own."""
        if self.redis is not None:
            return self.redis.url(number % BROKER_DATABASES)
        assert self._broker_url is not None
        parts = urlsplit(self._broker_url)
        first = int(parts.path.strip("/") or 0) if parts.path.strip("/").isdigit() or not parts.path.strip("/") else 0
        return urlunsplit(parts._replace(path=f"/{(first + number) % BROKER_DATABASES}"))


def _check_broker(*, url: str) -> None:
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS
        ) as broker:
            broker.ping()
    except ValueError:
        raise SetupError("CELERY_BROKER_URL cannot be read: write redis://:password@host:port/0") from None
    except redis.RedisError as error:
        raise SetupError(f"the Redis of CELERY_BROKER_URL cannot be used: {type(error).__name__}") from None
