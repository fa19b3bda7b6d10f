"""kill -9 of the worker that fetches: in the midst of a download, and between the storage and the row."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now
from django_tenants.utils import schema_context

from config.env import storage_url
from config.local.folders import ROOT
from messaging.media import blobs, fetching
from messaging.models import Blob, Medium
from tests.messaging import meta, meta_sandbox
from tests.messaging.media_files import picture

WORKER = """
import os, sys, time
sys.path.insert(0, os.getcwd())
import django
django.setup()
from messaging.media import blobs, fetching
if sys.argv[1] == "stored":
    keep = blobs.keep
    blobs.keep = lambda **given: (keep(**given), print("here", flush=True), time.sleep(60))
fetching.fetch_due(schema_name="utrecht")
print("done", flush=True)
"""


@pytest.mark.parametrize("moment", ["downloading", "stored"])
def test_a_killed_worker_loses_nothing_and_leaves_nothing(committing_db, utrecht, settings, tmp_path, moment):
    at = datetime.now(UTC)
    folder = tmp_path / "media"
    url = f"file://{folder}"
    with meta_sandbox.running() as whatsapp:
        whatsapp.knows(utrecht)
        settings.META_GRAPH_URL = whatsapp.url
        settings.STORAGES = {**settings.STORAGES, "media": storage_url(url)}
        with schema_context("utrecht"):
            bodies = [whatsapp.send(utrecht, picture(), at=at, wamid=f"wamid.{n}") for n in range(3)]
            meta.receive(utrecht, *bodies)
        if moment == "downloading":
            whatsapp.fails({"kind": "hang", "seconds": 8, "count": 1})
        environ = {
            **os.environ,
            "DATABASE_URL": committing_db.url,
            "META_GRAPH_URL": whatsapp.url,
            "STORAGE_URL": url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, moment], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
        )
        try:
            _until(lambda: _claimed())
            if moment == "stored":
                assert worker.stdout.readline() == "here\n"
            else:
                _until(lambda: not whatsapp.sandbox.world.faults.media)
        finally:
            worker.kill()
            worker.wait(10)
        with schema_context("utrecht"):
            assert Medium.objects.filter(state="PENDING").exists()
            # The lease ends by itself after a minute.
            past = Now() - timedelta(seconds=1)
            Medium.objects.filter(state="PENDING").update(claimed_until=past, due_at=past)
        for _ in range(5):
            fetching.fetch_due(schema_name="utrecht")
            with schema_context("utrecht"):
                Medium.objects.filter(state="PENDING").update(due_at=Now() - timedelta(seconds=1))
        with schema_context("utrecht"):
            assert list(Medium.objects.values_list("state", flat=True)) == ["STORED"] * 3
            Blob.objects.exclude(state="KEPT").update(changed_at=Now() - timedelta(hours=2))
            blobs.sweep()
            names = set(Blob.objects.values_list("name", flat=True))
            assert set(Blob.objects.values_list("state", flat=True)) == {"KEPT"}
            assert len(names) == 6  # an original and a small picture each
        assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == names


def _claimed() -> bool:
    with schema_context("utrecht"):
        return Medium.objects.filter(claimed_until__gt=Now()).exists()


def _until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
