# %% [markdown]
# # Four pictures of styles: mixing, truncation, noise, and walks
#
# A generator with styles (`minigan train --recipe style`, after StyleGAN: Karras et al. 2019) makes
# a style w of each latent point z, and tells it to two layers: w scales what they take in, and
# shifts what they give out.  Both get noise, too.  This program draws the pictures that are known
# from the StyleGAN papers, with digits in place of faces.
#
# RUN=folder in the environment names the run.  Without it, the program first trains one in OUT/run,
# which takes eight minutes on an idle core, and uses that one from then on; EPOCHS (10) and DATA
# (`mnist`) are the options of `minigan train`.  The pictures take ten seconds, and go to OUT
# (`runs/style`).  SEED draws other latent points, and SAMPLES (2000) images are measured.

# %%
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import minigan as mg
from minigan.data import load_data, pixel_values
from minigan.machine.files import atomic_write
from minigan.metrics import features_and_probabilities, load_classifier, precision_and_recall
from minigan.styled import Styled
from minigan.training import draw_truncated, draw_z, find_generator, image_grid, stored_generator
from minigan.training.sampling import mean_style

seed = int(os.environ.get("SEED", "0"))
samples = int(os.environ.get("SAMPLES", "2000"))
out = Path(os.environ.get("OUT", "runs/style"))
run = Path(os.environ.get("RUN", out / "run"))
if samples < 10:
    sys.exit(f"SAMPLES={samples}, expected at least 10")
try:
    if "RUN" not in os.environ and not run.exists():
        epochs, data = int(os.environ.get("EPOCHS", "10")), os.environ.get("DATA", "mnist")
        mg.Trainer(mg.TrainConfig(recipe="style", epochs=epochs, data=data, out=str(run))).run()
    trained = stored_generator(find_generator(run))
    data = trained.config.data
    test_images, train_images = load_data(data, "test")[0], load_data(data)[0]
except mg.InputError as error:
    sys.exit(str(error))
if not isinstance(trained.net, Styled):
    sys.exit(f"{run} has the recipe {trained.config.recipe}, which has no styles: expected style")
G = trained.net
out.mkdir(parents=True, exist_ok=True)
print(f"run: {run}")

# %% [markdown]
# A row of what G takes holds the `n_z` numbers of z, and beside them the noise of both layers.
# Where a picture is about styles alone, all its images have the same noise, that of the row `x0`.

# %%
rng = np.random.default_rng(seed)
n_z, n_in = G.n_z or 1, G.n_in or 1
x0 = draw_z(rng, 1, n_in, G.dtype)


def latent_points(n: int) -> Any:
    return draw_z(rng, n, n_z, G.dtype)


def image(coarse: Any, fine: Any) -> Any:
    """Return the images of which the last shift is told another style than all before it."""
    return G.images([coarse] * (G.styled - 1) + [fine], x0.repeat(len(coarse), axis=0))


