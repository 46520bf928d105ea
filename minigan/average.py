"""The moving average of a generator: it draws better than the generator that is being trained."""

from __future__ import annotations

from minigan.network import Sequential

EVERY = 10  # training steps from one update to the next: one in each would change little


def update_average(average: Sequential, net: Sequential, t: int) -> None:
    """Move the average θ̄ towards the network's θ, for the t-th time: t = 1, 2, 3, …

        θ̄ ← θ̄ + 9 / (t + 8) (θ - θ̄)

    of parameters and running statistics alike.  The first update makes θ̄ = θ.  Later on the θ of
    the s-th update has a weight like s⁸: what counts is about the last tenth of the training,
    however long it was.  So nothing is left of the beginning, and no decay rate is to be chosen.

    Why: G and D never come to rest.  Each step moves G to where D is weak just now, so that its
    weights wander about those that would do for all of these D; in the simplest such games they go
    in circles, and the mean of a circle is its centre.  θ̄ takes no part in the training, which is
    the same with it and without.

    Both networks have the same layers, dtype and backend.  Source: polynomial-decay averaging
    (Shamir & Zhang 2013, section 4, with η = 8); for GANs, Yazıcı et al. 2019.
    """
    pairs = [(average.params, net.params)]
    buffers = zip(average.named_buffers(), net.named_buffers(), strict=True)
    pairs += [(mean, now) for (_, mean), (_, now) in buffers]
    for mean, now in pairs:
        mean += 9 / (t + 8) * (now - mean)
