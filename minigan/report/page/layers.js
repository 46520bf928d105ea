// minigan/layers.py, activations.py and batch_norm.py once more, in JavaScript and for one row at a
// time: x is one image or one latent point.  Each class has its formula, and below it the backward
// rule that follows from it: given dy = dL/dy, it computes dx = dL/dx.  W is stored row by row.

class Linear {
  //   y  = x W + b
  //   dx = dy Wᵀ
  constructor(layer) {
    this.n_in = layer.n_in; this.n_out = layer.n_out;
    this.W = matrix(layer.W); this.b = float32(layer.b);
  }
  evaluate(x) {
    const { n_in, n_out, W } = this, y = Float32Array.from(this.b);
    for (let i = 0; i < n_in; i++) {
      const xi = x[i], row = W.subarray(i * n_out, (i + 1) * n_out);
      if (xi !== 0) for (let j = 0; j < n_out; j++) y[j] += xi * row[j];
    }
    return [y, x];
  }
  input_grad(dy, x) {
    const { n_in, n_out, W } = this, dx = new Float32Array(n_in);
    for (let i = 0; i < n_in; i++) {
      let sum = 0;
      const row = W.subarray(i * n_out, (i + 1) * n_out);
      for (let j = 0; j < n_out; j++) sum += dy[j] * row[j];
      dx[i] = sum;
    }
    return dx;
  }
}

class BatchNorm1d { // as it is used after training, with the statistics that it has kept
  //   y  = γ x̂ + β,  x̂ = (x - mean) / √(var + ε)
  //   dx = dy γ / √(var + ε)
  constructor(layer) {
    this.gamma = float32(layer.gamma); this.beta = float32(layer.beta);
    this.mean = float32(layer.running_mean);
    this.factor = float32(layer.running_var).map((v) => 1 / Math.sqrt(v + layer.eps));
  }
  evaluate(x) {
    const { gamma, beta, mean, factor } = this;
    return [x.map((v, i) => gamma[i] * ((v - mean[i]) * factor[i]) + beta[i]), null];
  }
  input_grad(dy) {
    return dy.map((d, i) => d * this.gamma[i] * this.factor[i]);
  }
}

class ReLU {
  //   y  = max(0, x)
  //   dx = dy where x > 0, else 0
  evaluate(x) {
    const y = x.map((v) => Math.max(v, 0));
    return [y, y];
  }
  input_grad(dy, y) {
    return dy.map((d, i) => d * (y[i] > 0));
  }
}

class LeakyReLU {
  //   y  = x where x > 0, else s x
  //   dx = dy where x > 0, else s dy
  constructor(layer) { this.negative_slope = layer.negative_slope; }
  evaluate(x) {
    const y = x.map((v) => Math.max(v, this.negative_slope * v));
    return [y, y];
  }
  input_grad(dy, y) {
    return dy.map((d, i) => d * Math.max(y[i] > 0, this.negative_slope));
  }
}

class Tanh {
  //   y  = tanh(x)
  //   dx = dy (1 - y²)
  evaluate(x) {
    const y = x.map(Math.tanh);
    return [y, y];
  }
  input_grad(dy, y) {
    return dy.map((d, i) => d * (1 - y[i] * y[i]));
  }
}

class Sigmoid {
  //   y  = σ(x) = 1 / (1 + e⁻ˣ)
  //   dx = dy y (1 - y)
  evaluate(x) {
    const y = x.map(sigmoid);
    return [y, y];
  }
  input_grad(dy, y) {
    return dy.map((d, i) => d * y[i] * (1 - y[i]));
  }
}

class Sequential {
  //   y  = fₖ(… f₂(f₁(x)))
  //   dx = the layers' backward rules, last layer first (the chain rule)
  constructor(layers) {
    this.layers = layers.map(layer_of);
  }
  evaluate(x) {
    const caches = [];
    for (const layer of this.layers) {
      const [y, cache] = layer.evaluate(x);
      caches.push(cache);
      x = y;
    }
    return [x, caches];
  }
  backward(dy, caches) {
    for (let i = this.layers.length - 1; i >= 0; i--) dy = this.layers[i].input_grad(dy, caches[i]);
    return dy;
  }
}

function layer_of(layer) {
  const kinds = {
    Linear, BatchNorm1d, ReLU, LeakyReLU, Tanh, Sigmoid, ModulatedLinear, Shift, Noise, Constant,
  };
  return new kinds[layer.kind](layer);
}

function sigmoid(x) { // JavaScript computes in float64, where this formula keeps its digits
  return 1 / (1 + Math.exp(-x));
}

// ---- numbers that stand in the page as base64

function bytes(text) {
  const binary = atob(text), array = new Uint8Array(binary.length);
  for (let i = 0; i < array.length; i++) array[i] = binary.charCodeAt(i);
  return array.buffer;
}

function float32(text) {
  return new Float32Array(bytes(text));
}

function matrix({ whole, scale }) { // each row is a row of whole numbers times its scale
  const numbers = new Int16Array(bytes(whole)), scales = float32(scale);
  const W = new Float32Array(numbers.length), n_out = numbers.length / scales.length;
  for (let i = 0, at = 0; i < scales.length; i++) {
    for (let j = 0; j < n_out; j++, at++) W[at] = scales[i] * numbers[at];
  }
  return W;
}