def draw(axes: Any, images: Any, title: str, names: Sequence[str] = ()) -> None:
    """Draw a table of images, (rows, columns, 784), with the names of the rows beside it."""
    axes.imshow(image_grid(images.reshape(-1, 784), images.shape[1]), cmap="gray")
    axes.set(title=title, xticks=[])
    axes.set_yticks(15.5 + 30 * np.arange(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def save(figure: Figure, name: str) -> None:
    with atomic_write(out / name) as file:
        figure.savefig(file, format="png", dpi=100)
    print(f"picture: {out / name}")


# %% [markdown]
# The figures below are computed with the digit classifier that comes with the package.  Images that
# look alike to it lie close to each other in its 64 features, the outputs of its last hidden layer.

# %%
classifier = load_classifier()


def features(images: Any) -> Any:
    return features_and_probabilities(classifier, images)[0]


def digits(images: Any) -> Any:
    """Return the digit that the classifier sees in each image."""
    return features_and_probabilities(classifier, images)[1].argmax(axis=1)


# %% [markdown]
# ## Mixing
#
# The style comes in four times: a scale and a shift for each layer.  They need not hear of the same
# style.  In the table, all but the last are told the style of the image on the left (the coarse
# one), and the last shift, right below the pixels, that of the image on top (the fine one).  So a
# style mixed with itself would give the image itself.  (In StyleGAN, coarse layers have few pixels,
# and fine ones many.  Here the names mean no more than early and late.)
#
# Which of the two says what digit it is?  The program counts, among mixtures of two styles whose
# images are different digits, and prints two shares.  The rest are other digits than both, or none
# at all: G never had to draw a mixture when it was trained.

# %%


def towards_the_mean(w: Any, psi: float = 0.7) -> Any:
    """Return styles of cleaner images, which are more alike: see the next picture."""
    mean = mean_style(G)
    return mean + psi * (w - mean)


def mixtures(coarse: Any, fine: Any) -> Any:
    """Return the images of every coarse style with every fine one: (coarse, fine, 784)."""
    pairs = coarse.repeat(len(fine), axis=0), np.tile(fine, (len(coarse), 1))
    return image(*pairs).reshape(len(coarse), len(fine), 784)


w = towards_the_mean(G.styles(latent_points(6 + 9)))
table = np.full((7, 10, 784), -1, G.dtype)
table[1:, 0], table[0, 1:] = image(w[:6], w[:6]), image(w[6:], w[6:])
table[1:, 1:] = mixtures(w[:6], w[6:])

figure = Figure(figsize=(7.4, 5.7), layout="compressed")
axes = figure.subplots()
draw(axes, table, "All but the last shift: style of the image on the left.  That: on top.")
axes.axhline(30.5, color="white", lw=5)
axes.axvline(30.5, color="white", lw=5)
axes.text(15.5, 15.5, "fine →\n\ncoarse ↓", color="white", ha="center", va="center", fontsize=9)
save(figure, "mixing.png")

a, b = G.styles(latent_points(samples)), G.styles(latent_points(samples))
digit_a, digit_b, mixed = digits(image(a, a)), digits(image(b, b)), digits(image(a, b))
differ = digit_a != digit_b
for name, digit in (("coarse", digit_a), ("fine", digit_b)):
    share = (differ & (mixed == digit)).sum() / max(differ.sum(), 1)
    print(f"mixtures that show the digit of their {name} style: {share:.0%}")

# %% [markdown]
# ## Truncation
#
# `draw_truncated` draws styles towards the mean of all styles, w̄: it takes w̄ + ψ (w - w̄) for w.
# With ψ = 1 these are the plain samples; with ψ = 0 only the noise differs; with ψ > 1 they go
# beyond what G was trained with.
#
# What is gained and lost?  Precision is the share of samples that lie among the test images, and
# recall the share of test images that lie among the samples.  The less ψ, the more the samples are
# alike, and the less of the test images they cover.  Training images in place of samples show how
# high both can be.

# %%
psis = (0, 0.2, 0.4, 0.6, 0.8, 1, 1.2)
points = draw_z(rng, samples, n_in, G.dtype)
truncated = [draw_truncated(G, points, psi) for psi in psis]


def real(images: Any) -> Any:
    """Return the features of some real images, as many as samples."""
    chosen = images[rng.permutation(len(images))[:samples]]
    return features(pixel_values(chosen.reshape(-1, 784)))


test = real(test_images)
figures = [precision_and_recall(test, features(images)) for images in truncated]
best = precision_and_recall(test, real(train_images))

figure = Figure(figsize=(11, 4.9), layout="constrained")
left, right = figure.subplots(1, 2, width_ratios=(1.45, 1))
shown = np.stack([images[:10] for images in truncated])
names = [f"ψ = {psi}" for psi in psis]
draw(left, shown, "Ten latent points, their styles drawn towards the mean style", names)
recall, precision = [p.recall for p in figures], [p.precision for p in figures]
right.plot(recall, precision, color="0.7", zorder=1)
dots = right.scatter(recall, precision, c=psis, cmap="viridis")
right.legend(*dots.legend_elements(num=None), title="ψ", frameon=False, loc="lower right")
right.plot(best.recall, best.precision, "k*", ms=10)
right.text(best.recall, best.precision - 0.05, "training images", ha="center")
right.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), title=f"{samples} samples of each ψ")
right.set(xlabel="recall: are all kinds drawn?", ylabel="precision: are they good?")
right.grid(alpha=0.3)
save(figure, "truncation.png")

