"""Whether a shop can be used right now (capability `health`)."""

from __future__ import annotations

from strata.contracts.system import Health
from strata.contracts.system.health import BackendHealth
from strata.errors import AuthRefused, StrataError, Throttled
from system_apis.shopify import documents
from system_apis.shopify.client import ShopifyClient


class ShopifyHealth(Health):
    """Asks for the shop's name."""

    def __init__(self, connection: str, client: ShopifyClient) -> None:
        self._connection = connection
        self._client = client

    async def check(self) -> BackendHealth:
        try:
            await self._client.run(documents.SHOP, {})
        except AuthRefused as error:
            return BackendHealth(self._connection, "shopify", "auth_refused", error.detail)
        except Throttled as error:
            return BackendHealth(self._connection, "shopify", "throttled", error.detail)
        except StrataError as error:
            return BackendHealth(self._connection, "shopify", "unreachable", error.detail)
        return BackendHealth(self._connection, "shopify", "ok")
