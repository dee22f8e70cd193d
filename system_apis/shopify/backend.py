"""Shopify as a backend: its connection and what it offers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from strata.contracts.system import ChannelFulfilments, ChannelOrders, Health
from system_apis.backend import Backend

ShopSubdomain = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$", description="`acme` of acme.myshopify.com")]
ApiVersion = Annotated[str, Meta(pattern=r"^(\d{4}-(01|04|07|10)|unstable)$")]


class ShopifyConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One shop. Give `access_token`, or `client_id` and `client_secret` for the client credentials grant."""

    shop: ShopSubdomain
    access_token: str = ""
    client_id: str = ""
    client_secret: str = ""
    webhook_secret: str = ""
    """Client secret of the app: signs webhooks. Default: `client_secret`."""
    webhook_secret_previous: str = ""
    """The secret before a rotation; Shopify goes on signing with it for up to an hour."""
    api_version: ApiVersion = "2026-10"
    base_url: str = ""
    """Default `https://{shop}.myshopify.com`."""
    callback_base: str = ""
    """Base URL under which Shopify reaches us. Empty: Strata does not manage webhook subscriptions of this shop."""
    request_timeout_s: float = 10.0
    """When a call is given up."""
    connect_timeout_s: float = 3.0
    max_wait_s: float = 2.0
    """Longest a call waits for query points before it tells its caller to come back."""

    @property
    def url(self) -> str:
        """Base URL of the shop."""
        return self.base_url.rstrip("/") or f"https://{self.shop}.myshopify.com"

    @property
    def domain(self) -> str:
        """What `X-Shopify-Shop-Domain` says."""
        return f"{self.shop}.myshopify.com"

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """Secrets that a webhook may be signed with, the current one first."""
        return tuple(s for s in (self.webhook_secret or self.client_secret, self.webhook_secret_previous) if s)


BACKEND = Backend(
    vendor="shopify",
    title="Shopify",
    connection=ShopifyConnection,
    capabilities=(ChannelOrders, ChannelFulfilments, Health),
    doc="A web shop, over the GraphQL Admin API 2026-10 and signed webhooks.",
)
