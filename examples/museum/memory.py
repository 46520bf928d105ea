"""Second room: who holds what.  Every formula is right, but it is applied to the wrong array."""

from __future__ import annotations

import numpy as np

import minigan as mg

from .exhibit import Edit, Exhibit, switched_on


def two_clouds() -> str:
    """Return D's answers to real and to fake points after 200 steps with two passes each."""
    rng = np.random.default_rng(0)
    shift = np.array([2, 0])
    real, fake = rng.standard_normal((64, 2)) + shift, rng.standard_normal((64, 2)) - shift
    layers = mg.Linear(2, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1), mg.Sigmoid()
    D = mg.Sequential(*layers, seed=0, dtype="float64")
    adam = mg.Adam(D, lr=0.01)
    for _ in range(200):
        p_real, cache_real = D.forward(real)
        p_fake, cache_fake = D.forward(fake)
        D.backward(mg.bce(p_real, 1.0)[1], cache_real)
        grads_real = D.grads.copy()
        D.backward(mg.bce(p_fake, 0.0)[1], cache_fake)
        D.grads += grads_real
        adam.step()
    return f"{D(real).mean():.2f}, {D(fake).mean():.2f}"


stale_activations = Exhibit(
    name="stale-activations",
    bug="the layer remembers its last x",
    edits=(
        Edit(mg.Linear.forward, "return y, x", "self.x = x\nreturn y, x"),
        Edit(
            mg.Linear.param_grads,
            "matmul(x.T, dy, out=self.dW)",
            "matmul(self.x.T, dy, out=self.dW)",
        ),
    ),
    figure="what D says of real points, of fake points",
    symptom=two_clouds,
    check="mathematics/test_gan.py::test_equals_the_step_written_out",
    arguments=(),
    mend="forward returns what backward needs, and the caller holds it.",
)


UNGUARDED = Edit(mg.Sequential.backward, "if cache.updates != self.updates:", "if False:")


def error_of_gs_gradient() -> str:
    """Return how far it is from the gradient through the D that has moved, G's true opponent."""
    rng = np.random.default_rng(0)
    layers = mg.Linear(3, 8), mg.ReLU(), mg.Linear(8, 5), mg.Tanh()
    G = mg.Sequential(*layers, seed=rng, dtype="float64")
    layers_of_d = mg.Linear(5, 8), mg.LeakyReLU(0.2), mg.Linear(8, 1), mg.Sigmoid()
    D = mg.Sequential(*layers_of_d, seed=rng, dtype="float64")
    gan, z = mg.GAN(G, D, lr=0.01), rng.standard_normal((16, 3))
    gan.adam_g.lr = 0.0  # G does not move, so that its gradient can be computed once more
    with switched_on((UNGUARDED,)):
        gan.train_step(rng.uniform(-1, 1, (16, 5)), z)
    got = G.grads.copy()

    fake, cache_g = G.forward(z)
    p, cache_d = D.forward(fake)
    d_fake = D.backward(mg.bce(p, 1.0)[1], cache_d)
    G.backward(d_fake, cache_g)
    return f"{100 * np.linalg.norm(got - G.grads) / np.linalg.norm(G.grads):.1f} %"


stale_weights = Exhibit(
    name="stale-weights",
    bug="D's answer from before its step is used after it",
    edits=(
        Edit(
            mg.GAN.train_step,
            "fake, cache_g = G.forward(beside(z, c))",
            "fake, cache_g = G.forward(beside(z, c))\nearly = D.forward(fake)",
        ),
        Edit(mg.GAN.train_step, "y, cache_d = D.forward(fake)", "y, cache_d = early"),
    ),
    figure="error of G's first gradient, if nothing is checked",
    symptom=error_of_gs_gradient,
    check="mathematics/test_gan.py::test_equals_the_step_written_out",
    arguments=(),
    mend="Run D forward again after its step; the cache knows which weights it belongs to.",
)


def two_branches() -> str:
    """Return the mean squared error of y = a(x) + b(x) fitted to |x|; dy goes to both branches."""
    x, rng = np.linspace(-1, 1, 21)[:, None], np.random.default_rng(0)
    branches = [
        mg.Sequential(
            mg.Linear(1, 4), mg.Tanh(), mg.Linear(4, 1), mg.ReLU(), seed=rng, dtype="float64"
        )
        for _ in range(2)
    ]
    optimizers = [mg.Adam(net, lr=0.02) for net in branches]
    for _ in range(300):
        (y_a, cache_a), (y_b, cache_b) = (net.forward(x) for net in branches)
        error = y_a + y_b - abs(x)
        dy = 2 * error / len(x)
        branches[0].backward(dy, cache_a)
        branches[1].backward(dy, cache_b)
        for optimizer in optimizers:
            optimizer.step()
    return f"{np.mean(error * error):.5f}"


in_place = Exhibit(
    name="in-place",
    bug="ReLU zeroes the caller's gradient",
    edits=(Edit(mg.ReLU.input_grad, "return dy * (y > 0)", "dy *= y > 0\nreturn dy"),),
    figure="two branches fitted to abs(x), squared error",
    symptom=two_branches,
    check="mathematics/test_layers.py::test_results_share_no_memory_with_arguments",
    arguments=("ReLU",),
    mend="Write into arrays that the method made itself, and into no others.",
)


def first_parameter() -> str:
    """Return the first parameter of a network with seed 0, in the order of this process."""
    return f"{mg.Sequential(mg.Linear(2, 8), seed=0).params[0]:.2f}"


parameter_set = Exhibit(
    name="parameter-set",
    bug="the names of the parameters are a set",
    edits=(
        Edit(
            mg.Sequential.__init__,
            "for name in layer.param_names:",
            "for name in set(layer.param_names):",
        ),
    ),
    figure="first parameter of one seed, in two processes",
    symptom=first_parameter,
    check="mathematics/test_network.py::test_all_parameters_are_views_into_one_vector",
    arguments=(),
    mend="Keep them in a tuple or a list: their order is part of every checkpoint.",
    hash_seeds=("0", "1"),
)

ROOM = (stale_activations, stale_weights, in_place, parameter_set)
