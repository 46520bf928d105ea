"""Exercise 10: one training step of a GAN, and the gradients that nobody needs.

    step of D:  d_loss = -mean log D(x) - mean log(1 - D(G(z)))     moves D's parameters only
    step of G:  g_loss = -mean log D(G(z))                          moves G's parameters only

``gan_step`` is complete except for its three backward passes.  Write them so that they compute what
is needed and no more: ``Sequential.backward(dy, cache)`` fills ``grads`` with the gradients of all
parameters and returns the gradient of its input.  Its docstring names two flags; each leaves one of
these out.

    d_learns    fill D.grads.  dp_real and dp_fake (B, 1) belong to the two halves of D's batch,
                real images first.
    through_d   return d_fake = d g_loss / d fake (B, columns of an image).
    g_learns    fill G.grads.

Hint: ask of each pass who reads what it computes.  In the step of D, does anything learn from the
gradient at the images?  In the step of G, does D learn?  Does z?
"""

from __future__ import annotations

import numpy as np

import minigan as mg
from minigan.backend import Array
from minigan.network import Cache


def gan_step(
    G: mg.Sequential, D: mg.Sequential, adam_g: mg.Adam, adam_d: mg.Adam, real: Array, z: Array
) -> tuple[float, float]:
    """Take one step of D, then one of G.  real: (B, n), z: (B, latent_dim) -> (d_loss, g_loss)"""
    B = len(real)
    fake, cache_g = G.forward(z)
    p, cache_d = D.forward(np.concatenate([real, fake]))
    loss_real, dp_real = mg.bce(p[:B], 1.0)
    loss_fake, dp_fake = mg.bce(p[B:], 0.0)
    d_learns(D, dp_real, dp_fake, cache_d)
    adam_d.step()

    p, cache_d = D.forward(fake)
    g_loss, dp = mg.bce(p, 1.0)
    d_fake = through_d(D, dp, cache_d)
    g_learns(G, d_fake, cache_g)
    adam_g.step()
    return float(loss_real + loss_fake), float(g_loss)


def d_learns(D: mg.Sequential, dp_real: Array, dp_fake: Array, cache: Cache) -> None:
    raise NotImplementedError("d_learns")  # yours to write


def through_d(D: mg.Sequential, dp: Array, cache: Cache) -> Array:
    raise NotImplementedError("through_d")  # yours to write


def g_learns(G: mg.Sequential, d_fake: Array, cache: Cache) -> None:
    raise NotImplementedError("g_learns")  # yours to write
