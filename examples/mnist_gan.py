# %% [markdown]
# # The tutorial's program, with minigan in PyTorch's place
#
# This program trains a GAN that draws handwritten digits, step by step like the PyTorch tutorial:
# settings, data, networks, loss and optimizers, the training loop, pictures.  The comments give
# PyTorch's line where minigan's differs.  `minigan train --recipe tutorial` does the same with
# checkpoints and curves.
#
# The program takes ten to fifteen minutes; EPOCHS=2 in the environment gives a first look.  The
# pictures go to runs/mnist_gan.

# %%
import os
import time
from pathlib import Path

import numpy as np

import minigan as mg
from minigan.data import batches, pixel_values
from minigan.training.pictures import save_grid

epochs = int(os.environ.get("EPOCHS", "20"))
batch_size = int(os.environ.get("BATCH_SIZE", "64"))
latent_dim = 100
lr = 2e-4
betas = (0.5, 0.999)
pictures = Path(os.environ.get("OUT", "runs/mnist_gan"))
pictures.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(1)  # torch.manual_seed(1)

# %% [markdown]
# ## Data
# PyTorch: `datasets.MNIST(..., transform=Compose([ToTensor(), Normalize((0.5,), (0.5,))]))`.
# The images stay bytes; a table of 256 numbers does the work of ToTensor and Normalize on each
# batch.

# %%
images, _ = mg.load_mnist("train")
images = images.reshape(len(images), 784)  # img.view(batch_size, -1)
to_float = pixel_values()

# %% [markdown]
# ## Generator and discriminator
# A network is a row of layers, as in `nn.Sequential`.  When a Linear joins a network, its weights
# are drawn with the network's seed.

# %%
G = mg.Sequential(
    mg.Linear(latent_dim, 256),
    mg.ReLU(),
    mg.Linear(256, 512),
    mg.ReLU(),
    mg.Linear(512, 1024),
    mg.ReLU(),
    mg.Linear(1024, 784),
    mg.Tanh(),
    seed=rng,
)
D = mg.Sequential(
    mg.Linear(784, 1024),
    mg.LeakyReLU(0.2),
    mg.Linear(1024, 512),
    mg.LeakyReLU(0.2),
    mg.Linear(512, 256),
    mg.LeakyReLU(0.2),
    mg.Linear(256, 1),
    mg.Sigmoid(),
    seed=rng,
)
print(G)
print(D)

# %% [markdown]
# ## Loss and optimizers
# PyTorch: `criterion = nn.BCELoss()`; here the function `mg.bce` returns the loss and its gradient.

# %%
adam_d = mg.Adam(D, lr=lr, betas=betas)  # optim.Adam(D.parameters(), lr=lr, betas=betas)
adam_g = mg.Adam(G, lr=lr, betas=betas)
fixed_z = rng.standard_normal((64, latent_dim), dtype=np.float32)

# %% [markdown]
# ## Training

# %%
for epoch in range(1, epochs + 1):
    start = time.perf_counter()
    for batch in batches(len(images), batch_size, rng):  # for img, _ in dataloader:
        real = to_float[images[batch]]
        z = rng.standard_normal((len(batch), latent_dim), dtype=np.float32)  # torch.randn(...)

        # Train the discriminator: real images are 1, fake images are 0.
        p_real, cache_real = D.forward(real)
        loss_real, dp_real = mg.bce(p_real, 1.0)  # criterion(D(real), ones)
        fake, cache_g = G.forward(z)  # fake = G(z)
        p_fake, cache_fake = D.forward(fake)  # D(fake.detach()): backward stops below
        loss_fake, dp_fake = mg.bce(p_fake, 0.0)
        d_loss = loss_real + loss_fake
        D.backward(dp_real, cache_real, input_grad=False)  # d_loss.backward(), in its two halves:
        grads_real = D.grads.copy()  # gradients are overwritten, never accumulated,
        D.backward(dp_fake, cache_fake, input_grad=False)  # so there is no zero_grad() to forget
        D.grads += grads_real
        adam_d.step()  # d_optimizer.step()

        # Train the generator: the updated D should take its images for real.
        p, cache_d = D.forward(fake)
        g_loss, dp = mg.bce(p, 1.0)  # criterion(D(fake), ones)
        d_fake = D.backward(dp, cache_d, param_grads=False)  # through D, whose weights stay
        G.backward(d_fake, cache_g, input_grad=False)  # g_loss.backward()
        adam_g.step()  # g_optimizer.step()

    print(
        f"Epoch [{epoch}/{epochs}]  d_loss {float(d_loss):.4f}  g_loss {float(g_loss):.4f}  "
        f"{time.perf_counter() - start:.1f} s"
    )
    save_grid(pictures / f"epoch_{epoch:04d}.png", G(fixed_z))  # save_image(G(fixed_z), ...)
    print(f"picture: {pictures}/epoch_{epoch:04d}.png")
