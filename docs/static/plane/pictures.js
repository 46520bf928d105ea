// The plane with D's landscape, points and arrows; and the curves of the two losses.

function pen_of(canvas) { // clears a canvas, sharp on any screen; lengths are those of the page
  const scale = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(scale * width); canvas.height = Math.round(scale * height);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.font = "12px system-ui, sans-serif";
  return { pen, width, height };
}

function colour_of(canvas, name) { // one of the colours of plane.css, which differ in light and dark
  return getComputedStyle(canvas).getPropertyValue(`--plane-${name}`).trim();
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// ---- the plane

const EDGE = 3.2; // the picture goes from -EDGE to EDGE, in both directions
const CELLS = 48;
const ground_points = new Matrix(CELLS * CELLS, 2).map((_, k) => {
  const [cell, row] = [Math.floor(k / 2) % CELLS, Math.floor(k / 2 / CELLS)];
  return EDGE * (k % 2 ? 1 - 2 * (row + 0.5) / CELLS : 2 * (cell + 0.5) / CELLS - 1);
});

function push(gan, fake) { // -dL/dx (N, 2), L = g_loss: where a step of G wants each fake point to go
  const [y, cache] = gan.discriminator.forward(fake);
  const [, dy] = gan.loss_of_g(y);
  const dx = gan.discriminator.backward(dy, cache, { param_grads: false });
  return dx.map((d) => -d);
}

function draw_plane(canvas, gan, real, z) { // returns the fake points
  const { pen, width } = pen_of(canvas);
  const place = (x, y) => [(x / EDGE + 1) / 2 * width, (1 - y / EDGE) / 2 * width];
  draw_ground(canvas, pen, width, gan.discriminator);
  const dots = (points, name, radius, rim) => {
    pen.fillStyle = colour_of(canvas, name);
    pen.strokeStyle = colour_of(canvas, rim);
    pen.lineWidth = 1;
    for (let n = 0; n < points.rows; n++) {
      pen.beginPath();
      pen.arc(...place(points.at(n, 0), points.at(n, 1)), radius, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    }
  };
  dots(real, "real", 2.2, "real");
  const [fake] = gan.generator.forward(z), arrows = push(gan, fake);
  pen.strokeStyle = colour_of(canvas, "fake");
  pen.lineWidth = 1.2;
  for (let n = 0; n < fake.rows; n++) {
    const [dx, dy] = [0, 1].map((c) => fake.rows * arrows.at(n, c)); // without the 1/N of the mean
    const root = 2.5 * Math.sqrt(Math.hypot(dx, dy)); // so that small arrows can be seen
    if (root > 0) {
      const [x, y] = [fake.at(n, 0), fake.at(n, 1)];
      draw_arrow(pen, place(x, y), place(x + dx / root, y + dy / root));
    }
  }
  dots(fake, "fake", 2.6, "rim");
  return fake;
}

function draw_ground(canvas, pen, width, D) {
  const [y] = D.forward(ground_points), small = document.createElement("canvas");
  small.width = small.height = CELLS;
  const context = small.getContext("2d"), image = context.createImageData(CELLS, CELLS);
  const [no, half, yes] = ["no", "half", "yes"].map((name) => rgb(colour_of(canvas, name)));
  y.data.forEach((logit, k) => {
    const p = sigmoid(logit), end = p > 0.5 ? yes : no;
    const share = Math.sqrt(Math.abs(2 * p - 1)); // so that small differences can be seen
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = half[c] + share * (end[c] - half[c]);
    image.data[4 * k + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(small, 0, 0, width, width);
}

function draw_arrow(pen, [x0, y0], [x1, y1]) {
  const length = Math.hypot(x1 - x0, y1 - y0), head = Math.min(6, length / 2);
  const angle = Math.atan2(y1 - y0, x1 - x0);
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  for (const turn of [2.6, -2.6]) {
    pen.moveTo(x1, y1);
    pen.lineTo(x1 + head * Math.cos(angle + turn), y1 + head * Math.sin(angle + turn));
  }
  pen.stroke();
}

// ---- the curves: one entry for each step, NaN where a network had no step

function draw_curves(canvas, losses, words) {
  const { pen, width, height } = pen_of(canvas), [left, right, top, bottom] = [34, 8, 8, 22];
  const soft = colour_of(canvas, "soft"), all = [...losses.d, ...losses.g].filter(Number.isFinite);
  const low = Math.min(0, Math.floor(Math.min(...extremes(all)))), high = Math.max(2, Math.ceil(Math.max(...extremes(all))));
  const steps = Math.max(20, losses.d.length);
  const x_of = (step) => left + step / steps * (width - left - right);
  const y_of = (loss) => top + (high - loss) / (high - low) * (height - top - bottom);
  pen.fillStyle = soft;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  const stride = Math.ceil((high - low) / 4);
  for (let loss = low; loss <= high; loss += stride) {
    pen.fillText(loss, left - 6, y_of(loss));
    line(pen, [[left, y_of(loss)], [width - right, y_of(loss)]], colour_of(canvas, "line"));
  }
  pen.textBaseline = "bottom";
  pen.fillText(`${words.step} ${steps}`, width - right, height - 2);
  pen.textAlign = "left";
  pen.fillText("0", left, height - 2);
  for (const [name, guessing] of [["d", 2 * Math.LN2], ["g", losses.saturating ? -Math.LN2 : Math.LN2]]) {
    pen.setLineDash([4, 4]);
    line(pen, [[left, y_of(guessing)], [width - right, y_of(guessing)]], colour_of(canvas, name));
    pen.setLineDash([]);
    line(pen, thinned(losses[name], width - left - right).map(([k, loss]) => [x_of(k), y_of(loss)]), colour_of(canvas, name), 1.8);
  }
}

function extremes(values) {
  return values.length ? values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [values[0], values[0]]) : [0];
}

function thinned(values, most) { // [step, mean of the losses around it], at most so many of them
  const group = Math.max(1, Math.ceil(values.length / most)), made = [];
  for (let k = 0; k < values.length; k += group) {
    const some = values.slice(k, k + group).filter(Number.isFinite);
    if (some.length) made.push([k + (group + 1) / 2, mean(some)]);
  }
  return made;
}

function line(pen, points, colour, width = 1) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}
