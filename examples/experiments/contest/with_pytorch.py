"""The GAN in PyTorch: the tutorial's program, the same tuned by hand, and a whole epoch of it."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contest.same_for_all import BETAS, LATENT_DIM, LR, Epoch, Step, first_weights, float_images


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


def tutorial_step(device: str = "cpu", tf32: bool = False) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return a step (images, z) -> (d_loss, g_loss) with the tutorial's lines."""
    import torch
    from torch import nn

    generator, discriminator = torch_networks(sigmoid=True, device=device, tf32=tf32)
    criterion: Any = nn.BCELoss()
    optimizer_G = torch.optim.Adam(generator.parameters(), lr=LR, betas=BETAS)
    optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=LR, betas=BETAS)

    def step(real_imgs: Any, z: Any) -> tuple[Any, Any]:
        real_labels = torch.ones(real_imgs.size(0), 1, device=device)
        fake_labels = torch.zeros(real_imgs.size(0), 1, device=device)
        optimizer_D.zero_grad()
        d_loss_real = criterion(discriminator(real_imgs), real_labels)
        d_loss_real.backward()
        fake_imgs = generator(z)
        d_loss_fake = criterion(discriminator(fake_imgs.detach()), fake_labels)
        d_loss_fake.backward()
        optimizer_D.step()
        optimizer_G.zero_grad()
        g_loss = criterion(discriminator(fake_imgs), real_labels)
        g_loss.backward()
        optimizer_G.step()
        return d_loss_real.detach() + d_loss_fake.detach(), g_loss.detach()

    return step


def pytorch_tutorial(device: str = "cpu", tf32: bool = False) -> Step:
    import torch

    step, images = tutorial_step(device, tf32), torch.from_numpy(float_images()).to(device)

    def run(indices: Any, z: Any) -> tuple[Any, Any]:
        return step(images[torch.from_numpy(indices).to(device)], torch.from_numpy(z).to(device))

    return run


def pytorch_tuned(how: str = "eager", device: str = "cpu", tf32: bool = False) -> Step:
    """Return a tuned step: one stacked batch for D, BCE on logits, D frozen for G, fused Adam.

    ``how`` is "eager", "compiled" (by torch.compile) or "graph": on a GPU, the whole step with both
    Adams is captured by hand as one CUDA graph.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as bce

    cuda: Any = torch.cuda
    G, D = torch_networks(sigmoid=False, device=device, tf32=tf32)
    options: Any = {"lr": LR, "betas": BETAS, "fused": True, "capturable": how == "graph"}
    d_optimizer = torch.optim.Adam(D.parameters(), **options)
    g_optimizer = torch.optim.Adam(G.parameters(), **options)
    images, d_parameters = torch.from_numpy(float_images()).to(device), list(D.parameters())
    run_g, run_d = G, D
    if how == "compiled":
        run_g, run_d = torch.compile(G), torch.compile(D)

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
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
        with cuda.stream(side):  # a capture needs this warm-up
            for _ in range(3):
                step(*still)
        cuda.current_stream().wait_stream(side)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            losses = step(*still)
        with torch.no_grad():  # restore the state before the warm-up
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


def epoch_of_the_tutorial() -> Epoch:
    """Return an epoch of the tutorial: its DataLoader, torchvision's MNIST, losses read once."""
    import torch
    from torchvision import datasets, transforms

    from minigan.data import SHIPPED

    root = Path(tempfile.mkdtemp())
    (root / "MNIST" / "raw").mkdir(parents=True)
    for file in (SHIPPED / "mnist").glob("*.gz"):
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
