"""What each API offers: contracts as classes whose methods are operations.

A contract is declared once. From it follow the route (strata/serve.py), the typed call of the layer above
(strata/topology.py), the OpenAPI document (strata/openapi.py), the scopes that the gateway checks, the portal page and
the contract tests.

    class Orders(Contract):
        '''Sales orders in a system of record.'''
        name, layer, version, title = "orders", Layer.SYSTEM, "v1", "Sales orders"

        @operation("GET", "/orders/{order_id}", scope="orders:read", errors=(NotFound,))
        async def get_order(self, order_id: str) -> OrderRef:
            '''Read one sales order.'''
            ...

A system API serves it by subclassing; a process calls it through a client of the same type.
"""

from strata.contracts.operation import Contract, Example, Layer, Operation, operation, operations_of

__all__ = ["Contract", "Example", "Layer", "Operation", "operation", "operations_of"]
