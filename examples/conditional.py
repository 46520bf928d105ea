# %% [markdown]
# # A GAN that draws the digit it is asked for
#
# A conditional GAN (Mirza & Osindero 2014) is told the class of each image.  G gets a label beside
# each z, as ten more columns: 1 in the label's column, else 0.  D has ten outputs, "is this a real
# 0?", "is this a real 1?" and so on, and the label picks one.  With `classes=10`, `mg.GAN` does
# both; all that is left is to hand it the labels.
#
# A classifier that has learnt to read digits judges the result: how often does it read the digit
# that was asked for?  `minigan train --recipe conditional` does the same with checkpoints and
# curves, and docs/conditional.md says how it works.
#
# The program takes three minutes on an idle core; EPOCHS=1 in the environment gives a first look.
# BATCH_SIZE and SEED can be set, too, and OUT: the pictures go to that folder, or to
# runs/conditional.

# %%
import os
import time
from pathlib import Path

import numpy as np

import minigan as mg
from minigan.conditional import beside
from minigan.data import batches, pixel_values
from minigan.metrics import load_classifier
from minigan.training.average import follow, renew_statistics
from minigan.training.pictures import save_grid

epochs = int(os.environ.get("EPOCHS", "5"))
batch_size = int(os.environ.get("BATCH_SIZE", "64"))
latent_dim = 100
pictures = Path(os.environ.get("OUT", "runs/conditional"))
pictures.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(int(os.environ.get("SEED", "0")))

images, labels = mg.load_mnist("train")
images = images.reshape(len(images), 784)


def normal(n: int) -> np.ndarray:
    return rng.standard_normal((n, latent_dim), dtype=np.float32)


# %% [markdown]
# ## The networks
# The images are drawn by a moving average of G's weights, which is better than G itself, because
# G never comes to rest.  Its first update copies G, so its own first weights do not matter.  The
# running statistics of its batch normalisation are measured anew before it draws.

# %%
G = mg.generator(classes=10, batch_norm=True, seed=rng)  # 100 columns for z, 10 for the label
D = mg.discriminator(classes=10, logits=True, seed=rng)  # 10 outputs
gan = mg.GAN(G, D, lr=5e-4, classes=10, logits=True, r1=0.3)
average = mg.generator(classes=10, batch_norm=True, seed=0)

# %% [markdown]
# ## What G is asked for
# The picture has a row for each of ten z and a column for each digit.  So it shows what is left for
# z to decide: the hand that writes.  The classifier reads 2000 other images, 200 of each
# digit.

# %%
one_hot = np.eye(10, dtype="float32")  # row k is the label k, as G is told it
shown = beside(normal(10).repeat(10, axis=0), one_hot[np.tile(np.arange(10), 10)])
asked = np.arange(2000) % 10
judged = beside(normal(len(asked)), one_hot[asked])
classifier = load_classifier()


def share_read() -> float:
    """Return the share of images in which the classifier reads the digit that was asked for."""
    read = classifier(average(judged)).argmax(axis=1)
    return float((read == asked).mean())


# %% [markdown]
# ## Training

# %%
step = 0
for epoch in range(1, epochs + 1):
    start = time.perf_counter()
    for batch in batches(len(images), batch_size, rng):
        real, z = pixel_values(images[batch]), normal(len(batch))
        result = gan.train_step(real, z, labels[batch])  # the fakes get the labels of the real ones
        step += 1
        follow(average, G, step)
    renew_statistics(average, latent_dim + 10, classes=10)

    print(
        f"Epoch [{epoch}/{epochs}]  d_loss {float(result.d_loss):.4f}  "
        f"g_loss {float(result.g_loss):.4f}  the digit asked for is read in {share_read():.1%}  "
        f"{time.perf_counter() - start:.1f} s"
    )
    save_grid(pictures / f"epoch_{epoch:04d}.png", average(shown), nrow=10)
    print(f"picture: {pictures}/epoch_{epoch:04d}.png")
