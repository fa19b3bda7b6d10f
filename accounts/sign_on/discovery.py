"""What a provider says of itself (its discovery document and keys), and whether a token is really its own.

Sources: OpenID Connect Discovery 1.0, section 4; OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725 on tokens.
"""

from dataclasses import dataclass
from typing import Any

import jwt

from accounts.sign_on.fetching import check_address, get_json
from accounts.sign_on.trouble import ProviderTrouble

WELL_KNOWN = "/.well-known/openid-configuration"
# Signatures by a key that the provider alone has: with a shared secret (HS256) or none, anybody could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_SECONDS = 60  # by which the provider's clock may differ


@dataclass(frozen=True, slots=True)
class Provider:
    """What is used of a discovery document."""

    issuer: str  # as tokens name it
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    takes_basic: bool  # the secret goes in a header; else in the form


def issuer_of(typed: str) -> str:
    """Return the issuer that an admin means, who may have typed the address of its document; no slash at its end."""
    return typed.strip().removesuffix(WELL_KNOWN).rstrip("/")


def discover(*, issuer: str) -> Provider:
    """Ask a provider for its document and check it.  Raises ProviderTrouble."""
    found = get_json(url=issuer + WELL_KNOWN)
    said = found.get("issuer")
    if not isinstance(said, str) or issuer_of(said) != issuer:
        raise ProviderTrouble("OTHER_ISSUER")
    addresses = {name: _address(found, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if "code" not in _list(found, "response_types_supported", default=["code"]):
        raise ProviderTrouble("NO_CODE_FLOW")
    if not set(_list(found, "id_token_signing_alg_values_supported", default=["RS256"])) & set(ALGORITHMS):
        raise ProviderTrouble("NO_SIGNATURE")
    methods = _list(found, "token_endpoint_auth_methods_supported", default=["client_secret_basic"])
    if not {"client_secret_post", "client_secret_basic"} & set(methods):
        raise ProviderTrouble("NO_SECRET")
    return Provider(issuer=said, takes_basic="client_secret_post" not in methods, **addresses)


def keys_of(*, provider: Provider) -> dict[str, jwt.PyJWK]:
    """Ask a provider for the keys that it signs with, by their names.  Raises ProviderTrouble."""
    found = get_json(url=provider.jwks_uri).get("keys")
    keys = {}
    for each in found if isinstance(found, list) else []:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kty") not in {"RSA", "EC"}:
            continue
        try:
            keys[str(each.get("kid", ""))] = jwt.PyJWK(each)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # one of a kind that we do not know; another may do
    if not keys:
        raise ProviderTrouble("NO_KEYS")
    return keys


def claims_of(*, token: str, provider: Provider, client_id: str, nonce: str) -> dict[str, Any]:
    """Return what a token says that the provider signed for us, and for this very sign-in.  Raises ProviderTrouble."""
    keys = keys_of(provider=provider)
    try:
        header = jwt.get_unverified_header(token)
        # Who has one key need not name it.
        key = keys.get(header["kid"]) if "kid" in header else next(iter(keys.values())) if len(keys) == 1 else None
        if key is None:
            raise ProviderTrouble("UNKNOWN_KEY")
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=ALGORITHMS,
            issuer=provider.issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        raise ProviderTrouble("BAD_TOKEN") from None
    if claims["nonce"] != nonce:
        raise ProviderTrouble("BAD_TOKEN")  # of another sign-in
    if claims.get("azp", client_id) != client_id:
        raise ProviderTrouble("BAD_TOKEN")  # given to another client
    return claims


def _address(found: dict[str, Any], name: str) -> str:
    address = found.get(name)
    if not isinstance(address, str):
        raise ProviderTrouble("INCOMPLETE")
    check_address(url=address)
    return address


def _list(found: dict[str, Any], name: str, *, default: list[str]) -> list[Any]:
    value = found.get(name, default)
    return value if isinstance(value, list) else []
