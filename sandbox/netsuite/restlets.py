"""RESTlets: scripts of the customer's own behind `/app/site/hosting/restlet.nl?script=..&deploy=..`.

Two are deployed here: one that echoes, and one that looks orders up as an integration's own script would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sandbox.core.http import Request, Response
from sandbox.netsuite.errors import Detail, NsError
from sandbox.netsuite.records import DECODER, ENCODER, Doc, Records, is_object, ref_id

Script = Callable[[str, dict[str, str], Any], Any]
MAX_BODY = 10 * 1024 * 1024


class RestletError(Exception):
    """A RESTlet's refusal: `{"error": {"code", "message"}}`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> Response:
        body = {"error": {"code": self.code, "message": str(self)}}
        return Response(self.status, ENCODER.encode(body), [("content-type", "application/json;charset=utf-8")])


class Deployed(msgspec.Struct, frozen=True):
    """A script record with its one deployment. methods: entry points that it has."""

    script_id: str
    number: str
    deployment: str
    methods: frozenset[str]
    run: Script


class Restlets:
    """The scripts that are deployed, by number and by script id."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.deployed = (
            Deployed(
                "customscript_strata_ping",
                "1001",
                "customdeploy_strata_ping",
                frozenset({"GET", "POST", "PUT", "DELETE"}),
                self._ping,
            ),
            Deployed(
                "customscript_strata_order_lookup",
                "1002",
                "customdeploy_strata_order_lookup",
                frozenset({"GET", "POST"}),
                self._order_lookup,
            ),
        )

    def answer(self, request: Request) -> Response:
        query = request.query
        script, deploy = query.pop("script", ""), query.pop("deploy", "")
        try:
            found = self._find(script, deploy)
            if request.method not in found.methods:
                raise RestletError(
                    405, "SSS_INVALID_HTTP_METHOD", f"The script does not support {request.method} requests."
                )
            result = found.run(request.method, query, _body(request))
        except RestletError as error:
            return error.response()
        body = result.encode() if isinstance(result, str) else ENCODER.encode(result)
        kind = "text/plain;charset=utf-8" if isinstance(result, str) else "application/json;charset=utf-8"
        return Response(200, body, [("content-type", kind)])

    def _find(self, script: str, deploy: str) -> Deployed:
        if not script:
            raise RestletError(400, "SSS_MISSING_REQD_ARGUMENT", "Missing a required argument: script")
        if not deploy:
            raise RestletError(400, "SSS_MISSING_REQD_ARGUMENT", "Missing a required argument: deploy")
        for deployed in self.deployed:
            if script in (deployed.script_id, deployed.number):
                if deploy in ("1", deployed.deployment):
                    return deployed
                break
        raise RestletError(404, "SSS_INVALID_SCRIPTLET_ID", "That Suitelet is invalid, disabled, or no longer exists.")

    def _ping(self, method: str, query: dict[str, str], body: Any) -> Any:
        return {"method": method, "parameters": query, "body": body, "at": self._records.now()}

    def _order_lookup(self, _method: str, query: dict[str, str], body: Any) -> Any:
        given: Doc = body if is_object(body) else {}
        external = query.get("externalId") or given.get("externalId")
        if not external:
            raise RestletError(400, "SSS_MISSING_REQD_ARGUMENT", "Missing a required argument: externalId")
        order = self._records.by_external_id("salesOrder", str(external))
        if order is None:
            raise RestletError(400, "RCRD_DSNT_EXIST", "That record does not exist.")
        fulfilments = self._records.find("itemFulfillment", "createdFrom", order["id"])
        return {
            "id": order["id"],
            "tranId": order["tranId"],
            "externalId": order["externalId"],
            "status": ref_id(order["status"]),
            "total": order["total"],
            "lastModifiedDate": order["lastModifiedDate"],
            "fulfillments": [{"id": f["id"], "tranId": f["tranId"]} for f in fulfilments],
        }


def _body(request: Request) -> Any:
    if request.method in ("GET", "DELETE") or not request.body:
        return None
    if len(request.body) > MAX_BODY:
        raise RestletError(413, "SSS_REQUEST_SIZE_LIMIT_EXCEEDED", "The request body is larger than 10 MB.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            return DECODER.decode(request.body)
        except msgspec.DecodeError as error:
            raise RestletError(400, "INVALID_JSON", f"The request body is not valid JSON: {error}") from error
    if kind == "text/plain":
        return request.body.decode("utf-8", "replace")
    raise RestletError(
        415, "SSS_INVALID_CONTENT_TYPE", "Invalid content type. You can only use application/json or text/plain."
    )


def as_restlet(error: NsError) -> Response:
    """A refusal from before the script, in the RESTlet's form."""
    return Response(error.status, error.restlet_body(), [("content-type", "application/json;charset=utf-8")])


UNEXPECTED = Detail("An unexpected error has occurred.", "UNEXPECTED_ERROR")
