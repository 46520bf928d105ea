# %% [markdown]
# # The tutorial's GAN on a CPU: minigan against PyTorch and JAX
#
# The same weights, images and latent points go through the tutorial's PyTorch program, the same
# program tuned by hand, the whole step in one `jax.jit`, and minigan.  Each contestant is a process
# of its own.  First all train a few steps, and their losses must agree.  Then they take turns, in
# alternating order, so that whatever else the machine does meets all of them; what counts is the
# ratio of two times from one round, and the median of these ratios.
#
#     python -m pip install ".[torch]"                   # or torch and torchvision as you have them
#     python -m pip install jax                          # optional
#     python examples/benchmark_vs_pytorch.py            # a quarter of an hour; --help for less
#
# Contestants that are not installed, or cannot compile, are left out, and the output says why.

# %%
from __future__ import annotations

import gzip
import multiprocessing
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

Step = Callable[[Any, Any], tuple[Any, Any]]  # (indices, z) -> (d_loss, g_loss), perhaps not ready
LR, BETAS, EPS, LATENT_DIM = 2e-4, (0.5, 0.999), 1e-8, 100
OTHER_KERNELS = {"Haswell": "SkylakeX", "Zen": "SkylakeX", "SkylakeX": "Haswell"}

# %% [markdown]
# ## The contestants
# A contestant is a function that returns its training step.  The step gets the numbers of the
# images and z, as NumPy arrays; how it keeps the images is its own affair.


# %%
def minigan() -> Step:
    import numpy as np

    import minigan as mg
    from minigan.data import pixel_values

    rng = np.random.default_rng(0)
    gan = mg.GAN(mg.generator(seed=rng), mg.discriminator(seed=rng), lr=LR, betas=BETAS, eps=EPS)
    images = mg.load_mnist("train")[0].reshape(-1, 784)
    to_float = pixel_values()

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        result = gan.train_step(to_float[images[indices]], z)
        return result.d_loss, result.g_loss

    return step


def minigan_without_numba() -> Step:
    sys.modules["numba"] = None  # type: ignore[assignment]  # as after `pip install .`
    return minigan()


def first_weights() -> tuple[list[Any], list[Any]]:
    """(W, b) of each Linear of G and of D, as minigan draws them."""
    import numpy as np

    import minigan as mg

    rng = np.random.default_rng(0)
    networks = mg.generator(seed=rng), mg.discriminator(seed=rng)
    g, d = ([(la.W, la.b) for la in net.layers if isinstance(la, mg.Linear)] for net in networks)
    return g, d


def torch_networks(*, sigmoid: bool) -> tuple[Any, Any]:
    import torch
    from torch import nn

    def network(weights: list[Any], between: Callable[[], Any], *last: Any) -> Any:
        layers: list[Any] = []
        for W, b in weights:
            linear = nn.Linear(*W.shape)
            linear.weight.data, linear.bias.data = torch.tensor(W.T.copy()), torch.tensor(b)
            layers += [linear, between()]
        return nn.Sequential(*layers[:-1], *last)

    g, d = first_weights()
    last = [nn.Sigmoid()] if sigmoid else []
    return network(g, nn.ReLU, nn.Tanh()), network(d, lambda: nn.LeakyReLU(0.2), *last)


def float_images() -> Any:
    import minigan as mg
    from minigan.data import pixel_values

    return pixel_values()[mg.load_mnist("train")[0].reshape(-1, 784)]


def tutorial_step() -> Callable[[Any, Any], tuple[Any, Any]]:
    """(images, z) -> (d_loss, g_loss) with the tutorial's lines."""
    import torch
    from torch import nn

    G, D = torch_networks(sigmoid=True)
    criterion = nn.BCELoss()
    d_optimizer = torch.optim.Adam(D.parameters(), lr=LR, betas=BETAS)
    g_optimizer = torch.optim.Adam(G.parameters(), lr=LR, betas=BETAS)

    def step(real: Any, z: Any) -> tuple[Any, Any]:
        ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
        d_optimizer.zero_grad()
        fake = G(z)
        d_loss: Any = criterion(D(real), ones) + criterion(D(fake.detach()), zeros)
        d_loss.backward()
        d_optimizer.step()
        g_optimizer.zero_grad()
        g_loss: Any = criterion(D(fake), ones)
        g_loss.backward()
        g_optimizer.step()
        return d_loss.detach(), g_loss.detach()

    return step


