// minigan/losses.py once more: a loss returns [L, dL/dx], a number and a matrix of x's shape.

function bce_with_logits(logits, t) {
  //   L     = 1/n Σ [ t log(1 + e⁻ˣ) + (1 - t) log(1 + eˣ) ]
  //   dL/dx = 1/n [ (1 - t) σ(x) - t σ(-x) ]
  const n = logits.data.length;
  const entropy = logits.data.map((x) => t * log1p_exp(-x) + (1 - t) * log1p_exp(x));
  const dlogits = logits.map((x) => ((1 - t) * sigmoid(x) - t * sigmoid(-x)) / n);
  return [mean(entropy), dlogits];
}

function log1p_exp(x) { // log(1 + eˣ), which does not overflow: np.logaddexp(0, x)
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function sigmoid(x) {
  return Math.exp(-log1p_exp(-x));
}
