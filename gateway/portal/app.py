"""The portal: every page is rendered once, when the configuration is compiled, and then served from memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from msgspec import Struct

from gateway.asgi import ASGIApp, Headers, Receive, Scope, Send, header, respond
from gateway.core.problem import TYPES, ProblemError, type_uri
from gateway.exchange import exchange_of
from gateway.portal.views import reference, token_curl
from gateway.publishing.compile import Configuration
from gateway.settings import GatewaySettings

HTML: Final = b"text/html; charset=utf-8"
_ASSETS: Final = {"portal.css": b"text/css; charset=utf-8", "portal.js": b"text/javascript; charset=utf-8"}
_ICON: Final = ("icon.svg", b"image/svg+xml")
_CSP: Final = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY: Final[Headers] = [
    (b"content-security-policy", _CSP),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Page(Struct, frozen=True):
    """One answer. etag: over its bytes; cache_s: how long a browser may keep it without asking."""

    content_type: bytes
    body: bytes
    etag: bytes
    cache_s: int


def portal(settings: GatewaySettings, configuration: Configuration) -> ASGIApp:
    """All pages for this configuration, as an ASGI application below `/` and `/portal/`."""
    pages, missing = render(settings, configuration)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        path = exchange_of(scope).path
        if path in {"/", "/portal"}:
            await respond(send, 302, [(b"location", b"/portal/"), *SECURITY], b"")
            return
        page = pages.get(path)
        if page is None:
            await respond(send, 404, [(b"content-type", HTML), (b"cache-control", b"no-store"), *SECURITY], missing)
            return
        cache = f"public, max-age={page.cache_s}{', immutable' if page.cache_s > 3600 else ''}".encode()
        fields = [(b"etag", page.etag), (b"cache-control", cache), *SECURITY]
        if header(scope["headers"], b"if-none-match") == page.etag:
            await respond(send, 304, fields, b"")
            return
        await respond(send, 200, [(b"content-type", page.content_type), *fields], page.body)

    return answer


async def too_many(send: Send, wait_s: int) -> None:
    """429: this address reads faster than a person does."""
    del send
    raise ProblemError(
        "quota-exceeded",
        "Too many requests from this address.",
        headers=[(b"retry-after", str(wait_s).encode())],
        members={"violated-policies": ["portal"]},
    )


def render(settings: GatewaySettings, configuration: Configuration) -> tuple[Mapping[str, Page], bytes]:
    """path -> page, and the page for everything that is not there."""
    pages: dict[str, Page] = {}
    urls: dict[str, str] = {}
    for name, content_type in [*_ASSETS.items(), _ICON]:
        body = files("gateway").joinpath("portal", "static", name).read_bytes()
        stem, _, ending = name.rpartition(".")
        urls[name] = f"/portal/assets/{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{ending}"
        pages[urls[name]] = _page(content_type, body, cache_s=31_536_000)
    templates = Environment(
        loader=PackageLoader("gateway", "portal/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    markdown = MarkdownIt("js-default", {"linkify": False, "typographer": False})

    def prose(text: str) -> Markup:
        return Markup(markdown.render(text))  # noqa: S704  # HTML in the text is escaped by this preset

    templates.filters["markdown"] = prose
    known: dict[str, object] = {
        "assets": urls,
        "settings": settings,
        "apis": configuration.apis,
        "plans": configuration.plans,
        "digest": configuration.digest,
        "ingress": configuration.ingress,
    }

    def html(template: str, **values: object) -> bytes:
        return templates.get_template(template).render({**known, **values}).encode()

    scope = " ".join(configuration.scopes)
    views = [reference(api, settings.public_url) for api in configuration.apis]
    call = views[0].operations[0].curl if views else ""
    index = html("index.html", token_curl=token_curl(settings.token_url, scope), call_curl=call)
    pages["/portal/"] = _page(HTML, index)
    for view in views:
        api = view.api
        curl = token_curl(settings.token_url, " ".join(view.scopes))
        pages[api.reference_path] = _page(HTML, html("reference.html", view=view, token_curl=curl))
        pages[api.openapi_path] = _page(b"application/json", api.document.raw)
    problems = [(slug, kind, type_uri(slug, settings.problem_base)) for slug, kind in TYPES.items()]
    pages["/portal/problems/"] = _page(HTML, html("problems.html", problems=problems))
    for slug, kind, uri in problems:
        pages[f"/portal/problems/{slug}"] = _page(HTML, html("problem.html", slug=slug, kind=kind, uri=uri))
    return pages, html("missing.html")


def _page(content_type: bytes, body: bytes, cache_s: int = 60) -> Page:
    return Page(content_type, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode(), cache_s)
