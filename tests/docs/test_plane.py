"""The GAN in the plane in a real browser: its buttons, keys and lists do what they say.

The fixture ``browser`` also checks, after each test, that the console had nothing to complain about
and that nothing was loaded from anywhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.browser import PHONE, Browser
from helpers.plane import SCRIPTS, plane_page, script_names

pytestmark = pytest.mark.page

B = 64  # points in a batch
STATUS = "plane-status"


def test_the_page_loads_all_of_its_scripts() -> None:
    assert sorted(script_names()) == sorted(file.stem for file in SCRIPTS.glob("*.js"))


def test_both_languages_have_the_same_words(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path, "ko"))
    english, korean = browser.run(
        "const kinds = (t) => Object.entries(t).map(([k, v]) => [k, typeof v, v.length]);"
        "return [kinds(plane_words.en), kinds(plane_words.ko)]"
    )
    assert [(k, kind) for k, kind, _ in english] == [(k, kind) for k, kind, _ in korean]
    lists = {"columns", "speeds", "whos", "datas", "loss_values"}
    assert {k: n for k, _, n in english if k in lists} == {k: n for k, _, n in korean if k in lists}
    assert browser.text("plane-play") == "재생"
    browser.find("plane-both").click()
    assert browser.text(STATUS).startswith("D의 스텝에 이어")


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("dark", [False, True])
def test_anybody_can_use_it(language: str, dark: bool, browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path, language, dark=dark))
    assert browser.violations() == []
    browser.find("plane-both").click()
    assert browser.violations() == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_phone_scrolls_down_only(language: str, browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path, language), width=PHONE)
    browser.find("plane-both").click()
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE
    small = browser.run(
        "return [...document.querySelectorAll('button, select')]"
        ".filter((e) => e.offsetHeight < 24).map((e) => e.outerHTML)"
    )
    assert small == []  # a finger needs room
    assert browser.violations() == []


def test_each_step_moves_one_network(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    assert browser.text(STATUS).startswith("Nothing has been trained yet")
    nets = (
        "const { generator: G, discriminator: D } = plane.gan;"
        "return [[...G.params], [...G.grads], [...D.params], [...D.grads]]"
    )
    G0, dG0, D0, dD0 = browser.run(nets)
    assert set(dG0) == set(dD0) == {0}
    browser.find("plane-d").click()
    assert browser.text(STATUS).startswith("That was a step of D.")
    G1, dG1, D1, dD1 = browser.run(nets)
    assert G1 == G0
    assert dG1 == dG0  # detached: nothing has reached G
    assert D1 != D0
    browser.find("plane-g").click()
    assert browser.text(STATUS).startswith("That was a step of G.")
    G2, dG2, D2, dD2 = browser.run(nets)
    assert G2 != G1
    assert dG2 != dG1
    assert D2 == D1
    assert dD2 == dD1  # frozen
    assert browser.text("plane-steps") == "1, 1"

    browser.find("plane-reset").click()  # from the same start, "One step" is both of them
    assert browser.text("plane-steps") == "0, 0"
    browser.find("plane-both").click()
    assert browser.run(nets) == [G2, dG2, D2, dD2]
    browser.find("plane-other").click()
    assert browser.text("plane-seed") == "seed 1"
    assert browser.run(nets)[0] != G0


def test_many_steps_of_one_network_and_all_as_at_first(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    choose = (
        "const list = document.getElementById(arguments[0]); list.value = arguments[1];"
        "list.dispatchEvent(new Event('change'))"
    )
    browser.run(choose, "plane-who", "d")
    browser.run(choose, "plane-lr", "0.01")
    browser.find("plane-hundred").click()
    browser.find("plane-both").click()  # one more, of D alone
    assert browser.text("plane-steps") == "101, 0"
    browser.find("plane-ground").click()  # and now the keys work
    browser.press("plane", "s")
    assert browser.text("plane-steps") == "102, 0"
    browser.find("plane-reset").click()
    shown = browser.run(
        "return [...document.querySelectorAll('#plane select')].map((e) => e.value)"
    )
    assert shown[1:5] == ["both", "0.003", "0.5", "plain"]
    browser.find("plane-hundred").click()
    assert browser.text("plane-steps") == "100, 100"
    assert browser.run("return [plane.gan.adam_g.lr, plane.gan.adam_d.lr]") == [0.003, 0.003]


def test_a_stale_cache_is_an_error(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    said = browser.run(
        "take_step('d'); const { fake, cache_g } = plane.waiting; take_step('g');"
        "try { plane.gan.step_of_g(fake, cache_g); } catch (error) { return error.message; }"
    )
    assert said == "stale cache: run forward again"
    for name in ("plane-g", "plane-g", "plane-d", "plane-d", "plane-g", "plane-both"):
        browser.find(name).click()  # in any order, the page keeps to the rule
    assert browser.text("plane-steps") == "4, 5"


def test_keys(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    browser.press("plane-both", "s", "s", "d", "g", "g")
    assert browser.text("plane-steps") == "3, 4"
    browser.press("plane-speed", "s", "d")  # in a list, letters choose
    assert browser.text("plane-steps") == "3, 4"
    browser.press("plane-both", "r")
    assert browser.text("plane-steps") == "0, 0"
    browser.press("plane-both", "p")
    assert browser.run("return plane.running")
    assert browser.text("plane-play") == "Pause"
    browser.press("plane-both", "p")
    assert not browser.run("return plane.running")


LATER = "return new Promise((then) => setTimeout(() => then(plane.gan.adam_d.t), arguments[0]))"


def test_it_plays_and_waits(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    assert browser.run(LATER, 200) == 0  # it starts when it is asked to
    browser.run("const list = document.getElementById('plane-speed'); list.value = 3;"
                "list.dispatchEvent(new Event('change'))")  # fmt: skip
    browser.find("plane-play").click()
    assert browser.text("plane-play") == "Pause"
    assert browser.text(STATUS) == "It trains."
    assert browser.run(LATER, 500) > 5
    browser.find("plane-play").click()
    taken = browser.run(LATER, 0)
    assert browser.run(LATER, 200) == taken
    assert len(browser.run("return plane.losses.d")) == taken
    browser.find("plane-play").click()
    browser.find("plane-both").click()  # a step by hand ends the play
    assert browser.text("plane-play") == "Play"


def test_who_wants_little_motion_gets_two_pictures_a_second(
    browser: Browser, tmp_path: Path
) -> None:
    browser.open(plane_page(tmp_path))
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    browser.command("Emulation.setEmulatedMedia", features=features)
    shown = browser.run(
        "let shown = 0; const draw = draw_plane;"
        "draw_plane = (...all) => { shown++; return draw(...all); };"
        "plane.running = true; play(plane_words.en);"
        "return new Promise((then) => setTimeout(() => {"
        " plane.running = false; then(shown); }, 1200))"
    )
    assert 1 <= shown <= 4
    assert browser.run("return plane.gan.adam_d.t") > shown


def test_a_weight_and_what_meets_in_it(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    assert "take a step" in browser.text("plane-carries")
    browser.find("plane-both").click()
    for net, layer, name, i, j in (
        ("D", 4, "W", 7, 0), ("D", 2, "W", 15, 3), ("D", 0, "b", 0, 9), ("G", 0, "W", 1, 5),
        ("G", 4, "b", 0, 1),
    ):  # fmt: skip
        place = browser.run(  # of the click: on a line, where its neighbours are far
            "const [net, layer, name, i, j] = arguments, canvas = part('network');"
            "const { clientWidth: w, clientHeight: h } = canvas, places = unit_places(w, h);"
            "const column = column_of({ net, layer }), end = places[column][j];"
            "const start = name === 'W' ? places[column - 1][i] : end, t = layer ? 0.15 : 0.85;"
            "return [2 * (start[0] + t * (end[0] - start[0])) / w - 1,"
            " 2 * (start[1] + t * (end[1] - start[1])) / h - 1]",
            net, layer, name, i, j,
        )  # fmt: skip
        browser.drag("plane-network", tuple(place), tuple(place))
        chosen = {"net": net, "layer": layer, "name": name, "i": i, "j": j}
        found = browser.run("return plane.chosen")
        if (layer, name) != (2, "W"):  # among 256 lines a click may find a neighbour
            assert found == chosen
        browser.run("Object.assign(plane.chosen, arguments[0]); offer_parameters();"
                    "show(plane_words.en)", chosen)  # fmt: skip
        label = browser.run("return part('parameter').selectedOptions[0].textContent")
        assert label == f"{net} {layer}.{name}"
        gradient, summed, rows = browser.run(
            "const layer = network_of(plane.gan, plane.chosen.net).layers[plane.chosen.layer];"
            "const { name, i, j } = plane.chosen, products = products_of(plane.gan, plane.chosen);"
            "return [layer['d' + name].at(i, j), sum_of(products), products.length]"
        )
        assert summed == pytest.approx(gradient, rel=1e-12)
        assert rows == (2 * B if net == "D" else B)
        cells = browser.run(
            "return [...part('products').rows].map((row) => row.lastChild.textContent)"
        )
        numbers = [float(cell.replace("−", "-")) for cell in cells[1:]]
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=5e-4)  # all rows are there
        assert numbers[-1] == pytest.approx(gradient, abs=5.1e-5)


def test_a_weight_from_the_lists(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    browser.find("plane-d").click()
    browser.press("plane-parameter", "G", "\ue007")  # the first of G's: 0.W
    assert browser.run("return plane.chosen") == {
        "net": "G", "layer": 0, "name": "W", "i": 0, "j": 0,
    }  # fmt: skip
    assert "take a step" in browser.text("plane-carries")
    browser.press("plane-j", *["\ue015"] * 3)
    assert browser.run("return plane.chosen.j") == 3
    browser.find("plane-g").click()
    before, gradient, _, now = browser.run(
        "return [...part('moves').rows].map((row) => row.lastChild.textContent)"
    )
    assert gradient != "0.0000"
    assert before != now
    browser.find("plane-d").click()
    assert "No gradient reached G" in browser.text("plane-carries")


def choose(browser: Browser, name: str, value: str) -> None:
    browser.run(
        "const list = part(arguments[0]); list.value = arguments[1];"
        "list.dispatchEvent(new Event('change'))",
        name,
        value,
    )


def test_the_choices_arrive(browser: Browser, tmp_path: Path) -> None:
    browser.open(plane_page(tmp_path))
    choose(browser, "lr", "0.03")
    choose(browser, "beta", "0.9")
    adams = "return [plane.gan.adam_g, plane.gan.adam_d].map((adam) => [adam.lr, ...adam.betas])"
    assert browser.run(adams) == [[0.03, 0.9, 0.999]] * 2
    browser.find("plane-both").click()
    choose(browser, "data", "blobs")  # other real points: another start
    assert browser.text("plane-steps") == "0, 0"
    assert browser.run(adams) == [[0.03, 0.9, 0.999]] * 2
    real = np.array(browser.run("return [...plane.shown_real.data]")).reshape(-1, 2)
    assert np.abs(np.abs(real) - [1.5, 0]).max() < 1
    choose(browser, "loss", "saturating")
    browser.find("plane-g").click()
    assert browser.run("return plane.losses.g")[0] < 0  # mean log(1 - D)
