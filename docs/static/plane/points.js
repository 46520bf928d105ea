// What is random in the page: a generator with a seed, real points, latent points, new networks.

class Random {
  constructor(seed) { this.state = seed >>> 0; }
  random() { // uniform in [0, 1): "mulberry32", by Tommy Ettinger
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  normal() { // Box and Muller's formula
    const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
    return radius * Math.cos(2 * Math.PI * this.random());
  }
}

const kinds_of_data = { // the centres of the real points, and their spread around these
  ring: {
    std: 0.1,
    centres: Array.from({ length: 8 }, (_, k) => k * Math.PI / 4).map((a) => [2 * Math.cos(a), 2 * Math.sin(a)]),
  },
  blobs: { std: 0.2, centres: [[-1.5, 0], [1.5, 0]] },
};

function real_points(n, { std, centres }, rng) { // (n, 2)
  const points = new Matrix(n, 2);
  for (let i = 0; i < n; i++) {
    const centre = centres[Math.floor(rng.random() * centres.length)];
    for (let c = 0; c < 2; c++) points.data[2 * i + c] = centre[c] + std * rng.normal();
  }
  return points;
}

function latent_points(n, rng) { // (n, 2), from N(0, 1)
  return new Matrix(n, 2).map(() => rng.normal());
}

function new_network(n_out, rng, hidden = 16) {
  return new Sequential([
    new Linear(2, hidden), new Tanh(), new Linear(hidden, hidden), new Tanh(), new Linear(hidden, n_out),
  ], rng);
}

// How many centres have a fair share of the points: a fifth of their due, within 3 standard deviations.
function centres_reached(points, { std, centres }) {
  const visits = centres.map(() => 0);
  for (let n = 0; n < points.rows; n++) {
    const far = centres.map(([x, y]) => Math.hypot(points.at(n, 0) - x, points.at(n, 1) - y));
    const nearest = Math.min(...far);
    if (nearest < 3 * std) visits[far.indexOf(nearest)]++;
  }
  return visits.filter((count) => count >= points.rows / centres.length / 5).length;
}
