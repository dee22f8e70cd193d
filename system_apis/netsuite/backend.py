"""NetSuite as a backend: its connection and what it offers."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from strata.contracts.system import Customers, Fulfilments, Health, Orders, Products
from system_apis.backend import Backend

Seconds = Annotated[float, Meta(gt=0)]


class TokenBased(Struct, frozen=True, kw_only=True, tag_field="kind", tag="tba", forbid_unknown_fields=True):
    """Token-based authentication: OAuth 1.0a with HMAC-SHA256 on every request."""

    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str
    realm: str = ""
    """Account id as NetSuite shows it, e.g. `1234567_SB1`. Default: `account` of the connection."""


class CertificateBased(
    Struct, frozen=True, kw_only=True, tag_field="kind", tag="oauth2_m2m", forbid_unknown_fields=True
):
    """OAuth 2.0 client credentials: an assertion signed with the key of a certificate."""

    client_id: str
    certificate_id: str
    private_key_file: str
    """PEM file of the private key; RSA of at least 3072 bits, or an elliptic curve key for ES256 and its like."""
    token_url: str = ""
    scope: str = "rest_webservices"
    algorithm: Literal["PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] = "PS256"


class NetSuiteConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account."""

    account: Annotated[str, Meta(min_length=1, max_length=60)]
    """Account id as NetSuite shows it, e.g. `1234567_SB1`."""
    auth: TokenBased | CertificateBased
    base_url: str = ""
    """Default `https://{account}.suitetalk.api.netsuite.com`."""
    concurrency: Annotated[int, Meta(ge=1, le=500)] = 5
    """Calls that may be in flight in the whole account, less what other integrations need."""
    request_timeout_s: Seconds = 30.0
    """When we give a call up."""
    connect_timeout_s: Seconds = 5.0
    server_limit_s: Seconds = 900.0
    """When NetSuite itself ends a request: until then a call that was given up still takes a place."""
    wait_s: Seconds = 20.0
    """Longest a call waits for a place."""
    time_zone: str = "UTC"
    """Time zone of the account's (or the role's) preferences, in which SuiteQL shows and reads times."""
    order_status: Literal["", "A", "B"] = ""
    """Status that new orders get: A pending approval, B pending fulfilment; empty leaves it to the account."""
    item_cache_s: Annotated[float, Meta(ge=0)] = 300.0
    """How long items are kept before they are read again."""

    @property
    def host_account(self) -> str:
        """The account as host names have it."""
        return self.account.lower().replace("_", "-")

    @property
    def url(self) -> str:
        """Base URL of SuiteTalk REST."""
        return self.base_url.rstrip("/") or f"https://{self.host_account}.suitetalk.api.netsuite.com"

    @property
    def zone(self) -> ZoneInfo:
        """`time_zone` as a zone."""
        return ZoneInfo(self.time_zone)


BACKEND = Backend(
    vendor="netsuite",
    title="NetSuite",
    connection=NetSuiteConnection,
    capabilities=(Orders, Customers, Products, Fulfilments, Health),
    doc="An ERP, over SuiteTalk REST records and SuiteQL, with TBA or OAuth 2.0 M2M.",
)
