// minigan/layers.py, activations.py and network.py once more, in JavaScript.  Each class has its
// formula, and below it the backward rule that follows from it: given dy = dL/dy, a layer computes
// dx = dL/dx, which is the dy of the layer before it.

class Linear {
  //   y  = x W + b
  //   dW = xᵀ dy
  //   db = Σₙ dy[n]
  //   dx = dy Wᵀ
  param_names = ["W", "b"];
  constructor(n_in, n_out) { this.n_in = n_in; this.n_out = n_out; }
  draw(rng) { // as torch.nn.Linear does: uniform between -1/√n_in and 1/√n_in
    const bound = 1 / Math.sqrt(this.n_in);
    const uniform = () => bound * (2 * rng.random() - 1);
    return [new Matrix(this.n_in, this.n_out).map(uniform), new Matrix(1, this.n_out).map(uniform)];
  }
  forward(x) {
    const y = matmul(x, this.W);
    for (let k = 0; k < y.data.length; k++) y.data[k] += this.b.data[k % this.n_out];
    return [y, x];
  }
  param_grads(dy, x) {
    matmul(transposed(x), dy, this.dW);
    sum_of_rows(dy, this.db);
    this.met = { x, dy }; // nothing trains with this: the page shows it beside a chosen weight
  }
  input_grad(dy, x) {
    return matmul(dy, transposed(this.W));
  }
}

class Tanh {
  //   y  = tanh(x)
  //   dx = dy (1 - y²)
  param_names = [];
  draw() { return []; }
  forward(x) {
    const y = x.map(Math.tanh);
    return [y, y];
  }
  param_grads() {}
  input_grad(dy, y) {
    return dy.map((d, k) => d * (1 - y.data[k] * y.data[k]));
  }
}

class Sequential {
  //   y  = fₖ(… f₂(f₁(x)))
  //   dx = the layers' backward rules, last layer first (the chain rule)
  constructor(layers, rng) {
    this.layers = layers;
    this.updates = 0; // of the weights: counted, so that backward detects a stale cache
    const drawn = layers.map((layer) => layer.draw(rng));
    const size = drawn.flat().reduce((sum, matrix) => sum + matrix.data.length, 0);
    this.params = new Float64Array(size); // all of them; W, b, dW and db are views
    this.grads = new Float64Array(size);
    let at = 0;
    layers.forEach((layer, i) => layer.param_names.forEach((name, k) => {
      const { rows, columns, data } = drawn[i][k], view = (vector) =>
        new Matrix(rows, columns, vector.subarray(at, at + data.length));
      layer[name] = view(this.params);
      layer["d" + name] = view(this.grads);
      layer[name].data.set(data);
      at += data.length;
    }));
  }
  forward(x) {
    const caches = [];
    for (const layer of this.layers) {
      const [y, cache] = layer.forward(x);
      caches.push(cache);
      x = y;
    }
    return [x, { updates: this.updates, layers: caches }];
  }
  backward(dy, cache, { input_grad = true, param_grads = true } = {}) {
    if (cache.updates !== this.updates) throw new Error("stale cache: run forward again");
    for (let i = this.layers.length - 1; i >= 0; i--) {
      const layer = this.layers[i];
      if (param_grads) layer.param_grads(dy, cache.layers[i]);
      if (i === 0 && !input_grad) return null;
      dy = layer.input_grad(dy, cache.layers[i]);
    }
    return dy;
  }
}
