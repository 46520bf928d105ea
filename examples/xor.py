# %% [markdown]
# # XOR: backprop in 25 lines
#
# No straight line separates the four points of XOR, so one Linear cannot learn it; two with a
# Tanh between them can.  Each turn of the loop is all of backprop: forward, loss, backward, step.

# %%
import numpy as np

import minigan as mg

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
target = np.array([[0], [1], [1], [0]], dtype="float32")

net = mg.Sequential(mg.Linear(2, 8), mg.Tanh(), mg.Linear(8, 1), mg.Sigmoid(), seed=0)
optimizer = mg.Adam(net, lr=0.05)

# %%
for step in range(301):
    p, cache = net.forward(x)  # p (4, 1); the cache keeps what backward needs
    loss, dp = mg.bce(p, target)  # the loss, and dp = d loss / d p
    net.backward(dp, cache)  # fills net.grads with d loss / d parameter, last layer first
    optimizer.step()  # moves net.params against net.grads
    if step % 100 == 0:
        print(f"step {step:3}  loss {float(loss):.4f}")

# %%
for (a, b), (probability,) in zip(x, net(x), strict=True):
    print(f"{a:.0f} xor {b:.0f} = {probability:.2f}")

# %%
print(mg.check_gradients(net, x))

# %% [markdown]
# ## The picture
# The picture shows the network's answer at every point of the plane, and the four points from which
# it has learnt.  On the white lines p is 1/2: one Linear alone has one such line, and it is
# straight.  The picture is xor.png in the folder that OUT in the environment names, by default
# `runs`.


# %%
def draw() -> None:
    import os
    from pathlib import Path

    from matplotlib.figure import Figure

    from minigan.machine.files import atomic_write

    edge = np.linspace(-0.5, 1.5, 101, dtype="float32")
    plane = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)  # every (a, b)
    surface = net(plane).reshape(101, 101)
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    filled = axes.contourf(edge, edge, surface, np.linspace(0, 1, 21), cmap="PuOr")
    axes.contour(edge, edge, surface, [0.5], colors="white", linewidths=2)
    for (a, b), (t,) in zip(x, target, strict=True):
        axes.plot(a, b, "o", ms=13, mec="black", mfc="white" if t else "black")
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
        axes.text(a, b + 0.13, f"{a:.0f} xor {b:.0f} = {t:.0f}", ha="center", bbox=box)
    axes.set(xlabel="a", ylabel="b", xticks=[0, 1], yticks=[0, 1], aspect="equal")
    figure.colorbar(filled, ticks=[0, 0.5, 1], label="p")
    out = Path(os.environ.get("OUT", "runs"))
    out.mkdir(parents=True, exist_ok=True)
    with atomic_write(out / "xor.png") as file:
        figure.savefig(file, format="png", dpi=100)
    print(f"picture: {out / 'xor.png'}")


draw()