def pytorch_tutorial() -> Step:
    import torch

    step, images = tutorial_step(), torch.from_numpy(float_images())
    return lambda indices, z: step(images[torch.from_numpy(indices)], torch.from_numpy(z))


def pytorch_tuned(compiled: bool = False) -> Step:
    """One stacked batch for D, BCE on logits, D frozen in G's step, fused Adam."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as bce

    G, D = torch_networks(sigmoid=False)
    d_optimizer = torch.optim.Adam(D.parameters(), lr=LR, betas=BETAS, fused=True)
    g_optimizer = torch.optim.Adam(G.parameters(), lr=LR, betas=BETAS, fused=True)
    images, d_parameters = torch.from_numpy(float_images()), list(D.parameters())
    run_g, run_d = (torch.compile(G), torch.compile(D)) if compiled else (G, D)

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        real, fake = images[torch.from_numpy(indices)], run_g(torch.from_numpy(z))
        ones = torch.ones(len(real), 1)
        target = torch.cat([ones, torch.zeros(len(real), 1)])
        for parameter in d_parameters:
            parameter.requires_grad_(True)
        d_optimizer.zero_grad()
        d_loss: Any = 2 * bce(run_d(torch.cat([real, fake.detach()])), target)
        d_loss.backward()
        d_optimizer.step()
        for parameter in d_parameters:
            parameter.requires_grad_(False)
        g_optimizer.zero_grad()
        g_loss: Any = bce(run_d(fake), ones)
        g_loss.backward()
        g_optimizer.step()
        return d_loss.detach(), g_loss.detach()

    return step


def pytorch_compiled() -> Step:
    return pytorch_tuned(compiled=True)


def jax_one_jit() -> Step:
    """The whole step, gathering of the images included, as one compiled function."""
    import jax
    import jax.numpy as jnp
    from jax.nn import leaky_relu, relu, softplus

    def G(weights: Any, z: Any) -> Any:
        for W, b in weights[:-1]:
            z = relu(z @ W + b)
        return jnp.tanh(z @ weights[-1][0] + weights[-1][1])

    def D(weights: Any, x: Any) -> Any:
        for W, b in weights[:-1]:
            x = leaky_relu(x @ W + b, 0.2)
        return x @ weights[-1][0] + weights[-1][1]  # logits

    def adam(p: Any, g: Any, m: Any, v: Any, t: Any) -> Any:
        m = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, m, g)
        v = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, v, g)
        lr, root = LR / (1 - BETAS[0] ** t), jnp.sqrt(1 - BETAS[1] ** t)
        return jax.tree.map(lambda p, m, v: p - lr * m / (jnp.sqrt(v) / root + EPS), p, m, v), m, v

    def train(state: Any, images: Any, indices: Any, z: Any) -> Any:
        (g, g_m, g_v), (d, d_m, d_v), t = state
        real, t, n = images[indices], t + 1, len(z)
        fake, backward_g = jax.vjp(lambda g: G(g, z), g)

        def d_loss_of(d: Any) -> Any:
            logits = D(d, jnp.concatenate([real, fake]))
            return softplus(-logits[:n]).mean() + softplus(logits[n:]).mean()

        d_loss, d_grad = jax.value_and_grad(d_loss_of)(d)
        d, d_m, d_v = adam(d, d_grad, d_m, d_v, t)
        g_loss, d_fake = jax.value_and_grad(lambda x: softplus(-D(d, x)).mean())(fake)
        g, g_m, g_v = adam(g, backward_g(d_fake)[0], g_m, g_v, t)
        return ((g, g_m, g_v), (d, d_m, d_v), t), d_loss, g_loss

    def start(weights: Any) -> Any:
        weights = [(jnp.array(W), jnp.array(b)) for W, b in weights]
        return (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)))

    compiled, images = jax.jit(train, donate_argnums=0), jnp.asarray(float_images())
    state = (*map(start, first_weights()), jnp.float32(0))

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        nonlocal state
        state, d_loss, g_loss = compiled(state, images, indices, z)
        return d_loss, g_loss

    return step


# %% [markdown]
# ## A whole epoch, as the two programs go through it
# The tutorial's DataLoader over torchvision's MNIST with its transform, against minigan's table of
# 256 grey levels; both draw z and read the losses once an epoch.


# %%
def epoch_of_the_tutorial() -> Callable[[], tuple[Any, Any]]:
    import torch
    from torchvision import datasets, transforms

    import minigan.data

    root = Path(tempfile.mkdtemp())
    (root / "MNIST" / "raw").mkdir(parents=True)
    for file in minigan.data.MNIST.glob("*.gz"):
        (root / "MNIST" / "raw" / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    dataset = datasets.MNIST(str(root), train=True, transform=transform)
    shutil.rmtree(root)
    dataloader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True)
    step = tutorial_step()

    def epoch() -> tuple[Any, Any]:
        for img, _ in dataloader:
            losses = step(img.view(len(img), 784), torch.randn(len(img), LATENT_DIM))
        return losses

    return epoch


def epoch_of_minigan() -> Callable[[], tuple[Any, Any]]:
    import numpy as np

    from minigan.data import batches

    step, rng = minigan(), np.random.default_rng(1)

    def epoch() -> tuple[Any, Any]:
        for indices in batches(60_000, 64, rng):
            z = rng.standard_normal((len(indices), LATENT_DIM), dtype=np.float32)
            losses = step(indices, z)
        return losses

    return epoch


# %% [markdown]
# ## Processes that wait for their turn


# %%
@dataclass
class Contestant:
    """A process that has made its step, and takes some when told to."""

    name: str
    make: Callable[[], Any]
    kernels: str | None = None  # OPENBLAS_CORETYPE

    def start(self) -> str | None:
        """None, or the reason why it cannot take part."""
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(self.make, other), daemon=True)
        old = os.environ.pop("OPENBLAS_CORETYPE", None)
        if self.kernels is not None:
            os.environ["OPENBLAS_CORETYPE"] = self.kernels
        self.process.start()  # with this environment: NumPy is loaded in there
        os.environ.pop("OPENBLAS_CORETYPE", None)
        if old is not None:
            os.environ["OPENBLAS_CORETYPE"] = old
        other.close()
        reason: str | None = self.answer()
        return reason

    def ask(self, batch_size: int, steps: int, seconds: float = 0) -> Any:
        self.pipe.send((batch_size, steps, seconds))
        return self.answer()

    def answer(self) -> Any:
        try:
            return self.pipe.recv()
        except EOFError:
            return "its process died"

    def stop(self) -> None:
        self.pipe.close()
        self.process.join()


def fixed_batches(batch_size: int) -> Iterator[tuple[Any, Any]]:
    """The same numbers of images and the same z for everyone, round and round."""
    import numpy as np

    rng = np.random.default_rng(batch_size)
    draws = [
        (rng.integers(0, 60_000, batch_size), rng.standard_normal((batch_size, LATENT_DIM), "f4"))
        for _ in range(16)
    ]
    while True:
        yield from draws


def serve(make: Callable[[], Any], pipe: Any) -> None:
    """Make the step, then answer requests (batch size, steps, seconds).

    Batch size 0 is a whole epoch.  The answer: milliseconds a step (or an epoch), the losses after
    each step if few were asked for, the peak memory of the process in MB, the BLAS kernels.
    """
    try:
        from minigan.bench import peak_megabytes
        from minigan.blas import blas_libraries

        step = make()
        pipe.send(None)
    except Exception as error:  # whatever keeps a rival from running is its reason
        pipe.send(f"{type(error).__name__}: {error}".splitlines()[0])
        return
    while True:
        try:
            batch_size, steps, seconds = pipe.recv()
        except EOFError:
            return
        try:
            draws = fixed_batches(batch_size) if batch_size else iter(lambda: (), None)
            losses, done, start = [], 0, time.perf_counter()
            while done < steps or time.perf_counter() - start < seconds:
                result = step(*next(draws))
                done += 1
                if done <= 20:
                    losses.append(result)
            float(result[0]), float(result[1])  # waits, where a step returns before it is done
            took = 1e3 * (time.perf_counter() - start) / done
            kernels = [lib.get("architecture") for lib in blas_libraries() if "architecture" in lib]
            pairs = [(float(d), float(g)) for d, g in losses]
            pipe.send((took, pairs, peak_megabytes(), kernels))
        except Exception as error:
            pipe.send(f"{type(error).__name__}: {error}".splitlines()[0])


# %% [markdown]
# ## Rounds and ratios


# %%
@dataclass
class Options:
    """Time the tutorial's GAN in minigan, PyTorch and JAX, in turns, on this machine's CPU."""

    rounds: int = 5
    """Turns of each contestant; the first of a round is the last of the next."""
    batch_sizes: tuple[int, ...] = (64, 256, 1024)
    """Images in a step."""
    seconds: float = 1.5
    """Of a turn, at least."""
    epochs: bool = True
    """Time whole epochs too, which takes about five minutes."""
    write: str | None = None
    """Put the tables into this Markdown file, between its two benchmark comments."""


Times = dict[str, list[float]]  # milliseconds of each round, by contestant


def take_turns(
    contestants: list[Contestant], rounds: int, *request: Any
) -> tuple[Times, dict[str, float]]:
    """The times of all rounds, and each contestant's peak memory in MB."""
    times: Times = {contestant.name: [] for contestant in contestants}
    peaks: dict[str, float] = {}
    for i in range(rounds):
        for contestant in contestants if i % 2 == 0 else reversed(contestants):
            took, _, peaks[contestant.name], _ = contestant.ask(*request)
            times[contestant.name].append(took)
            print(f"  round {i + 1}  {contestant.name:32} {took:10.2f} ms", flush=True)
    return times, peaks


