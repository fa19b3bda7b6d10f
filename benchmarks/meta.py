"""The sandbox as Meta, from the side of a benchmark: numbers it knows, its switches, and when it got what."""

import json
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from benchmarks.municipalities import Tenant
from benchmarks.outboxes import TEMPLATE

PAGE = 1000


class Meta:
    """One running sandbox."""

    def __init__(self, *, url: str) -> None:
        """Name it."""
        self._url = url

    def know(self, *, tenants: Sequence[Tenant]) -> None:
        """Have it know the numbers of municipalities, with a template that it approved."""
        for tenant in tenants:
            number = {"id": tenant.phone_number_id, "display_phone_number": tenant.display_phone_number}
            token = f"token-of-{tenant.schema_name}"
            templates = [{"name": TEMPLATE["name"], "language": TEMPLATE["language"], "body": TEMPLATE["body"]}]
            self.call(
                "businesses",
                {
                    "waba_id": tenant.waba_id,
                    "access_token": token,
                    "phone_numbers": [number],
                    "templates": templates,
                },
            )

    def switch(self, **values: Any) -> None:
        """Set switches of its behaviour."""
        self.call("switches", values)

    def forget(self) -> None:
        """Have it begin new books."""
        self.call("books", None, method="DELETE")

    def accepted(self) -> int:
        """Return how many sends it accepted."""
        found: int = self.call("books/summary", None)["sends_accepted"]
        return found

    def sends(self, *, phone_number_id: str | None = None) -> list[tuple[str, str, float, str]]:
        """Return all sends that it got: number, our id, the moment (seconds since the epoch), outcome."""
        found: list[tuple[str, str, float, str]] = []
        offset: int | None = 0
        while offset is not None:
            query = f"books?list=sends&offset={offset}&limit={PAGE}"
            if phone_number_id is not None:
                query += f"&phone_number_id={phone_number_id}"
            page = self.call(query, None)["sends"]
            for row in page["rows"]:
                moment = datetime.fromisoformat(row["time"]).timestamp()
                found.append((row["phone_number_id"], row["biz_opaque_callback_data"], moment, row["outcome"]))
            offset = page["next_offset"]
        return found

    def call(self, path: str, body: dict[str, Any] | None, *, method: str | None = None) -> dict[str, Any]:
        """Call its control door."""
        request = urllib.request.Request(
            f"{self._url}/_sandbox/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            read: dict[str, Any] = json.load(answer)
        return read
