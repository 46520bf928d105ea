// minigan/style.py and styled.py once more: layers that see a style or noise, one row at a time.

class ModulatedLinear {
  //   v  = ((1 + s) x) W
  //   d  = 1 / √((1 + s)² W² + eps)
  //   y  = d v + b
  constructor(layer) { this.n_out = layer.n_out; this.W = matrix(layer.W); this.b = float32(layer.b); }
  evaluate(x, s) {
    const { n_out, W, b } = this, v = new Float32Array(n_out), q = new Float32Array(n_out).fill(1e-8);
    x.forEach((xi, i) => {
      const scale = 1 + s[i], row = W.subarray(i * n_out, (i + 1) * n_out);
      for (let j = 0; j < n_out; j++) {
        v[j] += scale * xi * row[j];
        q[j] += scale * scale * row[j] * row[j];
      }
    });
    return [v.map((value, j) => value / Math.sqrt(q[j]) + b[j]), null];
  }
}

class Shift {
  //   y  = x + s
  evaluate(x, s) {
    return [x.map((v, i) => v + s[i]), null];
  }
}

class Noise {
  //   y  = x + ε k
  constructor(layer) { this.n = layer.n; this.k = float32(layer.k); }
  evaluate(x, noise) {
    return [x.map((v, i) => v + noise[i] * this.k[i]), null];
  }
}

class Constant {
  //   y  = c
  constructor(layer) { this.c = float32(layer.c); }
  evaluate() {
    return [this.c, null];
  }
}

class Styled {
  //   w  = f(z)                       the style
  //   s  = w A + a                    what a layer sees of it, by a Linear of its own
  //   x  = g(x, s)  or  g(x, ε)  or  g(x)
  constructor(net) {
    this.mapping = new Sequential(net.mapping);
    this.n_z = net.mapping[0].n_in;
    this.synthesis = net.synthesis.map(layer_of);
    this.affine = net.affine.map((layer) => layer && layer_of(layer));
    this.mean = float32(net.mean);
  }
  styles(x) {
    return this.mapping.evaluate(x.subarray(0, this.n_z))[0];
  }
  images(styles, x) { // a style for each layer that sees one; of x only the noise is looked at
    let y = x, column = this.n_z, seen = 0;
    this.synthesis.forEach((layer, i) => {
      let beside = null;
      if (this.affine[i]) [beside] = this.affine[i].evaluate(styles[seen++]);
      if (layer instanceof Noise) {
        beside = x.subarray(column, column + layer.n);
        column += layer.n;
      }
      [y] = layer.evaluate(y, beside);
    });
    return y;
  }
  evaluate(x) {
    return [this.images(this.affine.filter(Boolean).map(() => this.styles(x)), x), null];
  }
  truncated(w, psi) { // w' = w̄ + ψ (w - w̄)
    return w.map((v, i) => this.mean[i] + psi * (v - this.mean[i]));
  }
}

function network(net) {
  return net && (Array.isArray(net) ? new Sequential(net) : new Styled(net));
}
