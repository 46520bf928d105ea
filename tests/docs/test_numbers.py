"""Numbers in the prose of the docs that stand in the code, or follow from a table of the docs.

Each statement is written down here as its page has it, in English and in Korean, and the number is
put in by the code; ``test_counts.py`` has more of them.  The times that a machine needs cannot be
held so.
"""

from __future__ import annotations

import importlib
import inspect
import math
import re
from typing import Any

import numpy as np
import pytest
from helpers.example_files import EXAMPLES, ROOT, load_example
from helpers.imports import ROOMS
from helpers.strict_cupy import Graph
from mathematics.fixtures.make_parity import STEPS
from mathematics.test_data_parallel import NOISE
from mathematics.test_data_parallel import STEPS as SHARED_STEPS
from mathematics.test_parity import TOLERANCE

import minigan as mg
from minigan.backend import Backend, noted_products
from minigan.backend.products import Product
from minigan.data import HELD_OUT, LARGEST, SMALLEST
from minigan.data.kinds import RATIO
from minigan.data.labels import MOST_CLASSES
from minigan.exercises.diagnosis import H
from minigan.gan import R1_EVERY
from minigan.gradcheck import TOLERANCE as LARGEST_ERROR
from minigan.gradcheck.problem import POISON
from minigan.metrics import features_and_probabilities, load_classifier
from minigan.metrics.classes import SURE
from minigan.metrics.ndb import BINS, PER_BIN, bins_for
from minigan.optim import numbers_of_step
from minigan.report.curves import POINTS
from minigan.report.directions import SAMPLES
from minigan.report.film import FRAMES
from minigan.report.networks import LARGEST_NETWORK
from minigan.training import RECIPES, TrainConfig, threads
from minigan.training.asking import COLUMNS
from minigan.training.average import EVERY
from minigan.training.drawn import ROWS
from minigan.training.draws import FIXED
from minigan.training.folder import FIRST_PICTURE
from minigan.training.outputs import SHARE

