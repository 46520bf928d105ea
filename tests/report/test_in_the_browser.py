"""The page in a real browser: what a reader does with it, and what then happens.

The fixture ``browser`` also checks, after each test, that the console had nothing to complain about
and that nothing was loaded from anywhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.browser import PHONE, Browser
from helpers.pages import page_file, whole_run
from PIL import Image

pytestmark = pytest.mark.page


def picture(browser: Browser, name: str) -> str:
    """What a canvas shows."""
    return str(browser.run("return document.getElementById(arguments[0]).toDataURL()", name))


@pytest.mark.parametrize("recipe", ["averaged", "conditional", "style"])
@pytest.mark.parametrize("dark", [False, True])
def test_anybody_can_use_it(
    recipe: str, dark: bool, browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of(recipe), dark=dark)
    assert browser.violations() == []


@pytest.mark.parametrize("recipe", ["averaged", "conditional", "style"])
def test_a_phone_scrolls_down_only(
    recipe: str, browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of(recipe), width=PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE
    assert browser.violations() == []
    small = browser.run(
        "return [...document.querySelectorAll('button, select, input[type=range]')]"
        ".filter((e) => e.offsetHeight && e.offsetHeight < 24).map((e) => e.outerHTML)"
    )
    assert small == []  # a finger needs room


def test_film(browser: Browser, page_of: Callable[..., Path]) -> None:
    browser.open(page_of())
    assert browser.text("film-a-words") == "after epoch 2"
    assert browser.text("film-b-words") == "after epoch 1"
    time.sleep(0.2)  # the first pictures are decoded
    last = picture(browser, "film-a-canvas")
    browser.press("film-a", "\ue012")  # the left arrow
    time.sleep(0.2)
    assert browser.text("film-a-words") == "after epoch 1"
    assert picture(browser, "film-a-canvas") == picture(browser, "film-b-canvas") != last
    browser.find("film-play").click()
    assert browser.text("film-play") == "Pause"
    time.sleep(1)
    assert browser.text("film-a-words") == "after epoch 2"
    assert browser.text("film-play") == "Play"
    browser.find("film-compare").click()
    assert not browser.find("film-two").is_displayed()


def test_a_click_on_the_film_starts_the_explorer(
    browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of())
    time.sleep(0.2)
    before = picture(browser, "explorer-canvas")
    browser.drag("film-a-canvas", (0.95, -0.95), (0.95, -0.95))
    assert browser.run("return document.getElementById('start').value") == "8"
    assert picture(browser, "explorer-canvas") != before
    image = browser.run("return [...explorer.image()]")
    expected = browser.run(
        "const all = float32(data.fixed_z), n = data.latent_dim;"
        "return [...G.evaluate(all.slice(7 * n, 8 * n))[0]]"
    )
    assert image == pytest.approx(expected, abs=1e-5)


def test_the_plane_follows_the_hand_and_the_keys(
    browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of())
    start = picture(browser, "explorer-canvas")
    browser.drag("plane", (0, 0), (0.5, -0.5))
    x, y = browser.run("return [explorer.state.x, explorer.state.y]")
    assert (x, y) == pytest.approx((0.5, 0.5), abs=0.02)
    dragged = picture(browser, "explorer-canvas")
    assert dragged != start
    browser.press("plane", *["\ue012"] * 3)
    assert browser.run("return explorer.state.x") == pytest.approx(x - 0.15, abs=1e-6)
    assert picture(browser, "explorer-canvas") != dragged
    browser.find("new-plane").click()
    assert browser.run("return [explorer.state.x, explorer.state.y]") == [0, 0]


def test_directions_and_walk(browser: Browser, page_of: Callable[..., Path]) -> None:
    browser.open(page_of())
    start = picture(browser, "explorer-canvas")
    browser.press("move-0", *["\ue014"] * 5)
    assert browser.run("return explorer.state.moves[0]") == pytest.approx(0.25)
    moved = picture(browser, "explorer-canvas")
    assert moved != start
    browser.find("moves-zero").click()
    assert picture(browser, "explorer-canvas") == start
    browser.find("hold-0").click()
    browser.press("walk", "\ue010")  # the end key
    assert picture(browser, "explorer-canvas") == picture(browser, "held-1") != start
    browser.press("walk", "\ue011")
    assert picture(browser, "explorer-canvas") == picture(browser, "held-0") == start


def test_a_conditional_run_is_asked_for_a_digit(
    browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of("conditional"))
    assert browser.find("digit").is_displayed()
    start = picture(browser, "explorer-canvas")
    browser.press("digit", "7")
    assert browser.run("return explorer.state.digit") == 7
    assert picture(browser, "explorer-canvas") != start
    browser.find("critic-take").click()
    assert browser.run("return critic.state.digit") == 7
    assert browser.text("belief").startswith("To D, this is a real 7 with a probability of ")


def test_the_image_is_saved(browser: Browser, page_of: Callable[..., Path]) -> None:
    browser.open(page_of())
    browser.find("explorer-save").click()
    file = browser.downloads / "image.png"
    for _ in range(100):
        if file.exists():
            break
        time.sleep(0.05)
    with Image.open(file) as saved:
        assert saved.size == (280, 280)
        grey = saved.convert("L").resize((28, 28), Image.Resampling.NEAREST)
    shown = browser.run("return [...explorer.image()].map((v) => Math.round((v + 1) * 127.5))")
    assert list(grey.tobytes()) == shown


def test_what_d_thinks_of_a_drawing(browser: Browser, page_of: Callable[..., Path]) -> None:
    browser.open(page_of())
    browser.find("critic-clear").click()
    assert set(browser.run("return [...critic.state.image]")) == {-1}
    empty = browser.text("gradient-size"), picture(browser, "gradient-canvas")
    browser.drag("critic-canvas", (-0.5, -0.5), (0.5, 0.5))
    image = browser.run("return [...critic.state.image]")
    assert max(image) == 1
    assert image[14 * 28 + 14] == 1  # on the way from one corner to the other
    assert image[5 * 28 + 22] == -1
    assert (browser.text("gradient-size"), picture(browser, "gradient-canvas")) != empty
    before = browser.run("return critic.ask(critic.state.image).y")
    browser.find("critic-step").click()
    after = browser.run("return critic.ask(critic.state.image).y")
    assert after > before
    browser.find("critic-ten").click()
    assert browser.run("return critic.ask(critic.state.image).y") > after
    assert browser.text("critic-steps") == "11 steps were taken."
    for _ in range(2):
        browser.find("critic-undo").click()
    assert browser.run("return [...critic.state.image]") == image


def test_a_drawing_by_the_keys(browser: Browser, page_of: Callable[..., Path]) -> None:
    browser.open(page_of())
    browser.find("critic-clear").click()
    browser.press("critic-canvas", "\ue012", " ")
    ink = browser.run("return critic.state.image.filter((v) => v > 0).length")
    assert ink > 0
    browser.press("critic-canvas", *["\ue015"] * 6, shift=True)
    assert browser.run("return critic.state.image.filter((v) => v > 0).length") > ink


def test_curves_are_read_off_and_zoomed(browser: Browser, page_of: Callable[..., Path]) -> None:
    browser.open(page_of())
    chart = "document.querySelector('.chart')"
    browser.run(f"{chart}.id = 'first'")
    browser.press("first", "\ue014")
    row = browser.run("return [data.curves.x[0], data.curves.d_loss[0]]")
    shown = browser.run(f"return [...{chart}.querySelectorAll('.u-value')].map(e => e.textContent)")
    assert [float(shown[0]), float(shown[1])] == pytest.approx(row, rel=0.01)
    browser.press("first", "+")
    assert browser.run("return [curves.view.from, curves.view.to]") == [0.5, 1.5]
    browser.press("first", "0")
    assert browser.run("return [curves.view.from, curves.view.to]") == [0, 2]
    browser.find("curves-half").click()
    assert browser.text("curves-shown") == "Epochs 1.0 to 2.0 of 2.0"
    browser.run("document.querySelector('.chart .u-over').id = 'over'; curves.zoom(0, 2)")
    browser.drag("over", (-0.5, 0), (0.5, 0))
    view = browser.run("return [curves.view.from, curves.view.to]")
    assert view == pytest.approx([0.5, 1.5], abs=0.05)


def pinch(browser: Browser, target: str, start: float, end: float) -> None:
    """Put two fingers on an element, so many pixels to both sides of its middle, and move them."""
    box = browser.run(
        "const e = document.querySelector(arguments[0]);"
        "e.scrollIntoView({block: 'center', behavior: 'instant'});"
        "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]",
        target,
    )
    time.sleep(0.1)  # the browser learns where the element is now
    for step, kind in ((0.0, "Start"), (0.3, "Move"), (0.7, "Move"), (1.0, "Move")):
        apart = start + step * (end - start)
        points = [{"x": box[0] + side * apart, "y": box[1], "id": side} for side in (-1, 1)]
        browser.command("Input.dispatchTouchEvent", type=f"touch{kind}", touchPoints=points)
    browser.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def test_two_fingers_zoom(browser: Browser, page_of: Callable[..., Path]) -> None:
    browser.open(page_of(), width=PHONE)
    view = "return [curves.view.from, curves.view.to]"
    browser.run("curves.zoom(0, 2)")  # whatever an earlier visit has left
    pinch(browser, ".u-over", 40, 80)
    first, last = browser.run(view)
    assert last - first == pytest.approx(1, abs=0.05)  # twice as large
    assert (first + last) / 2 == pytest.approx(1, abs=0.05)
    pinch(browser, ".u-over", 80, 20)
    assert browser.run(view) == [0, 2]

    reach = "return length(explorer.state.across) / length(explorer.state.middle)"
    browser.run("explorer.move_to(0.2, -0.1)")
    before, z = browser.run(reach), browser.run("return [...explorer.image()]")
    seen = picture(browser, "plane")
    pinch(browser, "#plane", 40, 80)
    time.sleep(0.5)
    assert browser.run(reach) == pytest.approx(before / 2, rel=0.05)
    assert browser.run("return explorer.state.x") == pytest.approx(0.4, rel=0.05)
    assert browser.run("return [...explorer.image()]") == pytest.approx(z, abs=1e-3)
    assert picture(browser, "plane") != seen
    browser.press("plane", "-")
    assert browser.run(reach) == pytest.approx(before / 1.6, rel=0.05)

    browser.run("explorer.move_to(0.9, 0.9)")  # twice as large, the map would not hold the point
    z = browser.run("return [...explorer.image()]")
    browser.press("plane", *"+++")
    assert browser.run("return [...explorer.image()]") == pytest.approx(z, abs=1e-3)
    assert browser.run("return Math.abs(explorer.state.x)") <= 1

    drawn = "return [...critic.state.image]"
    image = browser.run(drawn)
    pinch(browser, "#critic-canvas", 20, 60)  # two fingers do not draw
    assert browser.run(drawn) == image


def test_a_run_that_was_stopped_before_its_first_picture(browser: Browser, tmp_path: Path) -> None:
    run = whole_run(latent_dim=10)
    run.step = 20
    browser.open(page_file(run, tmp_path))
    assert "stopped at epoch 0.02132 of 20" in browser.text("subtitle")
    assert browser.text("film-body").strip() == (
        "The run was stopped before its first picture, which is drawn after 100 steps."
    )
    assert browser.text("curves-body").strip() == (
        "The run was stopped before its first figures, which come after 100 steps."
    )
    assert not browser.find("belief-marks").is_displayed()
    assert f"minigan train --resume {tmp_path}" in browser.text("commands")
    assert "--epochs 40" not in browser.text("commands")
    assert browser.violations() == []


def test_the_page_stays_where_the_reader_was(
    browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of())
    browser.drag("plane", (0, 0), (0.3, 0.3))
    browser.press("film-b", "\ue014")
    browser.find("critic-clear").click()
    browser.find("critic-ten").click()
    browser.run("scrollTo({top: 500, behavior: 'instant'})")
    keep = (
        "return [explorer.state.x, explorer.state.y, [...explorer.image()], scrollY,"
        " document.getElementById('film-b').value, [...critic.state.image]]"
    )
    before = browser.run(keep)
    browser.driver.refresh()
    assert browser.run(keep) == before
    assert before[3] == 500


def test_a_reload_after_a_choice_from_the_menu_stays(
    browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of())
    browser.run("document.querySelector('nav a[href=\"#curves\"]').click()")
    time.sleep(1)  # it scrolls smoothly
    browser.run("scrollTo({top: 700, behavior: 'instant'})")
    browser.driver.refresh()
    assert browser.run("return [scrollY, location.hash]") == [700, "#curves"]


def test_on_a_phone_the_image_stays_in_sight(
    browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of(), width=PHONE)
    for control in ("plane", "moves"):
        top, bottom, height = browser.run(
            "const control = document.getElementById(arguments[0]);"
            "control.scrollIntoView({block: 'end', behavior: 'instant'});"
            "const box = document.getElementById('explorer-canvas').getBoundingClientRect();"
            "return [box.top, box.bottom, innerHeight]",
            control,
        )
        assert 0 <= top < bottom <= height


def test_an_image_that_is_held_on_the_walk_stays(
    browser: Browser, page_of: Callable[..., Path]
) -> None:
    browser.open(page_of())
    browser.run(
        "const walk = document.getElementById('walk'); walk.value = 0.4;"
        "walk.dispatchEvent(new Event('input'))"
    )
    for which, end in (("a", 0), ("b", 1)):
        seen = browser.run("return [...explorer.image()]")
        browser.find(f"hold-{end}").click()
        assert browser.run("return [...explorer.image()]") == pytest.approx(seen, abs=1e-6), which
        assert browser.run("return explorer.state.t") == end


def test_a_page_of_long_ago_does_not_say_that_its_run_goes_on(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = time.time() - 7 * 86_400
    monkeypatch.setattr("minigan.training.page.time.time", lambda: then)
    file = page_file(whole_run(latent_dim=10), tmp_path, live=True)
    browser.open(file)
    assert browser.text("live-words").endswith("the run may have stopped.")
    browser.run("window.old = true; document.getElementById('live-toggle').click()")
    time.sleep(1)
    assert not browser.run("return window.old || false")  # it has looked again


def test_a_run_that_goes_on_is_followed(
    browser: Browser, page_of: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minigan.training.page.RELOAD", (1, 1))
    run = whole_run(latent_dim=10)
    file = page_file(run, tmp_path, live=True)
    browser.open(file)
    assert browser.text("live-words").startswith("The run goes on.")
    toggle = "window.old = true; document.getElementById('live-toggle').click()"
    browser.run(toggle)
    time.sleep(2.5)
    assert browser.run("return window.old")  # it waits, as it was told
    assert browser.text("live-words") == "The run goes on. This page waits."
    run.step += run.steps_per_epoch
    page_file(run, tmp_path, live=False)
    browser.run(toggle)
    for _ in range(300):
        if not browser.run("return window.old || document.documentElement.dataset.ready !== 'yes'"):
            break
        time.sleep(0.1)
    assert "epoch 1 of 20" in browser.text("subtitle")
    assert not browser.find("live").is_displayed()


HOSTILE = "</script><img src=x onerror=alert(1)>[[data]]&amp;\x1b[31m'\"`${1}\u2028"


def test_text_stays_text(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / HOSTILE.replace("/", "_")
    folder.mkdir()
    file = page_file(whole_run(data=HOSTILE, latent_dim=10), folder)
    plain = tmp_path / "page.html"
    file.rename(plain)
    browser.open(plain)
    assert browser.run("return document.querySelectorAll('img').length") == 1  # of the neighbours
    shown = browser.text("title")
    assert shown.startswith("<_script><img src=x onerror=alert(1)>[[data]]&amp;\\x1b[31m")
    assert "</script><img src=x onerror=alert(1)>[[data]]&amp;\\x1b" in browser.text("config-table")
    assert browser.driver.title.startswith("<_script><img src=x onerror=alert(1)>[[data]]&amp;")


def test_classes_are_called_by_their_names(browser: Browser, tmp_path: Path) -> None:
    run = whole_run("conditional", latent_dim=10)
    run.names = ("cats", HOSTILE, "x" * 255, *"defghij")
    browser.open(page_file(run, tmp_path))
    for menu in ("digit", "question"):
        options = browser.run(
            f"return [...document.getElementById('{menu}').options].map((one) => one.textContent)"
        )
        assert options[0] == "cats"
        assert options[1].startswith("</script><img src=x onerror=alert(1)>[[")
        assert options[2] == "x" * 39 + "…"
        assert options[3:] == [*"defghij"]
    assert "this is a real cats with a probability of" in browser.text("belief")
    assert browser.run("return document.querySelectorAll('img').length") == 1  # of the neighbours
    run.names = ()
    browser.open(page_file(run, tmp_path))
    assert browser.run("return document.getElementById('digit').options[3].textContent") == "3"
