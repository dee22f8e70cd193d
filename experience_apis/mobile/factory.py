"""Makes the app of the experience API `mobile`."""

from __future__ import annotations

from experience_apis.mobile.api import Orders
from strata.calls import ASGIApp
from strata.context import Context
from strata.serve import Mount, service


def create(context: Context) -> ASGIApp:
    """The app of the service `experience-mobile`."""
    return service(context, "experience-mobile", [Mount(Orders(context))])
