"""System contracts: one per capability, not per vendor. Every backend that has the capability serves the same one."""

from strata.contracts.system.channel_fulfilments import ChannelFulfilments
from strata.contracts.system.channel_orders import ChannelOrders
from strata.contracts.system.customers import Customers
from strata.contracts.system.fulfilments import Fulfilments
from strata.contracts.system.health import Health
from strata.contracts.system.orders import Orders
from strata.contracts.system.products import Products

CONTRACTS = (ChannelFulfilments, ChannelOrders, Customers, Fulfilments, Health, Orders, Products)

__all__ = [
    "CONTRACTS", "ChannelFulfilments", "ChannelOrders", "Customers", "Fulfilments", "Health", "Orders", "Products",
]  # fmt: skip
