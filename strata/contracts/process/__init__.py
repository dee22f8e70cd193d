"""Process contracts: what the business processes offer to the experience layer and to each other."""

from strata.contracts.process.orders import OrderManagement

CONTRACTS = (OrderManagement,)

__all__ = ["CONTRACTS", "OrderManagement"]
