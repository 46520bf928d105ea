"""The tutorial's program in PyTorch: its classes, its losses and its training step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from helpers.narrow import WIDTHS

from minigan.backend import Array

Batches = list[tuple[Array, Array]]


class Program:
    """G, D and their Adams, as the tutorial makes them; G may have batch normalisation.

    Unless ``whole`` is true, they are as narrow as ``narrow_networks`` makes those of minigan.
    """

    def __init__(
        self,
        batch_norm: bool = False,
        dtype: str = "float64",
        lr: float = 2e-4,
        whole: bool = False,
    ) -> None:
        import torch
        from torch import nn

        torch.set_num_threads(1)
        torch.manual_seed(0)

        a, b, c = (256, 512, 1024) if whole else WIDTHS.values()

        class Generator(nn.Module):  # type: ignore[misc, unused-ignore]
            def __init__(self) -> None:
                super().__init__()
                rows: list[Any] = []
                for n_in, n_out in ((100, a), (a, b), (b, c)):
                    rows += [nn.Linear(n_in, n_out)]
                    rows += [nn.BatchNorm1d(n_out)] * batch_norm + [nn.ReLU()]
                self.model = nn.Sequential(*rows, nn.Linear(c, 28 * 28), nn.Tanh())

            def forward(self, z: Any) -> Any:
                return self.model(z).view(-1, 1, 28, 28)

        class Discriminator(nn.Module):  # type: ignore[misc, unused-ignore]
            def __init__(self) -> None:
                super().__init__()
                self.model = nn.Sequential(
                    nn.Flatten(),
                    nn.Linear(28 * 28, c), nn.LeakyReLU(0.2),
                    nn.Linear(c, b), nn.LeakyReLU(0.2),
                    nn.Linear(b, a), nn.LeakyReLU(0.2),
                    nn.Linear(a, 1), nn.Sigmoid(),
                )  # fmt: skip

            def forward(self, images: Any) -> Any:
                return self.model(images)

        self.dtype = getattr(torch, dtype)
        self.generator = Generator().to(self.dtype)
        self.discriminator = Discriminator().to(self.dtype)
        self.criterion = nn.BCELoss()
        adam: Any = torch.optim.Adam
        self.optimizer_G = adam(self.generator.parameters(), lr=lr, betas=(0.5, 0.999))
        self.optimizer_D = adam(self.discriminator.parameters(), lr=lr, betas=(0.5, 0.999))

    def parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "optimizer_g": self.optimizer_G,
            "optimizer_d": self.optimizer_D,
        }

    def state(self) -> dict[str, Any]:
        """What a user of the program would save."""
        return {name: part.state_dict() for name, part in self.parts().items()}

    def load(self, state: dict[str, Any]) -> None:
        for name, part in self.parts().items():
            part.load_state_dict(state[name])  # of modules: strict

    def train(self, batches: Iterable[tuple[Array, Array]]) -> None:
        import torch

        for images, latent in batches:
            real, z = (torch.from_numpy(np.array(a)).to(self.dtype) for a in (images, latent))
            real_imgs = real.view(-1, 1, 28, 28)
            real_labels = torch.ones(real_imgs.size(0), 1).to(self.dtype)
            fake_labels = torch.zeros(real_imgs.size(0), 1).to(self.dtype)
            self.optimizer_D.zero_grad()
            d_loss_real = self.criterion(self.discriminator(real_imgs), real_labels)
            d_loss_real.backward()
            fake_imgs = self.generator(z)
            d_loss_fake = self.criterion(self.discriminator(fake_imgs.detach()), fake_labels)
            d_loss_fake.backward()
            self.optimizer_D.step()
            self.optimizer_G.zero_grad()
            g_loss = self.criterion(self.discriminator(fake_imgs), real_labels)
            g_loss.backward()
            self.optimizer_G.step()

    def arrays(self) -> dict[str, Array]:
        """All parameters and buffers of both networks, and both Adams' moments."""
        found = {}
        for name, part in self.parts().items():
            state = part.state_dict()
            if "state" in state:
                for i, one in state["state"].items():
                    for key, value in one.items():
                        found[f"{name}.{i}.{key}"] = value.numpy()
            else:
                found |= {f"{name}.{key}": value.numpy() for key, value in state.items()}
        return found


def batches(n: int, seed: int = 0, size: int = 20) -> Batches:
    """So many batches of images in [-1, 1] and latent points."""
    rng = np.random.default_rng(seed)
    return [(rng.uniform(-1, 1, (size, 784)), rng.standard_normal((size, 100))) for _ in range(n)]
