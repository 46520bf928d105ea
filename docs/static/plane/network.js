// Both networks as one drawing, in the colours of the gradients.

const COLUMNS = [2, 16, 16, 2, 16, 16, 1]; // units: z, two hidden columns of G, x, two of D, the logit

// A parameter is { net: "G" or "D", layer: 0, 2 or 4, name: "W" or "b", i, j }; b has no i.

function parameters_of(gan) { // the names in the order of net.named_parameters()
  return ["G", "D"].flatMap((net) => network_of(gan, net).layers.flatMap((layer, at) =>
    layer.param_names.map((name) => ({ net, layer: at, name, shape: layer[name] }))));
}

function network_of(gan, net) {
  return net === "G" ? gan.generator : gan.discriminator;
}

function index_of(gan, { net, layer, name, i, j }) { // where it stands in params, grads, m and v
  const { data, columns } = network_of(gan, net).layers[layer][name];
  return data.byteOffset / data.BYTES_PER_ELEMENT + (name === "W" ? i * columns : 0) + j;
}

function unit_places(width, height) { // [x, y] of each unit, column by column
  const side = 20, top = 30, bottom = 10;
  return COLUMNS.map((units, column) => Array.from({ length: units }, (_, k) => [
    side + column / (COLUMNS.length - 1) * (width - 2 * side),
    top + (units <= 2 ? (k + 1) / (units + 1) : k / (units - 1)) * (height - top - bottom),
  ]));
}

function column_of({ net, layer }) { // of the units that the layer writes into
  return (net === "G" ? 1 : 4) + layer / 2;
}

// `fresh` says whose dW the last steps have computed: { G: true, D: false } after a step of G
function draw_network(canvas, gan, chosen, fresh, titles) {
  const { pen, width, height } = pen_of(canvas), places = unit_places(width, height);
  const [up, down, none, ink] = ["up", "down", "line", "ink"].map((name) => colour_of(canvas, name));
  for (const net of ["G", "D"]) {
    const network = network_of(gan, net);
    const most = network.grads.reduce((high, g) => Math.max(high, Math.abs(g)), 0);
    for (const layer of [0, 2, 4]) {
      const { n_in, n_out, dW, db } = network.layers[layer], column = column_of({ net, layer });
      const shade = (gradient) => {
        const share = fresh[net] && most ? Math.sqrt(Math.abs(gradient) / most) : 0;
        return [share ? (gradient > 0 ? up : down) : none, share];
      };
      for (let i = 0; i < n_in; i++) {
        for (let j = 0; j < n_out; j++) {
          const [colour, share] = shade(dW.at(i, j));
          pen.globalAlpha = share ? Math.min(1, 0.1 + share) : 0.8;
          line(pen, [places[column - 1][i], places[column][j]], colour, 0.6 + 2 * share);
        }
      }
      pen.globalAlpha = 1;
      for (let j = 0; j < n_out; j++) draw_unit(pen, places[column][j], shade(db.at(0, j))[0], ink);
    }
  }
  for (const place of places[0]) draw_unit(pen, place, none, ink);
  pen.globalAlpha = 1;
  pen.fillStyle = ink;
  pen.textAlign = "center";
  titles.forEach((title, k) => pen.fillText(title, 20 + [0, 1.5, 3, 4.5, 6][k] / 6 * (width - 40), 14));
  const column = column_of(chosen), end = places[column][chosen.j], accent = colour_of(canvas, "accent");
  if (chosen.name === "W") line(pen, [places[column - 1][chosen.i], end], accent, 4);
  pen.lineWidth = 3;
  pen.strokeStyle = accent;
  pen.beginPath();
  pen.arc(...end, 7, 0, 2 * Math.PI);
  pen.stroke();
}

function draw_unit(pen, place, fill, ink) {
  pen.fillStyle = fill;
  pen.strokeStyle = ink;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.arc(...place, 4, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
}

function parameter_at(canvas, x, y) { // the bias of the unit, or the weight of the line, nearest to a click
  const places = unit_places(canvas.clientWidth, canvas.clientHeight);
  let nearest = null, least = Infinity;
  const offer = (distance, parameter) => {
    if (distance < least) [nearest, least] = [parameter, distance];
  };
  for (const net of ["G", "D"]) {
    for (const layer of [0, 2, 4]) {
      const column = column_of({ net, layer });
      places[column].forEach((end, j) => {
        if (Math.hypot(x - end[0], y - end[1]) < 7) offer(0, { net, layer, name: "b", i: 0, j });
        places[column - 1].forEach((start, i) => {
          const t = (x - start[0]) / (end[0] - start[0]); // how far along the line
          const far = Math.abs(y - start[1] - t * (end[1] - start[1])) * (end[0] - start[0]) /
            Math.hypot(end[0] - start[0], end[1] - start[1]);
          if (t > 0.02 && t < 0.98) offer(0.01 + far, { net, layer, name: "W", i, j });
        });
      });
    }
  }
  return nearest;
}
