"""Sales orders (capability `orders`)."""

from __future__ import annotations

from datetime import datetime, timedelta

from strata.canonical.orders import OrderRef, SalesOrder
from strata.contracts.system import Orders
from strata.errors import Conflict, FieldError, Invalid, NotFound
from system_apis.netsuite import mapping, wire
from system_apis.netsuite.client import NetSuiteClient, external
from system_apis.netsuite.currencies import Currencies

_SAME_SAVE = timedelta(seconds=2)


class NetSuiteOrders(Orders):
    """Serves the contract for one account."""

    def __init__(self, client: NetSuiteClient, currencies: Currencies, names: mapping.Names) -> None:
        self._client = client
        self._currencies = currencies
        self._names = names

    async def put_order(self, key: str, *, body: SalesOrder, look_first: bool = False) -> OrderRef:
        if body.key != key:
            raise Invalid("The key in the path is not that of the order", errors=(FieldError("differs", "/key", key),))
        if look_first:
            there = await self._find(key)
            if there is not None:
                return there
        currency_id = await self._currencies.id_of(body.currency)
        record = mapping.new_order(
            body, currency_id, self._client.connection.zone, self._client.connection.order_status
        )
        what = f"NetSuite does not take order {body.number}"
        try:
            # lines are replaced, not added: should the order be there after all, it does not grow
            written = await self._client.put("salesOrder", key, record, replace="item", what=what)
        except Conflict:
            there = await self._find(key)
            if there is None:
                raise
            return there
        except Invalid as error:
            raise mapping.explained(error, body) from error
        return await self._read(written.id, key)

    async def get_order(self, key: str) -> OrderRef:
        return await self._read(external(key), key, created=False)

    async def _find(self, key: str) -> OrderRef | None:
        try:
            return await self.get_order(key)
        except NotFound:
            return None

    async def _read(self, record: str, key: str, *, created: bool | None = None) -> OrderRef:
        found = await self._client.get("salesOrder", record, wire.SalesOrderRecord, fields=wire.SALES_ORDER_FIELDS)
        currency = await self._currencies.code_of(found.currency.id)
        new = _just_created(found) if created is None else created
        return mapping.order_ref(found, key, currency, self._names, created=new)


def _just_created(order: wire.SalesOrderRecord) -> bool:
    """Whether nothing has happened to an order since it was made."""
    try:
        created, changed = (datetime.fromisoformat(t) for t in (order.created_date, order.last_modified_date))
    except ValueError:
        return True
    return changed - created <= _SAME_SAVE
