"""What is fixed about the simulated account, and the settings that the control API may change.

Account ids look like `1234567_SB1`: in hosts lower case with `-`, in `realm` and configuration in this form.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from sandbox.core.vendor import Limits as VendorLimits

ACCOUNT = "TD3025871_SB1"
COMPANY = "Northwind Outfitters"
ROLE_ID = 1042
ROLE_NAME = "Integration"
USER_ID = 6
USER_EMAIL = "integration@northwind.example"

REST = "/services/rest"
RECORD = f"{REST}/record/v1"
SUITEQL = f"{REST}/query/v1/suiteql"
JOBS = f"{REST}/async/v1/job"
TOKEN = f"{REST}/auth/oauth2/v1/token"
RESTLET = "/app/site/hosting/restlet.nl"
TOKEN_INFO = "/rest/tokeninfo"
TIMEZONE = "UTC"  # the account preference in which SuiteQL shows and reads times


class Limits(VendorLimits):
    """Settings of `POST /_sandbox/limits`.

    concurrency: requests that may be in flight in the account, REST and RESTlets together (vendor: 5 to 55 by tier).
    request_timeout_s: the server ends a request that runs longer (vendor: 15 min).
    """

    concurrency: Annotated[int, msgspec.Meta(ge=1)] | None = 5
