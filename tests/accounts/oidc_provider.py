"""A municipality's provider, small and real: OpenID Connect over HTTP, with codes, PKCE and tokens that are signed.

It checks what a provider checks (client, secret, redirect address, verifier, each code once), so that a sign-in that
works here is one that providers take. `people` are who can sign in, by a word, with the claims that their token has;
`faults` makes it do what it should not.
"""

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "gemeente:app 1", "een geheim: met tekens %"
WELL_KNOWN = "/.well-known/openid-configuration"


def entra(subject: str, *, email: str, name: str, **more: Any) -> dict[str, Any]:
    """Return claims as Entra ID gives them: no `email_verified`, and the address as preferred_username."""
    return {"sub": subject, "oid": f"oid-{subject}", "preferred_username": email, "name": name, "ver": "2.0", **more}


_turns = cycle(range(5))  # to make a key takes a tenth of a second: five go round, so that no two nearby are the same


@cache
def _key(number: int) -> rsa.RSAPrivateKey:
    """Return one of the keys."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class OidcProvider:
    """One provider, listening on a port of this machine. path: of its issuer, as a tenant at Microsoft has one."""

    def __init__(self, *, path: str = "/9f1c2d/v2.0", port: int = 0) -> None:
        """Take its keys and open its port."""
        self.key, self.other_key = _key(next(_turns)), _key(-1)
        self.people: dict[str, dict[str, Any]] = {}
        self.faults: dict[str, Any] = {}
        self.asked: list[str] = []  # paths
        self.authorized: list[dict[str, str]] = []  # what people were sent with
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"provider": self}))
        self._server.daemon_threads = True
        self.connections: set[socket.socket] = set()
        self.port = self._server.server_address[1]
        self.path = path
        self.issuer = f"http://127.0.0.1:{self.port}{path}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be gone: nothing is answered any more, also not on connections that were kept open."""
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def document(self) -> dict[str, Any]:
        """Return the discovery document."""
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }
        return {name: value for name, value in {**document, **self.faults.get("document", {})}.items() if value}

    def keys(self) -> dict[str, Any]:
        """Return the keys that tokens are checked with."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "k1", "use": "sig"}, {"kty": "oct", "kid": "k2", "k": "AAAA"}]}

    def come_as(self, word: str, query: dict[str, str]) -> str:
        """Sign somebody in who was sent here; return where they are sent back to."""
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert {"openid", "profile", "email"} <= set(query["scope"].split())
        if word == "cancel":
            back = {"error": "access_denied", "state": query["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = {**query, "word": word}
            back = {"code": code, "state": query["state"]}
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code."""
        if authorization.startswith("Basic "):
            name, _colon, secret = base64.b64decode(authorization[6:]).decode().partition(":")
            client = (unquote_plus(name), unquote_plus(secret))
        else:
            client = (form.get("client_id", ""), form.get("client_secret", ""))
        if client != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": self._sign(asked)}

    def _sign(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "nonce": asked["nonce"],
            **self.people[asked["word"]],
            **self.faults.get("claims", {}),
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.faults.get("algorithm") == "none":
            return jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})
        if self.faults.get("algorithm") == "HS256":
            return jwt.encode(claims, CLIENT_SECRET.ljust(32, "x"), algorithm="HS256", headers={"kid": "k1"})
        key = self.other_key if self.faults.get("key") == "other" else self.key
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": self.faults.get("kid", "k1")})


class _Handler(BaseHTTPRequestHandler):
    provider: OidcProvider
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.provider.connections.add(self.connection)

    def finish(self) -> None:
        self.provider.connections.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        query = dict(parse_qsl(parts.query))
        place = parts.path.removeprefix(self.provider.path)
        time.sleep(self.provider.faults.get("seconds", 0))
        if "redirect" in self.provider.faults:
            self._answer(302, b"", Location=self.provider.faults["redirect"])
        elif place == WELL_KNOWN:
            raw = self.provider.faults.get("raw")
            self._answer(200, raw if raw is not None else json.dumps(self.provider.document()).encode())
        elif place == "/keys":
            self._answer(200, json.dumps(self.provider.faults.get("keys", self.provider.keys())).encode())
        elif place == "/authorize" and "as" not in query:
            self.provider.authorized.append(query)
            self._answer(200, self._choice(query), **{"Content-Type": "text/html; charset=utf-8"})
        elif place == "/authorize":
            word = query.pop("as")
            self._answer(302, b"", Location=self.provider.come_as(word, query))
        else:
            self._answer(404, b"{}")

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        form = {name: values[0] for name, values in parse_qs(sent.decode()).items()}
        status, said = self.provider.token(form, self.headers.get("Authorization", ""))
        self._answer(status, json.dumps(said).encode())

    def _choice(self, query: dict[str, str]) -> bytes:
        words = [*self.provider.people, "cancel"]
        links = "".join(f'<li><a href="?{urlencode({**query, "as": word})}">{word}</a></li>' for word in words)
        return f"<!DOCTYPE html><title>Aanmelden</title><h1>Kies een account</h1><ul>{links}</ul>".encode()

    def _answer(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
        """Say nothing."""


@contextmanager
def provider(**particulars: Any) -> Iterator[OidcProvider]:
    """Have a provider for as long as the block lasts."""
    made = OidcProvider(**particulars)
    try:
        yield made
    finally:
        made.stop()
