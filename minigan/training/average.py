"""The moving average of a generator, which draws better images than the generator in training."""

from __future__ import annotations

from minigan.network import Sequential

EVERY = 10  # training steps from one update to the next: one in every step would change little


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


def follow(average: Sequential, net: Sequential, step: int) -> None:
    """Update the average after the steps 1, 11, 21, … of a run; after other steps, do nothing."""
    updates, others = divmod(step - 1, EVERY)
    if others == 0:
        update_average(average, net, updates + 1)
