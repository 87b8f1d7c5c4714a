"""Built pages in a real browser, read from the disk: whatever they ask of a network is refused, and noted."""

import contextlib
import importlib.util
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
OPTIONS += ["--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-first-run"]
LOCAL = ("file:", "data:", "blob:", "about:")

needs_extra = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("myst_nb", "sphinx_revealjs", "axe_playwright_python")),
    reason="the extra [site] is not installed: run `make site`",
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or importlib.util.find_spec("playwright") is None,
    reason="no chromium, chromium-browser or google-chrome, or no playwright, on this machine",
)


class Tab:
    """A tab, with what went wrong in it since the last `open`: errors on the console, and requests that would leave the machine."""

    def __init__(self, page):
        self.page, self.errors, self.requests = page, [], []
        page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.route(lambda url: not url.startswith(LOCAL), self._refuse)

    def _refuse(self, route):
        self.requests.append(route.request.url)
        route.abort()

    def open(self, address):
        """Open a page, and wait until its formulas are drawn."""
        self.errors.clear(), self.requests.clear()
        self.page.goto(address)
        self.page.evaluate("window.MathJax?.startup ? MathJax.startup.promise.then(() => null) : null")


@contextlib.contextmanager
def tab(width=1280, height=720):
    """Open a browser with one tab."""
    from playwright import sync_api

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            yield Tab(browser.new_page(viewport={"width": width, "height": height}))
        finally:
            browser.close()


def grave_faults(page, context=None, **options):
    """What axe-core finds on a page that is serious or critical: the rule and the element, of each."""
    from axe_playwright_python.sync_playwright import Axe

    options |= {"preload": False, "resultTypes": ["violations"]}
    faults = Axe().run(page, context=context, options=options).response["violations"]
    grave = [fault for fault in faults if fault["impact"] in ("serious", "critical")]
    return [f"{fault['id']}: {node['html'][:150]}" for fault in grave for node in fault["nodes"]]
