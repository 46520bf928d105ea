# %% [markdown]
# # One GAN, trained by four programs
#
# The contestants of `benchmark_vs_pytorch.py`: minigan, the tutorial's PyTorch program, the same
# tuned by hand, and JAX.  All start from the same weights and are given the same images and z.

# %%
from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Step = Callable[[Any, Any], tuple[Any, Any]]  # (indices, z) -> (d_loss, g_loss), perhaps not ready
LR, BETAS, EPS, LATENT_DIM = 2e-4, (0.5, 0.999), 1e-8, 100

# %% [markdown]
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


def minigan_on_gpu(captured: bool, tf32: bool = False) -> Step:
    import numpy as np

    import minigan as mg
    from minigan.data import pixel_values

    backend: Any = mg.get_backend("cupy")
    backend.tf32 = tf32
    rng = np.random.default_rng(0)
    G, D = mg.generator(seed=rng, backend=backend), mg.discriminator(seed=rng, backend=backend)
    gan = mg.GAN(G, D, lr=LR, betas=BETAS, eps=EPS)
    images = backend.asarray(mg.load_mnist("train")[0].reshape(-1, 784))
    to_float = backend.asarray(pixel_values())

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        result = gan.train_step(to_float[images[indices]], z)
        return result.d_loss, result.g_loss

    if captured:
        return backend.compile(step)  # type: ignore[no-any-return]
    return lambda indices, z: step(backend.asarray(indices), z)


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


def torch_networks(*, sigmoid: bool, device: str, tf32: bool) -> tuple[Any, Any]:
    import torch
    from torch import nn

    torch.backends.cuda.matmul.allow_tf32 = tf32

    def network(weights: list[Any], between: Callable[[], Any], *last: Any) -> Any:
        layers: list[Any] = []
        for W, b in weights:
            linear = nn.Linear(*W.shape)
            linear.weight.data, linear.bias.data = torch.tensor(W.T.copy()), torch.tensor(b)
            layers += [linear, between()]
        return nn.Sequential(*layers[:-1], *last).to(device)

    g, d = first_weights()
    last = [nn.Sigmoid()] if sigmoid else []
    return network(g, nn.ReLU, nn.Tanh()), network(d, lambda: nn.LeakyReLU(0.2), *last)


def float_images() -> Any:
    import minigan as mg
    from minigan.data import pixel_values

    return pixel_values()[mg.load_mnist("train")[0].reshape(-1, 784)]


def tutorial_step(device: str = "cpu", tf32: bool = False) -> Callable[[Any, Any], tuple[Any, Any]]:
    """(images, z) -> (d_loss, g_loss) with the tutorial's lines."""
    import torch
    from torch import nn

    G, D = torch_networks(sigmoid=True, device=device, tf32=tf32)
    criterion = nn.BCELoss()
    d_optimizer = torch.optim.Adam(D.parameters(), lr=LR, betas=BETAS)
    g_optimizer = torch.optim.Adam(G.parameters(), lr=LR, betas=BETAS)

    def step(real: Any, z: Any) -> tuple[Any, Any]:
        ones = torch.ones(len(real), 1, device=device)
        zeros = torch.zeros(len(real), 1, device=device)
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


def pytorch_tutorial(device: str = "cpu", tf32: bool = False) -> Step:
    import torch

    step, images = tutorial_step(device, tf32), torch.from_numpy(float_images()).to(device)

    def run(indices: Any, z: Any) -> tuple[Any, Any]:
        return step(images[torch.from_numpy(indices).to(device)], torch.from_numpy(z).to(device))

    return run


def pytorch_tuned(how: str = "eager", device: str = "cpu", tf32: bool = False) -> Step:
    """One stacked batch for D, BCE on logits, D frozen in G's step, fused Adam.

    ``how`` is eager; compiled, for which torch.compile uses CUDA graphs on a GPU; or graph, where
    the whole step, both Adams included, is captured by hand as one CUDA graph.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as bce

    compiler: Any = torch.compiler
    cuda: Any = torch.cuda
    G, D = torch_networks(sigmoid=False, device=device, tf32=tf32)
    options: Any = {"lr": LR, "betas": BETAS, "fused": True, "capturable": how == "graph"}
    d_optimizer = torch.optim.Adam(D.parameters(), **options)
    g_optimizer = torch.optim.Adam(G.parameters(), **options)
    images, d_parameters = torch.from_numpy(float_images()).to(device), list(D.parameters())
    run_g, run_d = G, D
    if how == "compiled":
        mode = "reduce-overhead" if device == "cuda" else "default"
        run_g, run_d = torch.compile(G, mode=mode), torch.compile(D, mode=mode)

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        if how == "compiled":
            compiler.cudagraph_mark_step_begin()
        real, fake = images[indices], run_g(z)
        ones = torch.ones(len(real), 1, device=device)
        target = torch.cat([ones, torch.zeros(len(real), 1, device=device)])
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

    def run(indices: Any, z: Any) -> tuple[Any, Any]:
        return step(torch.from_numpy(indices).to(device), torch.from_numpy(z).to(device))

    if how != "graph":
        return run
    graphs: dict[int, tuple[Any, Any, Any, Any]] = {}
    owners = [(g_optimizer, p) for p in G.parameters()] + [(d_optimizer, p) for p in D.parameters()]

    def capture(indices: Any, z: Any) -> tuple[Any, Any, Any, Any]:
        still = torch.from_numpy(indices).to(device), torch.from_numpy(z).to(device)
        before = [parameter.detach().clone() for _, parameter in owners]
        moments = [
            {name: value.clone() for name, value in optimizer.state[parameter].items()}
            for optimizer, parameter in owners
        ]
        side = cuda.Stream()
        side.wait_stream(cuda.current_stream())
        with cuda.stream(side):  # the warm-up that captures ask for
            for _ in range(3):
                step(*still)
        cuda.current_stream().wait_stream(side)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            losses = step(*still)
        with torch.no_grad():  # all is again as it was before the warm-up
            for (_, parameter), value in zip(owners, before, strict=True):
                parameter.copy_(value)
            for (optimizer, parameter), old in zip(owners, moments, strict=True):
                for name, value in optimizer.state[parameter].items():
                    value.copy_(old[name]) if old else value.zero_()
        return graph, *still, losses

    def replay(indices: Any, z: Any) -> tuple[Any, Any]:
        if len(z) not in graphs:
            graphs[len(z)] = capture(indices, z)
        graph, still_indices, still_z, losses = graphs[len(z)]
        still_indices.copy_(torch.from_numpy(indices))
        still_z.copy_(torch.from_numpy(z))
        graph.replay()
        d_loss, g_loss = losses
        return d_loss, g_loss

    return replay


def jax_one_jit(device: str = "cpu", tf32: bool = False) -> Step:
    """The whole step, gathering of the images included, as one compiled function."""
    import jax
    import jax.numpy as jnp
    from jax.nn import leaky_relu, relu, softplus

    jax.config.update("jax_platforms", device)
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")

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
