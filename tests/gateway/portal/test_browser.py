"""The portal in a real browser: no error, no sideways scrolling, readable in light and dark, usable by keyboard."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from gateway.server import make_server
from tests.gateway.conftest import a_house

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed: the portal was not seen in a browser"),
]

PATHS = ["/portal/", "/portal/apis/orders-web/v1", "/portal/problems/", "/portal/problems/quota-exceeded"]

# every visible text against the background behind it (WCAG 2.2, 1.4.3): answers the pairs below 4.5
CONTRAST = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parts(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const pair = [light(parts(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return found;
}"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def base_url(shared_url: str) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with a_house(shared_url, public_url=url) as house:
            server = make_server(house.gateway, lifespan=False, shutdown_s=1)
            server.capture_signals = contextlib.nullcontext  # pyright: ignore[reportAttributeAccessIssue]
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield url
            server.should_exit = True
            await serving


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield started
        await started.close()


@contextlib.asynccontextmanager
async def a_page(browser: Browser, **options: Any) -> AsyncIterator[tuple[Page, list[str]]]:
    context = await browser.new_context(**options)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    yield page, complaints
    await context.close()


class TestEveryPage:
    async def test_on_desk_and_phone_in_light_and_dark(self, browser: Browser, base_url: str) -> None:
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
                async with a_page(browser, **options) as (page, complaints):
                    for path in PATHS:
                        answer = await page.goto(base_url + path)
                        assert answer is not None
                        assert answer.status == 200
                        where = f"{path} at {width} in {scheme}"
                        assert await page.evaluate("document.documentElement.scrollWidth") == width, where
                        assert await page.evaluate(CONTRAST) == [], where
                        assert await page.locator("h1").count() == 1, where
                    assert complaints == []


class TestUsing:
    async def test_light_and_dark_differ(self, browser: Browser, base_url: str) -> None:
        colours: list[str] = []
        for scheme in ("light", "dark"):
            async with a_page(browser, color_scheme=scheme) as (page, _):
                await page.goto(base_url + "/portal/")
                colours.append(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(set(colours)) == 2

    async def test_the_command_is_copied(self, browser: Browser, base_url: str) -> None:
        async with a_page(browser, permissions=["clipboard-read", "clipboard-write"]) as (page, _):
            await page.goto(base_url + "/portal/")
            await page.get_by_role("button", name="Copy: command that gets a token").click()
            assert await page.evaluate("navigator.clipboard.readText()") == (
                f'curl -s {base_url}/oauth/token \\\n  -u "$CLIENT_ID:$CLIENT_SECRET" \\\n'
                "  -d grant_type=client_credentials -d scope='orders:read orders:write'"
            )

    async def test_without_scripts_everything_is_there(self, browser: Browser, base_url: str) -> None:
        async with a_page(browser, java_script_enabled=False) as (page, _):
            await page.goto(base_url + "/portal/apis/orders-web/v1")
            assert await page.locator("article").count() == 4
            assert not await page.locator("button.copy").first.is_visible()

    async def test_the_keyboard_reaches_the_content_first(self, browser: Browser, base_url: str) -> None:
        async with a_page(browser) as (page, _):
            await page.goto(base_url + "/portal/apis/orders-web/v1")
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.textContent") == "Skip to content"
            await page.keyboard.press("Enter")
            assert await page.evaluate("document.activeElement.id") == "content"

    async def test_nested_members_open(self, browser: Browser, base_url: str) -> None:
        async with a_page(browser) as (page, _):
            await page.goto(base_url + "/portal/apis/orders-web/v1#web_get_order")
            article = page.locator("#web_get_order")
            closed = article.locator("details:not([open])")
            before = await closed.count()
            await closed.first.locator("> summary").click()
            assert before > 0
            assert await closed.count() == before - 1

    async def test_other_sites_cannot_frame_it(self, browser: Browser, base_url: str) -> None:
        async with a_page(browser) as (page, complaints):
            await page.set_content(f'<iframe src="{base_url}/portal/"></iframe>')
            await page.wait_for_timeout(300)
            assert all(frame.url.startswith(("about:", "chrome-error:")) for frame in page.frames)
            assert any("frame" in complaint.lower() or base_url in complaint for complaint in complaints)
