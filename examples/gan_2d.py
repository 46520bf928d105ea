# %% [markdown]
# # A GAN in the plane, where everything can be seen
#
# The "images" are points: 8 small Gaussians on a ring.  The generator G has to send normal z in the
# plane onto that ring, and the discriminator D is a function of two coordinates, so its whole
# landscape fits into a picture.  The film shows
#
# - *blue*: the real points; *black*: the generator's points, for 200 z that stay the same;
# - *the ground*: D(x), purple where D says "real", orange where it says "fake", and white where it
#   is guessing;
# - *the arrows*: where the step of G pushes its points.  An arrow is -dL/dx at a fake point, with
#   L = g_loss: it is minus what `D.backward` returns.  (Its length is the square root of the
#   gradient's, so that small arrows can be seen.)
#
# The arrows point uphill on D's landscape.  Where fake points gather, D lowers the ground under
# them; where real points are alone, D raises it.  So the cloud is pulled into a ring, and the
# ring into eight pieces.  In the end D is guessing wherever there are points (d_loss is near 2 ln 2
# = 1.39), and the arrows are short, except at the few points that are still on their way from one
# mode to the next: G is continuous, so a few z always lie between.
#
# The program takes fifteen seconds; STEPS, SEED and the folder OUT (`runs`) can be set in the
# environment.

# %%
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from threadpoolctl import threadpool_limits

import minigan as mg
from minigan.machine.files import atomic_write

steps = int(os.environ.get("STEPS", "3000"))
seed = int(os.environ.get("SEED", "0"))
out = Path(os.environ.get("OUT", "runs"))
out.mkdir(parents=True, exist_ok=True)
threadpool_limits(1)  # products as small as these are not worth a second thread
rng = np.random.default_rng(seed)

# %% [markdown]
# ## Real points, and how good the fakes are

# %%
std = 0.1
angles = 2 * np.pi * np.arange(8) / 8
modes = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (8, 2), on a circle of radius 2


def normal(n: int, rng: np.random.Generator) -> Any:
    return rng.standard_normal((n, 2), dtype=np.float32)


def ring(n: int, rng: np.random.Generator) -> Any:
    """Draw n real points, (n, 2) float32."""
    centres = modes[rng.integers(0, 8, n)].astype("float32")
    return centres + std * normal(n, rng)


def quality(points: Any) -> tuple[int, float]:
    """Return how many modes have a fair share of the points, and the share of points near a mode.

    Near means within 3 standard deviations, where 98.9 % of the real points are.  A mode has a fair
    share if it has a fifth of its due, which is an eighth of the points.
    """
    distance = np.linalg.norm(points[:, None] - modes, axis=2)  # (n, 8)
    near = distance.min(axis=1) < 3 * std
    visits = np.bincount(distance.argmin(axis=1)[near], minlength=8)
    return int((visits >= len(points) / 40).sum()), float(near.mean())


# %% [markdown]
# ## The two networks
# The networks are small and smooth: they have Tanh instead of ReLU, because with two coordinates
# there are few units to spare.  G's last layer is a Linear, because points of the plane have no
# bounds.

# %%
G = mg.Sequential(
    mg.Linear(2, 64), mg.Tanh(), mg.Linear(64, 64), mg.Tanh(), mg.Linear(64, 2), seed=rng
)
D = mg.Sequential(
    mg.Linear(2, 64), mg.Tanh(), mg.Linear(64, 64), mg.Tanh(), mg.Linear(64, 1), mg.Sigmoid(),
    seed=rng,
)  # fmt: skip
gan = mg.GAN(G, D, lr=1e-3)


def push(fake: Any) -> Any:
    """Return -dL/dx (N, 2), L = g_loss: where a step of G wants each fake point to go."""
    p, cache = D.forward(fake)
    _, dp = mg.bce(p, 1.0)
    dx = D.backward(dp, cache, param_grads=False)  # D is frozen: only the path to its input
    return -dx


# %% [markdown]
# ## A frame

# %%
shown_real, shown_z = ring(400, rng), normal(200, rng)
edge = np.linspace(-3.2, 3.2, 81, dtype="float32")
ground = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)  # D's landscape is drawn here


def draw(step: int, d_loss: float) -> Figure:
    figure = Figure(figsize=(5.4, 5.2))
    axes = figure.add_axes((0.02, 0.1, 0.81, 0.82))
    D_there = D(ground).reshape(81, 81)
    levels = np.linspace(0, 1, 21)
    filled = axes.contourf(edge, edge, D_there, levels, cmap="PuOr", vmin=0, vmax=1)
    axes.plot(*shown_real.T, ".", ms=4, color="#0072b2", label="real", zorder=2)
    fake = G(shown_z)
    arrows = len(fake) * push(fake)  # without the 1/N of the mean
    arrows /= np.sqrt(np.linalg.norm(arrows, axis=1, keepdims=True)) + 1e-12
    axes.quiver(
        *fake.T, *arrows.T, angles="xy", scale_units="xy", scale=2.5, width=0.004, color="0.25",
        zorder=3,
    )  # fmt: skip
    axes.plot(*fake.T, ".", ms=5, color="black", label="fake, G(z)", zorder=4)
    axes.plot([], [], color="0.25", marker=r"$\rightarrow$", ls="", ms=13, label="G's push")
    axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xticks=[], yticks=[])
    axes.set_title(f"step {step:4}     d_loss {d_loss:.2f}", family="monospace", fontsize=11)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, frameon=False)
    bar = figure.colorbar(filled, cax=figure.add_axes((0.86, 0.12, 0.03, 0.78)))
    bar.set_ticks([0, 0.5, 1], labels=["0", "½", "1"])
    bar.set_label("D(x): 0 fake, 1 real")
    return figure


def pixels(figure: Figure) -> Image.Image:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return Image.open(file).convert("RGB")


# %% [markdown]
# ## Training
# The film has at most 60 frames.  The first ones are close together, because most happens in the
# beginning.

# %%
frames = []
frame_steps = {round(steps * (i / 59) ** 2) for i in range(60)}
d_loss = 2 * np.log(2)  # the loss of a D that is guessing, as D is before the first step
for step in range(steps + 1):
    if step > 0:
        d_loss = float(gan.train_step(ring(128, rng), normal(128, rng)).d_loss)
    if step in frame_steps:
        frames.append(pixels(draw(step, d_loss)))
    if step % 500 == 0 or step == steps:
        covered, share = quality(G(normal(2000, np.random.default_rng(1))))
        print(
            f"step {step:4}  d_loss {d_loss:.3f}  modes covered {covered} of 8  "
            f"within 3 standard deviations {share:.0%}"
        )

# %%
palette = frames[-1].quantize(96)
film = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
with atomic_write(out / "gan_2d.gif") as file:
    film[0].save(
        file, "GIF", save_all=True, append_images=film[1:], loop=0,
        duration=[150] * (len(film) - 1) + [3000],
    )  # fmt: skip
with atomic_write(out / "gan_2d.png") as file:
    frames[-1].save(file, "PNG")
print(f"{len(film)} frames, picture: {out / 'gan_2d.gif'}")
