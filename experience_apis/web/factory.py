"""Makes the app of the experience API `web`."""

from __future__ import annotations

from experience_apis.web.api import Orders
from strata.calls import ASGIApp
from strata.context import Context
from strata.serve import Mount, service


def create(context: Context) -> ASGIApp:
    """The app of the service `experience-web`."""
    return service(context, "experience-web", [Mount(Orders(context))])
