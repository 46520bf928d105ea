"""The moving average of a generator, which draws better images than the generator in training."""

from __future__ import annotations

import numpy as np

from minigan.batch_norm import BatchNorm1d
from minigan.network import Sequential
from minigan.training.draws import draw_z, with_classes

EVERY = 10  # training steps from one update to the next: one in every step would change little
BATCHES, ROWS = 20, 1000  # of latent points, from which statistics are renewed


def update_average(average: Sequential, net: Sequential, t: int) -> None:
    """Move the average θ̄ towards the network's θ, for the t-th time: t = 1, 2, 3, …

        θ̄ ← θ̄ + 9 / (t + 8) (θ - θ̄)

    The formula holds for parameters and running statistics alike.  The first update makes θ̄ = θ.
    Later, the θ of the s-th update has a weight that grows like s⁸, so that about the last tenth of
    the training counts, however long it was.  Nothing is left of the beginning, and there is no
    decay rate to choose.

    Why an average: G and D never come to rest.  Each step moves G to where D is weak at that
    moment, so that G's weights wander around the weights that would do well against all of these D.
    In the simplest such games the weights go in circles, and the mean of a circle is its centre.
    θ̄ takes no part in the training, which is the same with it and without it.

    Both networks must have the same layers, dtype and backend.  Source: polynomial-decay averaging
    (Shamir & Zhang 2013, section 4, with η = 8); for GANs, Yazıcı et al. 2019.
    """
    for mean, now in zip(average.state().values(), net.state().values(), strict=True):
        mean += 9 / (t + 8) * (now - mean)


def follow(average: Sequential, net: Sequential, step: int, settle_after: int = 0) -> None:
    """Update the average after the steps 1, 11, 21, … of a run; after other steps, do nothing.

    In a run that settles after T steps, t stays T / 10 from then on, so that about the last T / 9
    steps count, however long the run goes on.  The steps become smaller, and a longer average than
    these need would draw digits that are cleaner than real ones, and more alike.
    """
    updates, others = divmod(step - 1, EVERY)
    if others == 0:
        longest = -(-settle_after // EVERY) or updates + 1
        update_average(average, net, min(updates + 1, longest))


def renew_statistics(average: Sequential, columns: int, classes: int = 0) -> None:
    """Measure the running statistics of each ``BatchNorm1d`` on what goes through the average.

        mean = 1/20 Σₖ μₖ,    variance = 1/20 Σₖ σₖ² N/(N - 1)         k = 1 … 20, N = 1,000

    μₖ and σₖ² are those of the k-th batch of latent points.  ``update_average`` moves the running
    statistics, too, but they belong to the networks that G was on the way.  What goes through their
    mean has other statistics, above all a smaller spread.

    ``columns`` is the width of the average's input, of which the last ``classes`` ask for a class.
    The points are the same each time, so that nothing else is drawn differently.  Source: Izmailov
    et al. 2018, "Averaging weights leads to wider optima and better generalization", section 3.2.
    """
    layers = [layer for layer in average.layers if isinstance(layer, BatchNorm1d)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    rng, labels = np.random.default_rng(1), np.arange(ROWS) % max(classes, 1)
    for k in range(1, BATCHES + 1):
        for layer in layers:
            layer.momentum = 1 / k  # then the running mean is the mean of k batches
        z = draw_z(rng, ROWS, columns - classes, average.dtype)
        average.forward(average.backend.asarray(with_classes(z, labels, classes)))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