def ratio(times: Times, rival: str, ours: str) -> list[float]:
    return [a / b for a, b in zip(times[rival], times[ours], strict=True)]


def comparison(times: Times, ours: list[str]) -> list[str]:
    """A Markdown table: median times, and how many times as long each takes as each of ours."""
    rows = ["| | ms | " + " | ".join(f"/ {name}" for name in ours) + " |"]
    rows.append("|---|---:|" + "---:|" * len(ours))
    for name, took in times.items():
        cells = [f"{statistics.median(took):,.1f}"]
        for our in ours:
            ratios = ratio(times, name, our)
            low, high = min(ratios), max(ratios)
            spread = f" ({low:.2f} to {high:.2f})" if name != our else ""
            cells.append(f"{statistics.median(ratios):.2f}{spread}")
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows


def admit(candidates: list[Contestant], agreed: bool = True) -> tuple[list[Contestant], list[str]]:
    """Those that start and whose losses agree with the first one's; why the others do not."""
    admitted: list[Contestant] = []
    notes: list[str] = []
    expected: Any = None
    for contestant in candidates:
        reason = contestant.start()
        if reason is None and agreed:
            answer = contestant.ask(64, 10)
            if isinstance(answer, str):
                reason = answer
            elif contestant.kernels is not None and contestant.kernels not in answer[3]:
                reason = f"OpenBLAS took {answer[3]}"
            elif expected is None:
                expected = answer[1]
            else:
                off = max(
                    abs(loss / reference - 1)
                    for losses, references in zip(answer[1], expected, strict=True)
                    for loss, reference in zip(losses, references, strict=True)
                )
                print(f"  {contestant.name:32} losses of 10 steps differ by at most {off:.0e}")
                if off > 1e-3:  # rounding in another order stays below 1e-4 for so few steps
                    raise SystemExit(f"{contestant.name} does not train the same GAN")
        if reason is None:
            admitted.append(contestant)
        else:
            notes.append(f"{contestant.name} takes no part: {reason}")
            print(f"  {notes[-1]}")
    return admitted, notes


