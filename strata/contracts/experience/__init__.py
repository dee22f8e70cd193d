"""Experience contracts: one per audience, with payloads tailored to it."""

from strata.contracts.experience.mobile import MobileOrders
from strata.contracts.experience.partner import PartnerOrders
from strata.contracts.experience.web import WebOrders

CONTRACTS = (MobileOrders, PartnerOrders, WebOrders)

__all__ = ["CONTRACTS", "MobileOrders", "PartnerOrders", "WebOrders"]
