"""The control door: clock, switches, registration, books, reset; and the process itself."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sandbox_doors import NUMBER, WABA, Doors, Platform, business

from sandbox.clock import Clock

ROOT = Path(__file__).parents[2]


def test_the_clock_file_holds_the_offset_for_other_processes(tmp_path: Path) -> None:
    path = tmp_path / "var" / "clock"
    clock = Clock(path=path)
    assert path.read_bytes() == bytes(8)
    clock.move_to(moment=time.time() - 1_000_000)
    (offset,) = struct.unpack("<d", path.read_bytes())
    assert offset == pytest.approx(-1_000_000, abs=1)
    clock.close()
    assert Clock(path=path).now() == pytest.approx(time.time() - 1_000_000, abs=1)


async def test_the_clock_goes_back_only_before_any_traffic(doors: Doors) -> None:
    await doors.control("POST", "clock", {"to": "2020-01-01T00:00:00+01:00"})
    assert (await doors.control("GET", "clock"))["now"].startswith("2019-12-31T23:00")
    await doors.write()
    await doors.control("POST", "clock", {"to": "2019-01-01T00:00:00+01:00"}, status=409)
    await doors.control("POST", "clock", {"advance_seconds": -1}, status=409)
    await doors.control("POST", "reset")
    await doors.control("POST", "clock", {"to": "2019-01-01T00:00:00+01:00"})


@pytest.mark.parametrize("body", [{}, {"to": "morgen"}, {"to": "2026-01-01T00:00:00"}, {"advance_seconds": "1"}])
async def test_an_unfit_moment_is_refused(doors: Doors, body: dict[str, Any]) -> None:
    await doors.control("POST", "clock", body, status=400)


async def test_a_reset_leaves_nothing(doors: Doors, platform: Platform) -> None:
    await doors.write()
    await doors.send()
    await doors.control("POST", "faults", {"sends": [{"kind": "error", "code": 1}]})
    await doors.control("POST", "reset")
    summary = await doors.control("GET", "books/summary")
    assert (summary["inbound_messages"], summary["sends_accepted"], summary["unacknowledged"]) == (0, 0, 0)
    assert (await doors.control("GET", "faults"))["sends"] == []
    assert (await doors.send())[1]["error"]["code"] == 190
    before = len(platform.posts)
    await doors.until_quiet()
    assert len(platform.posts) == before


async def test_registering_a_business_again_changes_nothing_else(doors: Doors) -> None:
    await doors.write()
    assert await doors.control("POST", "businesses", business()) == await doors.control(
        "POST", "businesses", business()
    )
    assert (await doors.send())[0] == 200
    await doors.control("POST", "businesses", business(waba="2"), status=409)
    await doors.control("POST", "businesses", business(waba="2", token="other"), status=409)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("switches", {"no_such": 1}),
        ("switches", {"pair_limit": "yes"}),
        ("switches", {"payload_version": "v1"}),
        ("switches", []),
        ("businesses", {"waba_id": "2"}),
        ("businesses", {"waba_id": "2", "access_token": "x", "phone_numbers": [{"id": "1"}]}),
        ("inbound", {}),
        ("inbound", {"updates": ["x"]}),
        ("inbound", {"updates": [{"phone_number_id": "0"}]}),
        ("inbound", {"updates": [{"phone_number_id": NUMBER, "citizen": {}}]}),
        ("inbound", {"updates": [{"phone_number_id": NUMBER, "citizen": {"phone": "31697000001"}}]}),
        (
            "inbound",
            {"updates": [{"phone_number_id": NUMBER, "citizen": {"bsuid": "x"}, "message": {"type": "text"}}]},
        ),
        ("statuses", {"statuses": [{"wamid": "wamid.none", "status": "read"}]}),
        ("citizens", {"phone_number_id": NUMBER, "citizen": {"phone": "31697000001"}, "behaviour": "sings"}),
        ("citizens/link", {"phone_number_id": NUMBER, "phone": "31697000001"}),
        ("story", {"businesses": [{"waba_id": WABA, "phone_number_id": NUMBER}], "month": "oktober"}),
        ("conversations/close", {"month": "2026-13"}),
    ],
)
async def test_a_malformed_call_is_refused_with_a_reason(doors: Doors, path: str, body: Any) -> None:
    answer = await doors.control("POST", path, body, status=400)
    assert answer["error"]


async def test_the_books_are_read_by_page_and_by_our_id(doors: Doors) -> None:
    await doors.write()
    for order in range(5):
        await doors.send(biz_opaque_callback_data=f"id-{order % 4}")
    page = (await doors.control("GET", "books?list=sends&limit=2&offset=2"))["sends"]
    assert (page["count"], page["next_offset"], [row["id"] for row in page["rows"]]) == (5, 4, [3, 4])
    found = (await doors.control("GET", "books?list=sends&opaque=id-0"))["sends"]
    assert found["count"] == 2
    summary = await doors.control("GET", "books/summary")
    assert (summary["sends_accepted"], summary["duplicates_by_opaque_id"]) == (5, 1)
    await doors.control("GET", "books?list=secrets", status=400)


async def test_new_books_keep_businesses_and_windows_and_hold_the_clock(doors: Doors) -> None:
    await doors.write()
    await doors.send()
    await doors.until_quiet()
    summary = await doors.control("DELETE", "books")
    assert (summary["inbound_messages"], summary["sends_accepted"], summary["statuses"]) == (0, 0, {})
    assert (await doors.send())[0] == 200
    await doors.control("DELETE", "books")
    await doors.control("POST", "clock", {"to": "2019-01-01T00:00:00+01:00"}, status=409)


async def test_wamids_differ_after_a_restart(doors: Doors) -> None:
    before = await doors.write()
    await doors.control("POST", "reset")
    await doors.control("POST", "businesses", business())
    assert await doors.write() != before


async def test_waiting_ends_when_the_platform_does_not_acknowledge(doors: Doors, platform: Platform) -> None:
    platform.answers = [503] * 1000
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": "31697000001"},
        "message": {"type": "text", "text": {"body": "Hallo"}},
    }
    await doors.control("POST", "inbound", {"updates": [update], "wait": True, "wait_seconds": 0.1}, status=504)
    await doors.control("POST", "inbound", {"updates": [update], "wait_seconds": 0}, status=400)


@pytest.mark.parametrize(
    ("citizen", "switches", "ids"),
    [
        ({"phone": "31697000001"}, {}, {"from": "31697000001"}),
        ({"phone": "31697000001", "bsuid": "NL.1"}, {}, {"from": "31697000001", "from_user_id": "NL.1"}),
        ({"bsuid": "NL.1"}, {}, {"from_user_id": "NL.1"}),
        ({"bsuid": "NL.1"}, {"bsuid_in_from": True}, {"from": "NL.1", "from_user_id": "NL.1"}),
        (
            {"bsuid": "NL.1", "parent_bsuid": "NL.ENT.1"},
            {},
            {"from_user_id": "NL.1", "from_parent_user_id": "NL.ENT.1"},
        ),
    ],
)
async def test_citizens_show_the_ids_that_meta_discloses(
    doors: Doors, platform: Platform, citizen: dict[str, str], switches: dict[str, Any], ids: dict[str, str]
) -> None:
    await doors.control("POST", "switches", switches)
    update = {"phone_number_id": NUMBER, "citizen": citizen, "message": {"type": "text", "text": {"body": "Hallo"}}}
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    message = platform.updates("messages")[0]
    assert {key: value for key, value in message.items() if key.startswith("from")} == ids


KINDS = {
    "image": {},
    "video": {"caption": "Kijk"},
    "audio": {},
    "document": {"filename": "brief.pdf"},
    "sticker": {},
    "location": {"latitude": 52.2, "longitude": 6.9},
    "contacts": [{"name": {"formatted_name": "Anna"}}],
    "interactive": {"type": "button_reply", "button_reply": {"id": "ja", "title": "Ja"}},
    "button": {"payload": "ja", "text": "Ja"},
    "reaction": {"message_id": "wamid.x", "emoji": "👍"},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_message_has_its_object(doors: Doors, platform: Platform, kind: str) -> None:
    update = {
        "phone_number_id": NUMBER,
        "citizen": {"phone": "31697000001"},
        "message": {"type": kind, kind: KINDS[kind]},
        "context_wamid": "wamid.before",
    }
    await doors.control("POST", "inbound", {"updates": [update], "wait": True})
    message = platform.updates("messages")[0]
    assert message["type"] == kind
    if kind in ("image", "video", "audio", "document", "sticker"):
        assert {"id", "mime_type", "sha256", "url"} <= message[kind].keys()
    else:
        assert message[kind] == KINDS[kind]
    assert message["context"]["id"] == "wamid.before"


def start(tmp_path: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "SANDBOX_PORT": str(port), "CLOCK_FILE": str(tmp_path / "clock")}
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{port}/_sandbox"
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):
                return process, url
        except OSError:
            time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate())


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_one_line_and_stops_cleanly_at_once(tmp_path: Path, stop: signal.Signals) -> None:
    process, url = start(tmp_path)
    body = json.dumps({"advance_seconds": 3600}).encode()
    with urllib.request.urlopen(f"{url}/clock", data=body, timeout=5) as answer:
        assert json.load(answer)["offset_seconds"] == pytest.approx(3600, abs=1)
    before = time.monotonic()
    process.send_signal(stop)
    out, err = process.communicate(timeout=5)
    assert process.returncode == 0
    assert time.monotonic() - before < 2
    assert out == b""
    assert len(err.splitlines()) == 1
    assert struct.unpack("<d", (tmp_path / "clock").read_bytes())[0] == pytest.approx(3600, abs=1)


def test_help_tells_the_environment() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20
    )
    for name in ("SANDBOX_PORT", "SANDBOX_WEBHOOK_URL", "META_APP_SECRET", "CLOCK_FILE"):
        assert name in shown.stdout


def test_the_readme_lists_every_switch() -> None:
    from dataclasses import fields

    from sandbox.switches import Switches

    readme = (ROOT / "sandbox" / "README.md").read_text()
    assert [each.name for each in fields(Switches) if f"`{each.name}`" not in readme] == []
