"""Makes the app of the experience API `partner`."""

from __future__ import annotations

from experience_apis.partner.api import Orders
from strata.calls import ASGIApp
from strata.context import Context
from strata.serve import Mount, service


def create(context: Context) -> ASGIApp:
    """The app of the service `experience-partner`."""
    return service(context, "experience-partner", [Mount(Orders(context))])
