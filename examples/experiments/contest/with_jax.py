"""The GAN in JAX: the whole step in one ``jax.jit``."""

from __future__ import annotations

from typing import Any

from contest.same_for_all import BETAS, EPS, LR, Step, first_weights, float_images


def jax_one_jit(device: str = "cpu", tf32: bool = False) -> Step:
    """Return the whole step, including the gathering of the images, as one compiled function."""
    import jax
    import jax.numpy as jnp
    from jax.nn import leaky_relu, relu, softplus

    config: Any = jax.config  # its methods have no types
    config.update("jax_platforms", device)
    config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")

    def G(weights: Any, z: Any) -> Any:
        for W, b in weights[:-1]:
            z = relu(z @ W + b)
        return jnp.tanh(z @ weights[-1][0] + weights[-1][1])

    def D(weights: Any, x: Any) -> Any:
        for W, b in weights[:-1]:
            x = leaky_relu(x @ W + b, 0.2)
        return x @ weights[-1][0] + weights[-1][1]  # logits

    def adam(p: Any, g: Any, m: Any, v: Any, t: Any) -> Any:
        m = jax.tree.map(lambda m, g: BETAS[0] * m + (1 - BETAS[0]) * g, m, g)
        v = jax.tree.map(lambda v, g: BETAS[1] * v + (1 - BETAS[1]) * g * g, v, g)
        lr, root = LR / (1 - BETAS[0] ** t), jnp.sqrt(1 - BETAS[1] ** t)
        return jax.tree.map(lambda p, m, v: p - lr * m / (jnp.sqrt(v) / root + EPS), p, m, v), m, v

    def train(state: Any, images: Any, indices: Any, z: Any) -> Any:
        (g, g_m, g_v), (d, d_m, d_v), t = state
        real, t, n = images[indices], t + 1, len(z)
        fake, backward_g = jax.vjp(lambda g: G(g, z), g)

        def d_loss_of(d: Any) -> Any:
            logits = D(d, jnp.concatenate([real, fake]))
            return softplus(-logits[:n]).mean() + softplus(logits[n:]).mean()

        d_loss, d_grad = jax.value_and_grad(d_loss_of)(d)
        d, d_m, d_v = adam(d, d_grad, d_m, d_v, t)
        g_loss, d_fake = jax.value_and_grad(lambda x: softplus(-D(d, x)).mean())(fake)
        g, g_m, g_v = adam(g, backward_g(d_fake)[0], g_m, g_v, t)
        return ((g, g_m, g_v), (d, d_m, d_v), t), d_loss, g_loss

    def start(weights: Any) -> Any:
        weights = [(jnp.array(W), jnp.array(b)) for W, b in weights]
        return (weights, *(jax.tree.map(jnp.zeros_like, weights) for _ in range(2)))

    compiled, images = jax.jit(train, donate_argnums=0), jnp.asarray(float_images())
    state = (*map(start, first_weights()), jnp.float32(0))

    def step(indices: Any, z: Any) -> tuple[Any, Any]:
        nonlocal state
        state, d_loss, g_loss = compiled(state, images, indices, z)
        return d_loss, g_loss

    return step
