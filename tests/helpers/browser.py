"""Chromium without a window, driven by Selenium, for the tests of the pages that minigan writes."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

PHONE = 400  # pixels


class Browser:
    """A browser with one page open at a time; ``run`` evaluates JavaScript in it."""

    def __init__(self, downloads: Path) -> None:
        webdriver = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
        names = "chromium", "chromium-browser", "google-chrome"
        chromium = next((found for found in map(shutil.which, names) if found), None)
        driver = shutil.which("chromedriver")
        if chromium is None or driver is None:
            pytest.skip("Chromium with its driver is not installed")
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(executable_path=driver)
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_script_timeout(600)
        self.downloads = downloads
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def command(self, name: str, **options: Any) -> Any:
        """Send a command of the Chrome DevTools Protocol."""
        return self.driver.execute_cdp_cmd(name, options)

    def open(self, file: Path, *, width: int = 1200, dark: bool = False) -> None:
        """Open a page, as on a screen of this width, with nothing kept of an earlier visit."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=900,
                     deviceScaleFactor=1, mobile=width <= PHONE)  # fmt: skip
        scheme = "dark" if dark else "light"
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.command("Emulation.setEmulatedMedia", features=[feature])
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(file.resolve().as_uri())
        self.run("sessionStorage.clear(); kept_before = true")

    def run(self, code: str, *arguments: Any) -> Any:
        """Return what the JavaScript returns."""
        return self.driver.execute_script(code, *arguments)

    def find(self, name: str) -> Any:
        """Return the element with this id, scrolled into the middle of the window."""
        element = self.driver.find_element("id", name)
        self.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        return element

    def text(self, name: str) -> str:
        """Return the text of the element with this id."""
        return str(self.run("return document.getElementById(arguments[0]).textContent", name))

    def drag(self, name: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the mouse at a place in an element, from -1 to 1, move it, and let go."""
        from selenium.webdriver import ActionChains

        element = self.find(name)
        half = element.size["width"] / 2, element.size["height"] / 2
        at = [(int(x * half[0]), int(y * half[1])) for x, y in (start, end)]
        chain = ActionChains(self.driver, duration=20).move_to_element_with_offset(element, *at[0])
        chain.click_and_hold().move_to_element_with_offset(element, *at[1]).release().perform()

    def press(self, name: str, *keys: str, shift: bool = False) -> None:
        """Focus an element, and press keys, together with the shift key if so asked."""
        from selenium.webdriver import ActionChains, Keys

        self.run("arguments[0].focus()", self.find(name))
        chain = ActionChains(self.driver, duration=5)
        chain = chain.key_down(Keys.SHIFT) if shift else chain
        chain = chain.send_keys(*keys)
        (chain.key_up(Keys.SHIFT) if shift else chain).perform()

    def complaints(self) -> list[str]:
        """Return what the console has had of warnings and errors since it was asked last."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Return the addresses of everything that was loaded since this was asked last."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def violations(self) -> list[str]:
        """Return what axe-core finds that makes the page hard to use for somebody."""
        found = importlib.util.find_spec("axe_playwright_python")  # which brings axe-core
        if found is None or found.origin is None:
            pytest.skip("axe-core is not installed")
        self.run(Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
        results = self.driver.execute_async_script(
            # preload would ask for the style sheets, which a page in a file may not do
            "const done = arguments[0];"
            "axe.run({preload: false}).then(done, (error) => done({error: `${error}`}))"
        )
        return [
            f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
            for violation in results["violations"]
            for node in violation["nodes"]
        ]
