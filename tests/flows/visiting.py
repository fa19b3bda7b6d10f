"""Somebody in front of a running platform's pages, without a browser: cookies, forms, and where the answers lead."""

import logging
import re
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from config.local.sign_ins import code
from tests.flows.live import Live
from tests.flows.witnesses import addresses

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell of each request
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass
class Visitor:
    """Somebody in front of one host, with cookies; remembers what addresses they were sent to."""

    live: Live
    host: str
    led_to: list[str]
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        port = self.live.instance.web_port
        self.client = httpx.Client(
            base_url=self.live.instance.urls.web,
            headers={"Host": f"{self.host}.localhost:{port}"},
            timeout=30,
            verify=False,  # there is no TLS here, and reading certificates for nothing takes its time
        )

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Make one request."""
        answer = self.client.request(method, path, **given)
        page = answer.text if "html" in answer.headers.get("content-type", "") else ""
        self.led_to += addresses(page=page, headers=dict(answer.headers))
        return answer

    def get(self, path: str, **given: Any) -> httpx.Response:
        """Open a page."""
        return self.call("GET", path, **given)

    def submit(self, path: str, form: dict[str, str], *, on: str = "") -> httpx.Response:
        """Fill in the form of a page; what the page has hidden in it goes along."""
        hidden = dict(_HIDDEN.findall(self.get(on or path).text))
        return self.call("POST", path, data={**hidden, **form})

    def sign_in(self, email: str, password: str, *, totp_secret: str = "") -> httpx.Response:
        """Sign in through the form, and give the code of an app when it is asked for: one that was not used before."""
        answer = self.submit("/sign-in/", {"login": email, "password": password})
        while totp_secret and answer.headers.get("location") == "/sign-in/second-step/":
            given = self.submit("/sign-in/second-step/", {"code": code(secret=totp_secret)})
            if given.status_code == 302:
                return given
            time.sleep(2)
        return answer
