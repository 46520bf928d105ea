# %% [markdown]
# # XOR: backprop in 25 lines
#
# No straight line separates the four points of XOR, so one Linear cannot learn it; two with a
# Tanh between can.  Each turn of the loop is all of backprop: forward, loss, backward, step.

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
