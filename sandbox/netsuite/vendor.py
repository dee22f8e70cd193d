"""NetSuite as the sandbox runs it: who is asking, what for, and which part answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sandbox.core.company import company
from sandbox.core.faults import Fault
from sandbox.core.http import Request, Response
from sandbox.core.vendor import Context, Urls
from sandbox.core.vendor import Limits as VendorLimits
from sandbox.netsuite import account, coverage
from sandbox.netsuite.account import Limits
from sandbox.netsuite.clerk import Seed, run_seed
from sandbox.netsuite.credentials import Credentials
from sandbox.netsuite.errors import ERROR_TYPE, Detail, NsError, invalid_login, throttled
from sandbox.netsuite.governance import Governance
from sandbox.netsuite.jobs import Jobs
from sandbox.netsuite.oauth1 import BadSignature, Verifier
from sandbox.netsuite.oauth2 import TokenService, host_of
from sandbox.netsuite.projections import Projections
from sandbox.netsuite.record_api import Call, RecordApi, call_of, invalid_url
from sandbox.netsuite.records import ENCODER, Records
from sandbox.netsuite.restlets import Restlets, as_restlet
from sandbox.netsuite.seed import Seeder
from sandbox.netsuite.service import Service
from sandbox.netsuite.suiteql import SuiteQL
from sandbox.netsuite.types import record_type

log = logging.getLogger("sandbox.netsuite")
MAX_BODY = 104 * 1024 * 1024
MAINTENANCE = (
    "The account you are trying to access is currently unavailable while we undergo our regularly scheduled"
    " maintenance."
)
# What a fault of this status says; others are unexpected errors.
STATUS_DETAILS = {
    401: invalid_login,
    403: lambda: NsError(403, Detail("You do not have permission for this operation.", "INSUFFICIENT_PERMISSION")),
    429: throttled,
    503: lambda: NsError(503, Detail(MAINTENANCE, "ACCT_TEMP_UNAVAILABLE")),
}


class NetSuite:
    """One NetSuite account (a `Vendor`)."""

    name = "netsuite"
    limits_type = Limits

    def __init__(self, context: Context) -> None:
        self.context = context
        self.limits: VendorLimits = Limits()
        host = host_of(account.ACCOUNT)
        self.tls_names: Sequence[str] = (
            f"{host}.suitetalk.api.netsuite.com",
            f"{host}.restlets.api.netsuite.com",
            f"{host}.app.netsuite.com",
        )
        in_memory = context.folder == Path()
        self._credentials = Credentials(context.secrets, None if in_memory else context.folder)
        self._verifier = Verifier([self._credentials.tba])
        self._tokens = TokenService(self._credentials)
        self._governance = Governance()
        self.records = Records(context.store, context.clock)
        self._projections = Projections(self.records)
        self.service = Service(self.records)
        self._api = RecordApi(self.service)
        self._jobs = Jobs(context.store, self._api.answer)
        self._restlets = Restlets(self.records)
        self._suiteql = SuiteQL(self.records)

    # The hooks of a Vendor -------------------------------------------------------------------------------------------

    def identify(self, request: Request) -> tuple[Sequence[str], str | None]:
        return (_operation(request),), account.ACCOUNT

    def admit(self, request: Request) -> Response | None:
        if not _governed(request.path):
            return None
        if not self._governance.enter(self.limits.concurrency):
            return self._refusal(request, throttled())
        request.scratch["governed"] = True
        return None

    def leave(self, request: Request) -> None:
        if request.scratch.pop("governed", False):
            self._governance.leave()

    def handle(self, request: Request) -> Response:
        if request.path == account.TOKEN:
            return self._tokens.answer(request, self.context.clock.now())
        database = self.context.store.db
        database.execute("SAVEPOINT request")
        try:
            response = self._answer(request)
        except NsError as error:
            # what a refused request has written so far is taken back
            database.execute("ROLLBACK TO request")
            response = self._refusal(request, error)
        database.execute("RELEASE request")
        return response

    def error(self, request: Request, kind: str, fault: Fault | None) -> Response:
        if kind == "throttle":
            return self._refusal(request, throttled())
        if kind == "maintenance":
            return self._refusal(request, STATUS_DETAILS[503]())
        status = fault.status if kind == "status" and fault is not None else 500
        made = STATUS_DETAILS.get(status)
        unexpected = Detail("An unexpected error occurred. Error ID: sandbox", "UNEXPECTED_ERROR")
        return self._refusal(request, made() if made is not None else NsError(status, unexpected))

    def seed(self, options: bytes) -> object:
        return run_seed(self.service, msgspec.json.decode(options, type=Seed))

    def fill(self, seed: int) -> None:
        Seeder(self.service, company(seed)).fill()

    def forget(self) -> None:
        self._suiteql.forget()

    def info(self, urls: Urls) -> dict[str, object]:
        certificates = self._credentials.certificates
        rsa, elliptic = certificates["rsa"], certificates["ec"]
        m2m = {
            "client_id": self._credentials.client_id,
            "token_url": f"{urls.base_url}{account.TOKEN}",
            "scope": "restlets rest_webservices",
        }
        return {
            "base_url": urls.base_url,
            "tls_url": urls.tls_url,
            "ca_file": urls.ca_file,
            "control_url": urls.control_url,
            "account": account.ACCOUNT,
            "timezone": account.TIMEZONE,
            "auth": {
                "tba": msgspec.to_builtins(self._credentials.tba),
                "oauth2_m2m": {
                    **m2m,
                    "certificate_id": rsa.certificate_id,
                    "private_key_file": str(rsa.private_key_file),
                    "algorithm": "PS256",
                },
                "oauth2_m2m_ec": {
                    **m2m,
                    "certificate_id": elliptic.certificate_id,
                    "private_key_file": str(elliptic.private_key_file),
                    "algorithm": "ES256",
                },
            },
            "restlets": [{"script": d.script_id, "deploy": d.deployment} for d in self._restlets.deployed],
            "limits": {
                "concurrency": self.limits.concurrency,
                "request_timeout_s": self.limits.request_timeout_s,
            },
        }

    def coverage(self) -> str:
        return coverage.markdown()

    async def start(self, urls: Urls) -> None:
        del urls  # links in answers echo the caller's host
        self._jobs.resume()

    async def stop(self) -> None:
        """Nothing runs in the background between requests."""

    # Answers ---------------------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response:
        scopes = self._authenticate(request)
        path = request.path
        if path in (account.RESTLET, account.TOKEN_INFO):
            if "restlets" not in scopes:
                raise NsError(403, Detail("The token does not allow RESTlets.", "INSUFFICIENT_PERMISSION"))
            return self._token_info() if path == account.TOKEN_INFO else self._restlets.answer(request)
        if "rest_webservices" not in scopes:
            raise NsError(403, Detail("The token does not allow REST web services.", "INSUFFICIENT_PERMISSION"))
        if len(request.body) > MAX_BODY:
            raise NsError(413, Detail("The request body is larger than 104 MB.", "INVALID_REQUEST"))
        if path.startswith(f"{account.JOBS}/"):
            return self._jobs.answer(call_of(request, account.JOBS))
        if path == account.SUITEQL:
            return self._suiteql.answer(call_of(request, account.SUITEQL))
        if path.startswith(f"{account.RECORD}/"):
            return self._record(call_of(request, account.RECORD))
        raise invalid_url()

    def _record(self, call: Call) -> Response:
        wishes = {wish.strip().lower() for wish in call.headers.get("prefer", "").split(",")}
        if "respond-async" in wishes and call.segments[:1] != ("metadata-catalog",):
            return self._jobs.accept(call)
        return self._api.answer(call)

    def _authenticate(self, request: Request) -> frozenset[str]:
        """What the caller may use. Raises NsError 401, without saying why."""
        authorization = request.headers.get("authorization", "")
        scheme, _, rest = authorization.partition(" ")
        now = self.context.clock.now()
        if scheme.lower() == "bearer":
            grant = self._tokens.check(rest.strip(), now)
            if grant is None:
                log.info("login refused: bearer token unknown or expired")
                raise invalid_login()
            return grant.scopes
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        try:
            self._verifier.verify(
                method=request.method,
                scheme=request.scheme,
                host=request.host,
                raw_path=request.raw_path.decode("latin-1").partition("?")[0],
                query=request.query_string.decode("latin-1"),
                authorization=authorization,
                form=request.body.decode("latin-1") if form else "",
                now=now,
            )
        except BadSignature as why:
            log.info("login refused: %s", why)
            raise invalid_login() from why
        return frozenset({"restlets", "rest_webservices"})

    def _token_info(self) -> Response:
        body = {
            "companyName": account.COMPANY,
            "companyId": account.ACCOUNT,
            "roleName": account.ROLE_NAME,
            "roleId": account.ROLE_ID,
            "userId": account.USER_ID,
            "userName": account.USER_EMAIL,
        }
        return Response(200, ENCODER.encode(body), [("content-type", "application/json;charset=utf-8")])

    def _refusal(self, request: Request, error: NsError) -> Response:
        if request.path in (account.RESTLET, account.TOKEN_INFO):
            response = as_restlet(error)
            # a RESTlet over the limit answers 400, REST web services 429
            if error.code == "CONCURRENCY_LIMIT_EXCEEDED":
                response.status = 400
            if error.status == 401:
                reason = 'error="token_rejected", error_description="Invalid login attempt."'
                challenge = f'OAuth realm="{account.ACCOUNT}", {reason}'
                response.headers.append(("www-authenticate", challenge))
            return response
        return Response(error.status, error.body(), [("content-type", ERROR_TYPE), *error.headers.items()])


def _governed(path: str) -> bool:
    return path == account.RESTLET or (path.startswith(f"{account.REST}/") and path != account.TOKEN)


def _operation(request: Request) -> str:
    """`salesOrder:PUT`, `salesOrder:transform`, `suiteql`, `restlet`, `token`, `job`, `metadata-catalog`, ..."""
    path = request.path
    fixed = {
        account.SUITEQL: "suiteql",
        account.RESTLET: "restlet",
        account.TOKEN: "token",
        account.TOKEN_INFO: "tokeninfo",
    }
    if path in fixed:
        return fixed[path]
    if path.startswith(account.JOBS):
        return "job"
    if not path.startswith(f"{account.RECORD}/"):
        return "unknown"
    parts = path[len(account.RECORD) + 1 :].split("/")
    if parts[0] == "metadata-catalog":
        return parts[0]
    record = record_type(parts[0])
    kind = parts[0] if record is None else record.name
    if len(parts) > 2 and parts[2].startswith("!"):
        return f"{kind}:{parts[2][1:]}"
    return f"{kind}:{request.method}"


def create(context: Context) -> NetSuite:
    """The vendor for this context."""
    return NetSuite(context)