RECIPE, TUTORIAL = RECIPES[TrainConfig().recipe], RECIPES["tutorial"]
CHANGES = sum(a != b for a, b in zip(RECIPE[1:], TUTORIAL[1:], strict=True))
G, D = mg.generator(seed=0, batch_norm=True), mg.discriminator(seed=1)
P = G.params.size + D.params.size
PACKED = 2 * P * 4 / 3 / 1e6  # MB of numbers of 16 bits, in base64
EPOCH, MNIST = -(-60_000 // 64), 60_000 * 784 / 1e6  # steps, and MB
OF_A_STEP = len(numbers_of_step(1, 1e-3, (0.5, 0.999), 1e-8))
BATTERY = load_example("experiments/gradcheck_battery.py")
RULES = {rule for rule, _ in BATTERY.pairs()} - {"right"}
CASES = len(BATTERY.NETWORKS) * len(BATTERY.SCALES) * len(BATTERY.OFFSETS) * len(BATTERY.ROWS)
ENTRIES = inspect.signature(mg.check_gradients).parameters["max_entries"].default
ENGLISH = {5: "five", 6: "six", 7: "seven", 9: "nine", 10: "ten"}
KOREAN = {5: "다섯", 6: "여섯", 7: "일곱", 10: "열", 11: "열한", 12: "열두", 15: "열다섯"}


def read(page: str) -> str:
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


def rows(page: str, name: str = "[^|]*") -> list[list[str]]:
    """Return the cells of each row of a table whose first cell has this name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(rf"^\| ({name} \| .*) \|$", text, re.MULTILINE)
    return [cells.split(" | ") for cells in found]


# What the first chapters derive, worked out again
BETA1, BETA2 = 0.9, 0.999
UNCORRECTED, WITHOUT_T = (  # how long the steps of two wrong Adams are if all gradients are 1
    [(1 - BETA1**t) / c1 / math.sqrt((1 - BETA2**t) / c2) for t in range(1, 20_000)]
    for c1, c2 in ((1, 1), (1 - BETA1, 1 - BETA2))
)
AT_RANDOM = math.sqrt((1 - BETA1) / (1 + BETA1) * 2 / math.pi)  # mean size of m for random signs
Y = 1 / (1 + math.exp(-0.7))
BEND = Y * (1 - Y) * (1 - 6 * Y * (1 - Y))  # the third derivative of the sigmoid at 0.7
FROZEN = 2 * 64 * sum(layer.W.size for layer in D.layers if isinstance(layer, mg.Linear)) / 1e9


def power(value: float) -> str:
    return f"$10^{{{math.log10(value):.0f}}}$"


# What README says of times, from the tables of the pages on performance and on CUDA
TIMES = [cells for cells in rows("docs/performance.md", "the tutorial's program") if cells[2:]]
LEAST, MOST = sorted(float(cells[2].split()[0]) for cells in TIMES)
SECONDS = sorted(float(cells[1].replace(",", "")) / 1000 for cells in TIMES)  # of an epoch
AT_64 = [cells[2].split()[0] for cells in rows("docs/performance.md", "JAX, one jit")[::3]]
JAX = min(AT_64), max(AT_64)
CAPTURED = float(rows("docs/cuda.md", "captured as a graph")[0][1])  # at 64 images

CHAPTERS = len(rows("docs/ko/index.md", r"\d+ \[[^|]*"))
MATHEMATICS = len(list((ROOT / "minigan").glob("[a-z]*.py"))) - 1  # errors.py is none
EXERCISES = len(list((EXAMPLES / "exercises").glob("ex*.py")))
SIZES = f"{SMALLEST} x {SMALLEST}", f"{LARGEST} x {LARGEST}"

STATEMENTS: dict[str, list[tuple[str | None, str | None]]] = {
    "README.md": [
        (f"After {FIRST_PICTURE} steps", f"{FIRST_PICTURE}스텝이 지났을 때"),
        (f"the same {FIXED} images", f"잠재 벡터(latent vector) {FIXED}개로"),
        (f"with {ENGLISH[CHANGES]} changes", f"튜토리얼과 {KOREAN[CHANGES]} 가지가 다릅니다"),
        (f"learning rate of {RECIPE.lr}", f"학습률(learning rate)은 {RECIPE.lr}입니다"),
        (None, f"파일 {KOREAN[MATHEMATICS]} 개입니다"),
        ("from {} to {} as they are".format(*SIZES), "{}에서 {}까지는 그대로".format(*SIZES)),
        (f"takes {LEAST} to {MOST} times as long", f"minigan의 {LEAST}배에서 {MOST}배의 시간"),
        (
            "compiled as a whole, {} to {} times".format(*JAX),
            "전체를 컴파일한 JAX는 {}배에서 {}배".format(*JAX),
        ),
        (f"takes {CAPTURED:.2f} ms as a graph", f"CUDA 그래프로 {CAPTURED:.2f} ms 걸리고"),
        (f"{ENGLISH[len(RULES)]} of them at scales", f"그 가운데 {KOREAN[len(RULES)]} 개는"),
        (
            f"{STEPS['float64']} steps in float64 agree to {TOLERANCE['float64', True]:g}",
            f"{STEPS['float64']}스텝의 결과가 {TOLERANCE['float64', True]:g} 이내로",
        ),
    ],
    "docs/README.md": [
        (None, f"{KOREAN[CHAPTERS]} 장을 모두"),
        (None, f"작은 파일 {KOREAN[EXERCISES]} 개"),
    ],
    "docs/architecture.md": [
        (f"after every {ENGLISH[EVERY]}th step", None),
        ("The rooms have an order: " + ", ".join(ROOMS[:-3]), None),
    ],
    "docs/bug-museum.md": [
        ("one to three wrong lines", "한 줄에서 세 줄까지 틀리게"),  # see below
    ],
    "docs/adam.md": [
        (f"({AT_RANDOM:.1f} of", f"의 {AT_RANDOM:.1f}배이고"),
        (f"first step is {UNCORRECTED[0]:.2f} lr", f"보폭은 lr의 {UNCORRECTED[0]:.2f}배"),
        (f"up to {max(UNCORRECTED):.2f} lr", f"{max(UNCORRECTED):.2f}배에 이릅니다"),
        (f"= {WITHOUT_T[-1]:.2f}$ lr", f"= {WITHOUT_T[-1]:.2f}$ lr"),
    ],
    "docs/checking-gradients.md": [
        (f"H is {H:g} there".replace("e-0", "e-"), f"H는 {H:g}입니다".replace("e-0", "e-")),
        (f"$L'''$ is {BEND:.2f}", f"$L'''$은 {BEND:.2f}이고"),
        (f"of the {CASES} right networks", f"시드(seed) 하나로 검사한 {CASES}개에서"),
        (f"line between them is drawn at {power(LARGEST_ERROR)}", None),
        (f"{ENTRIES} by default", f"기본값은 {ENTRIES}개입니다"),
        (f"filled with {power(POISON)}", f"{power(POISON)}으로 채워"),
    ],
    "docs/cuda.md": [
        (f"Adam's {ENGLISH[OF_A_STEP]} numbers", f"Adam의 수 {KOREAN[OF_A_STEP]} 개를"),
        (f"as uint8 ({MNIST:.0f} MB)", f"uint8로 GPU에 있고({MNIST:.0f} MB)"),
        ("about 28 launches a layer", "커널이 28번쯤 실행되며"),  # see below
    ],
    "docs/performance.md": [
        (f"takes {LEAST} to {MOST} times as long", f"{LEAST}배에서 {MOST}배의 시간이 걸립니다"),
        (f"paid in one step of {R1_EVERY}", f"{R1_EVERY}스텝에 한 번 계산합니다"),
        (f"updated every {ENGLISH[EVERY]} steps", f"{KOREAN[EVERY]} 스텝마다 G의 가중치를"),
        (
            f"at most {ENGLISH[round(10 * threads.FASTER)]} tenths of their time",
            f"10분의 {10 * threads.FASTER:.0f} 이하로",
        ),
        (f"to {threads.SLOWER} times their usual time", f"평소의 {threads.SLOWER}배로"),
        (f"every {threads.AGAIN:,} steps while", f"동안에는 {threads.AGAIN:,}스텝마다"),
        ("it makes four products of each Linear", "Linear마다 행렬 곱이 네 개"),  # see below
    ],
    "docs/report.md": [
        (f"components of {SAMPLES} images", f"이미지 {SAMPLES}장의 주성분"),
        (f"takes at most {SHARE:.0%}".replace("%", " %"), f"{100 * SHARE:.0f} %를 넘지 않습니다"),
        (f"at most {FRAMES} frames", f"필름은 {FRAMES}장까지"),
        (f"at most {POINTS} points", f"점 {POINTS}개까지만"),
        (f"networks take {PACKED:.0f} MB", f"크기는 {PACKED:.0f} MB입니다"),
        (
            f"more than {LARGEST_NETWORK // 10**6} million",
            f"{LARGEST_NETWORK // 10**4}만 개를 넘는",
        ),
    ],
    "docs/scaling.md": [
        (
            f"have P = {P:,} numbers: {4 * P / 1e6:.1f} MB",
            f"수가 P = {P:,}개 있고, {4 * P / 1e6:.1f} MB",
        ),
        (f"over {SHARED_STEPS} steps", f"{SHARED_STEPS}스텝을 학습시키면"),
        (f"the test allows {NOISE:g}", f"허용하는 차이는 {NOISE:g}"),
    ],
    "docs/the-gan.md": [
        (f"$2 \\ln 2 = {2 * math.log(2):.3f}$", f"$2 \\ln 2 = {2 * math.log(2):.3f}$"),
        (f"the frozen D: {FROZEN:.3f} GFLOP", f"D의 몫, 곧 {FROZEN:.3f} GFLOP"),
    ],
    "docs/the-tutorial.md": [
        (
            "the {:.0f} to {:.0f} seconds an epoch".format(*SECONDS),
            "에포크마다 {:.0f}초에서 {:.0f}초가".format(*SECONDS),
        ),
        (
            "that is {:.0f} to {:.0f} hours".format(*(s / 3.6 for s in SECONDS)),
            "모두 {:.0f}시간에서 {:.0f}시간이".format(*(s / 3.6 for s in SECONDS)),
        ),
        (f"is {RECIPE.lr / TUTORIAL.lr:g} times as large", f"{RECIPE.lr / TUTORIAL.lr:g}배이므로"),
    ],
    "docs/weights.md": [
        (f"in pages of {ROWS * COLUMNS} digits", None),
        (f"(a probability above {SURE})", f"(확률이 {SURE}보다 큰)"),
    ],
    "docs/your-own-images.md": [
        ("from {} to {} stay".format(*SIZES), "{}에서 {}까지의 이미지는".format(*SIZES)),
        (f"all {ENGLISH[len(RECIPES)]} recipes", f"{KOREAN[len(RECIPES)]} 레시피(recipe)의"),
        (f"from 0 to {MOST_CLASSES - 1}. Folders", f"0에서 {MOST_CLASSES - 1}까지입니다"),
        (f"MNIST has {EPOCH} of them", f"MNIST의 한 에포크는 {EPOCH}스텝"),
        (f"which is {math.ceil(500 / 64)}.", f"올림한 {math.ceil(500 / 64)}스텝"),
        (f"fewer than {BINS * PER_BIN:,} images", f"{BINS * PER_BIN:,}장보다 적으면"),
        (f"{ENGLISH[PER_BIN]} images for each", f"{KOREAN[PER_BIN]} 장씩 들어가게"),
        (f"more than {RATIO} times their size", f"{RATIO}배 넘게 커지는"),
    ],
}


@pytest.mark.parametrize("page", STATEMENTS)
def test_what_the_code_says(page: str) -> None:
    twins = {"README.md": "README.ko.md", "docs/README.md": "docs/ko/index.md"}
    twin = twins.get(page, page.replace("docs/", "docs/ko/"))
    for said, told in STATEMENTS[page]:
        assert said is None or said in read(page)
        assert told is None or told in read(twin)


def test_mutants_are_killed_or_make_no_difference() -> None:
    page = "docs/checking-gradients.md"
    table = np.array([row[1:] for row in rows(page, r"`[\w/]+\.py`") if len(row) == 4], dtype=int)
    (total,) = rows(page, "all")
    np.testing.assert_array_equal(table[:, 0], table[:, 1] + table[:, 2])
    np.testing.assert_array_equal(table.sum(axis=0), np.array(total[1:], dtype=int))
    assert f"All {int(total[1]):,} mutants" in read(page)


def test_verdicts_add_up() -> None:
    """A right network of each kind is checked once for each case and seed."""
    (right, *_, inside) = rows("docs/checking-gradients.md", "right[^|]*")
    assert sum(map(int, right[1:])) == 2 * CASES
    assert int(right[3]) == int(inside[3]) == 0


def test_wrong_lines_of_the_museum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    exhibits: dict[str, Any] = importlib.import_module("museum").EXHIBITS
    wrong = {
        sum(
            line not in edit.right.splitlines()
            for edit in exhibit.edits
            for line in edit.wrong.splitlines()
        )
        for exhibit in exhibits.values()
    }
    assert wrong == {1, 2, 3}


def test_products_of_the_penalty() -> None:
    net = mg.discriminator(logits=True, seed=0)
    made: list[Product] = []
    with noted_products(net.backend, made.append):
        mg.r1(net, np.zeros((2, 784), "float32"), 0.1)
    assert len(made) == 4 * sum(isinstance(layer, mg.Linear) for layer in net.layers)


def test_launches_of_batch_normalisation(stand_in: Backend) -> None:
    """On the stand-in, which has one for each operation; a GPU may make two of a sum."""
    launches = []
    for batch_norm in (False, True):
        rng = np.random.default_rng(0)
        G = mg.generator(10, batch_norm=batch_norm, seed=rng, backend=stand_in)
        gan = mg.GAN(G, mg.discriminator(seed=rng, backend=stand_in))
        step: Any = stand_in.compile(gan.train_step)
        for _ in range(2):
            step(np.zeros((4, 784), "float32"), np.zeros((4, 10), "float32"))
        (graph, *_), *_ = step.graphs.values()
        (work,) = (part.work for part in vars(graph).values() if isinstance(part, Graph))
        launches.append(len(work))
    assert launches[1] - launches[0] == 3 * 28


def test_half_a_copy() -> None:
    """How many images the classifier is sure of, of a generator and of its parameters alone."""
    whole, half = mg.load_generator(), mg.generator(batch_norm=True)
    half.params[...] = whole.params
    z = np.random.default_rng(0).standard_normal((1000, 100), dtype="float32")
    found = re.search(r"of only (\d+) % of 10,000 of them, and of (\d+) %", read("docs/weights.md"))
    assert found
    for net, per_cent in zip((half, whole), found.groups(), strict=True):
        _, p = features_and_probabilities(load_classifier(None), net(z))
        assert abs(100 * (p.max(axis=1) > SURE).mean() - int(per_cent)) < 4


def test_the_data_sets_that_were_tried() -> None:
    """A tenth of the images is held out; NDB has ten images of the other half for each bin."""
    all_rows = rows("docs/your-own-images.md")
    tried = [cells for cells in all_rows if re.fullmatch(r"\d+ of \d+", cells[-2])]
    assert len(tried) == 8
    for name, _, number, recipe, steps, bins, _ in tried:
        images, batch_size = int(number.replace(",", "")), 64
        if "flags" in name or "faces" in name:
            batch_size = 32 if "flags" in name else 30
        assert int(steps.replace(",", "")) % math.ceil(images / batch_size) == 0
        assert int(bins.split()[-1]) == bins_for(images // 2)
        assert recipe.strip("`") in RECIPES
    assert f"{1528 - round(1528 * HELD_OUT):,} to train with" in read("docs/your-own-images.md")


def test_the_formula_of_the_step_of_several_processes() -> None:
    """t₁ and t₀ follow from the first column of the table, and what the formula says from those."""
    table = [row for row in rows("docs/scaling.md") if row[-1].startswith(("0.", "1."))]
    B, one, added = (
        [float(row[i].replace(",", "").removesuffix(" ms")) for row in table] for i in (0, 1, 4)
    )
    t1 = (one[-1] - one[0]) / (B[-1] - B[0])
    t0 = one[0] - B[0] * t1
    page = read("docs/scaling.md")
    assert f"$t_1$ = {t1:.2f} ms and $t_0$ = {t0:.1f} ms" in page
    says = [f"{b / 2 * t1 + t0 + a:.0f}" for b, a in zip(B, added, strict=True)]
    assert "the formula says {}, {} and {} ms".format(*says) in page
    on_paper = [row for row in rows("docs/scaling.md") if "µs" in row[2] and "GB/s" in row[1]]
    assert len(on_paper) == 3
    for name, rate, latency, time, _ in on_paper:
        n = int(name.split()[0])
        bytes_moved = 2 * (n - 1) / n * 4 * P
        seconds = 2 * (n - 1) * float(latency.split()[0]) * 1e-6
        seconds += bytes_moved / (float(rate.split()[0]) * 1e9)
        assert time == f"{1000 * seconds:.1f} ms"


def test_the_floor_is_the_sum_of_its_parts() -> None:
    """In the table of ``minigan bench``: the floor, and what is computed from the other rows."""
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    table = {}
    for name, cells in re.findall(r"^(\S.{27}) ((?: *[\d,.]+){5})$", text, re.MULTILINE):
        table[name.strip()] = np.array([float(x.replace(",", "")) for x in cells.split()])
    B, step = table["batch size"], table["a step"]
    floor = table["its 30 products alone"] + table["Adam's traffic as a copy"]
    np.testing.assert_allclose(table["the floor"], floor, atol=0.011)
    np.testing.assert_allclose(table["steps per second"], 1000 / step, atol=0.06, rtol=5e-4)
    np.testing.assert_allclose(table["images per second"], 1000 * B / step, atol=0.6, rtol=5e-4)
    adam = (table["Adam of D"] + table["Adam of G"]) / step
    assert np.round(1 / adam[:2]).tolist() == [5, 9]  # a fifth of a step of 16, a ninth of 64
    assert round(100 * adam[3]) == 1  # a hundredth of one of 1024