def time_to_first_step(rounds: int) -> list[str]:
    """A new process each: `minigan train` up to its first step, and `import torch` alone."""
    first_step = """
import os, minigan.cli
step = minigan.GAN.train_step
minigan.GAN.train_step = lambda *args: (step(*args), os._exit(0))
minigan.cli.main(["train", "--out", "run"])
"""
    codes = {"minigan train, to its first step": first_step, "import torch alone": "import torch"}
    times: Times = {name: [] for name in codes}
    for i in range(rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            for name, code in codes.items():
                start = time.perf_counter()
                subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
                if i > 0:  # the first ones read the libraries from the disk
                    times[name].append(1e3 * (time.perf_counter() - start))
    return comparison(times, list(codes)[:1])


def main(options: Options) -> None:
    from minigan.blas import blas_kernels, blas_libraries, has_avx512

    lines = [f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"]
    for package in ("numpy", "numba", "torch", "jax"):
        try:
            lines[0] += f", {package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            lines[0] += f", no {package}"
    lines[0] += f"; NumPy's products by {blas_kernels()}."

    ours = [Contestant("minigan", minigan)]
    running = str(next((lib.get("architecture") for lib in blas_libraries()), None))
    if running in OTHER_KERNELS and has_avx512():
        other = OTHER_KERNELS[running]
        ours.append(Contestant(f"minigan, {other} kernels", minigan, other))
    print("Ten steps each, from the same weights:")
    contestants, notes = admit(
        [
            *ours,
            Contestant("minigan without Numba", minigan_without_numba),
            Contestant("JAX, one jit", jax_one_jit),
            Contestant("PyTorch tuned, eager", pytorch_tuned),
            Contestant("PyTorch tuned, torch.compile", pytorch_compiled),
            Contestant("the tutorial's PyTorch step", pytorch_tutorial),
        ]
    )
    names = [contestant.name for contestant in ours]
    for batch_size in options.batch_sizes:
        print(f"Batch size {batch_size}:")
        for contestant in contestants:
            contestant.ask(batch_size, 5)  # compiles, fills caches
        times, _ = take_turns(contestants, options.rounds, batch_size, 3, options.seconds)
        lines += ["", f"### A step of {batch_size} images", "", *comparison(times, names)]
    for contestant in contestants:
        contestant.stop()

    if options.epochs:
        print("Whole epochs:")
        programs = [
            Contestant("minigan", epoch_of_minigan),
            *(Contestant(c.name, epoch_of_minigan, c.kernels) for c in ours[1:]),
            Contestant("the tutorial's program", epoch_of_the_tutorial),
        ]
        programs, missing = admit(programs, agreed=False)
        notes += missing
        times, peaks = take_turns(programs, options.rounds, 0, 1)
        lines += ["", "### An epoch of MNIST, data loading included", ""]
        lines += comparison(times, names)
        lines += ["", "| | peak memory, MB |", "|---|---:|"]
        lines += [f"| {name} | {peak:,.0f} |" for name, peak in peaks.items()]
        for program in programs:
            program.stop()

    if any("PyTorch" in contestant.name for contestant in contestants):
        print("From start to first step ...")
        lines += ["", "### From the start of the process", "", *time_to_first_step(options.rounds)]
    lines += ["", *notes] if notes else []
    text = "\n".join(lines)
    print(f"\n{text}")
    if options.write is not None:
        write_between(Path(options.write), text)


def write_between(file: Path, text: str) -> None:
    """Replace what stands between the two benchmark comments of a Markdown file."""
    before, found, rest = file.read_text(encoding="utf-8").partition("<!-- benchmark -->\n")
    _, end, after = rest.partition("<!-- end of benchmark -->")
    if not found or not end:
        raise SystemExit(f"{file} has no <!-- benchmark --> and <!-- end of benchmark -->")
    file.write_text(f"{before}{found}\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Options))
