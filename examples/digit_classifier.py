# %% [markdown]
# # A classifier for digits, with the GAN's own layers
#
# The network has ten sigmoids, one for each digit, and is trained with the same binary
# cross-entropy as the discriminator: one of them answers "is it a 3?" as D answers "is it real?".
# Half of the images of each batch are shifted by up to two pixels, so that the network learns
# shapes and not places.
#
# `minigan evaluate` judges generated images with this network; this program wrote the file that is
# shipped in minigan/data/shipped, in about two minutes.  With EPOCHS=1 in the environment it gives
# a first look; with EPOCHS=0 it trains nothing and draws the picture of the shipped network.

# %%
import os
import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import minigan as mg
from minigan.data import batches, pixel_values, save_archive
from minigan.machine.files import atomic_write
from minigan.metrics.classifier import digit_classifier, load_classifier

epochs = int(os.environ.get("EPOCHS", "20"))
batch_size = int(os.environ.get("BATCH_SIZE", "128"))
out = Path(os.environ.get("OUT", "digit_classifier.npz"))
if epochs < 0 or batch_size < 1 or out.suffix != ".npz" or out.is_dir():  # checked before the work
    sys.exit(f"EPOCHS={epochs} BATCH_SIZE={batch_size} OUT={out}: expected 0, 1 or more, FILE.npz")
out.parent.mkdir(parents=True, exist_ok=True)
seed = 0
rng = np.random.default_rng(seed)

images, labels = mg.load_mnist("train")
test_images, test_labels = mg.load_mnist("test")
one_hot = np.eye(10, dtype="float32")

# %%
net = digit_classifier(seed=rng) if epochs else load_classifier()
optimizer = mg.Adam(net, lr=1e-3)


def shifted(batch: np.ndarray) -> np.ndarray:
    """Return the images (N, 28, 28), each moved by up to two pixels; pixels that leave are lost."""
    padded = np.pad(batch, ((0, 0), (2, 2), (2, 2)))
    down, right = rng.integers(0, 5, (2, len(batch)))
    rows, columns = down[:, None] + np.arange(28), right[:, None] + np.arange(28)
    image = np.arange(len(batch))[:, None, None]
    moved: np.ndarray = padded[image, rows[:, :, None], columns[:, None, :]]
    return moved


def accuracy(images: np.ndarray, labels: np.ndarray) -> float:
    p = net(pixel_values(images.reshape(-1, 784)))
    return float((p.argmax(axis=1) == labels).mean())


# %%
for epoch in range(epochs):
    optimizer.lr = 1e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))  # smaller in every epoch
    for indices in batches(len(images), batch_size, rng):
        batch = images[indices]
        half = len(batch) // 2
        batch = np.concatenate([batch[:half], shifted(batch[half:])])
        p, cache = net.forward(pixel_values(batch.reshape(-1, 784)))
        loss, dp = mg.bce(p, one_hot[labels[indices]])
        net.backward(dp, cache, input_grad=False)
        optimizer.step()
    print(
        f"Epoch [{epoch + 1}/{epochs}]  loss {float(loss):.4f}  "
        f"test accuracy {accuracy(test_images, test_labels):.4f}"
    )

# %%
if epochs:
    meta = {
        "command": "python examples/digit_classifier.py",
        "seed": seed,
        "epochs": epochs,
        "batch_size": batch_size,
        "test_accuracy": accuracy(test_images, test_labels),
    }
    save_archive(out, {"classifier": net.params}, meta)
    print(f"wrote {out}")

# %% [markdown]
# ## Which digits the network mistakes for which
#
# The left half of the picture shows how often each digit of the test set was taken for each other
# one; the right answers are left out.  The right half shows the mistakes of which the network was
# surest.


# %%
def draw(path: Path) -> None:
    p = net(pixel_values(test_images.reshape(-1, 784)))  # (10000, 10)
    said = p.argmax(axis=1)
    wrong = np.flatnonzero(said != test_labels)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (test_labels[wrong], said[wrong]), 1)

    figure = Figure(figsize=(9, 4.6), layout="constrained")
    halves = figure.add_gridspec(1, 2)
    left, right = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    axes = left.subplots()
    axes.imshow(counts, cmap="Blues", vmax=1.5 * counts.max() + 1)
    for row, column in np.ndindex(10, 10):
        text = "·" if row == column else str(counts[row, column] or "")
        axes.text(column, row, text, ha="center", va="center")
    axes.set(xticks=range(10), yticks=range(10), xlabel="the network says", ylabel="it is")
    axes.set_title(f"{len(wrong)} mistakes in 10,000 digits")
    right.suptitle("the mistakes it was surest of", fontsize=12)
    surest = wrong[np.argsort(-p[wrong, said[wrong]])]
    grid = right.subplots(3, 4).ravel()
    for place in grid:
        place.axis("off")
    for place, i in zip(grid, surest, strict=False):
        place.imshow(test_images[i], cmap="gray_r")
        place.set_title(f"{test_labels[i]}, says {said[i]}", fontsize=10)
    with atomic_write(path) as file:
        figure.savefig(file, format="png", dpi=100)
    print(f"picture: {path}")


draw(out.with_suffix(".png"))
