// minigan/optim.py once more.

class Adam {
  //   t ← t + 1
  //   m ← β₁ m + (1 - β₁) g            running mean of the gradient
  //   v ← β₂ v + (1 - β₂) g²           running mean of its square
  //   θ ← θ - lr m̂ / (√v̂ + eps)        m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ)
  constructor(net, lr, betas, eps) {
    Object.assign(this, { net, lr, betas, eps, t: 0 });
    this.m = new Float64Array(net.params.length);
    this.v = new Float64Array(net.params.length);
  }
  step() {
    const { m, v, net: { params, grads } } = this, [beta1, beta2] = this.betas;
    this.t++;
    this.net.updates++;
    const lr_t = this.lr / (1 - beta1 ** this.t), root_t = Math.sqrt(1 - beta2 ** this.t);
    for (let k = 0; k < params.length; k++) {
      const g = grads[k];
      m[k] = beta1 * m[k] + (1 - beta1) * g;
      v[k] = beta2 * v[k] + (1 - beta2) * (g * g);
      params[k] -= lr_t * m[k] / (Math.sqrt(v[k]) / root_t + this.eps);
    }
  }
}