# %% [markdown]
# ## The same style with new noise
#
# A row has one w and eight noises: what changes is what the style leaves open.  Beside it stands
# the standard deviation of each pixel over 100 noises.  The strength of the noise is learnt, and
# begins at 0; it may stay so weak that only the picture of the standard deviation shows it.

# %%
w, x = G.styles(latent_points(5)), draw_z(rng, 100, n_in, G.dtype)
noisy = np.stack([G.images([style[None].repeat(100, axis=0)] * G.styled, x) for style in w])
deviation = noisy.std(axis=1)  # (5, 784)

figure = Figure(figsize=(8.2, 4.4), layout="compressed")
left, right = figure.subplots(1, 2, width_ratios=(242, 32))
draw(left, noisy[:, :8], "Five styles, each with eight noises", [f"w {i}" for i in range(1, 6)])
cells = np.pad(deviation.reshape(5, 28, 28), ((0, 0), (2, 0), (2, 2)))  # as image_grid has them
shown = right.imshow(cells.reshape(-1, 32), cmap="magma")
right.axis("off")
figure.colorbar(shown, ax=right, label="standard deviation (from black to white: 2)")
save(figure, "noise.png")

# %% [markdown]
# ## Walks
#
# Two ways lead from one latent point to another: along the great circle between them in z (the
# straight line would pass closer to 0 than any z that G has seen), or along the straight line
# between their styles in w.  The ends are the same.
#
# How long is the way, to the eye?  The perceptual path length of Karras et al. 2019, section 4.1,
# is the mean of |F(t + ε) - F(t)|² / ε², where t is a random place on the way between two random
# points.  Theirs are the features of a large network; here F(t) are the 64 features of the digit
# classifier, so that the numbers can be compared with each other only.  The shorter the way is, the
# less happens on it that is neither at its beginning nor at its end.

# %%


def in_z(a: Any, b: Any, t: Any) -> Any:
    """Return the images at t, from 0 to 1, of the great circle from a to b (slerp)."""
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    angle = np.arccos(np.clip(cosine, -0.9999, 0.9999))[:, None]
    z = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    w = G.styles(z.astype(G.dtype))
    return image(w, w)


def in_w(a: Any, b: Any, t: Any) -> Any:
    """Return the images at t of the straight line from the style of a to that of b (lerp)."""
    w = ((1 - t) * G.styles(a) + t * G.styles(b)).astype(G.dtype)
    return image(w, w)


def path_length(path: Any, a: Any, b: Any, t: Any, eps: float = 1e-4) -> float:
    change = features(path(a, b, t + eps)) - features(path(a, b, t))
    return float((change**2).sum(axis=1).mean() / eps**2)


t = np.linspace(0, 1, 12)[:, None]
ends = zip(latent_points(4), latent_points(4), strict=True)
walks = np.stack([path(a[None], b[None], t) for a, b in ends for path in (in_z, in_w)])

figure = Figure(figsize=(8.4, 5.8), layout="compressed")
axes = figure.subplots()
draw(axes, walks, "Two ways between the same two points, four times", ["in z", "in w"] * 4)
for border in (60.5, 120.5, 180.5):
    axes.axhline(border, color="white", lw=5)
save(figure, "walks.png")

a, b, t = latent_points(samples), latent_points(samples), rng.random((samples, 1))
length_z, length_w = path_length(in_z, a, b, t), path_length(in_w, a, b, t)
print(f"perceptual path length: {length_z:.0f} in z, {length_w:.0f} in w")
