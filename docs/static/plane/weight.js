// One weight that the reader has chosen: the numbers that meet in its gradient, and its last move.

// What met in the gradient of one parameter: for each row n of the batch x, dy and their product.
function products_of(gan, { net, layer, name, i, j }) {
  const { met } = network_of(gan, net).layers[layer];
  return Array.from({ length: met.dy.rows }, (_, n) => {
    const x = name === "W" ? met.x.at(n, i) : 1, dy = met.dy.at(n, j); // b is added: its x is 1
    return { n, x, dy, product: x * dy };
  });
}

function sum_of(products) {
  return products.reduce((sum, { product }) => sum + product, 0);
}

function show_weight(t) {
  const { gan, chosen, last } = plane, { net } = chosen;
  const adam = net === "G" ? gan.adam_g : gan.adam_d, { params } = adam.net, k = index_of(gan, chosen);
  const stale = adam.t === 0 ? t.untrained : fresh()[net] ? "" : last === "g" ? t.frozen : t.detached;
  part("carries").textContent = `${t.carries(chosen)} ${stale}`;
  const moves = [[t.value, number(params[k])]], rows = [];
  if (adam.t > 0) {
    const products = products_of(gan, chosen), all = [...products];
    const real = net === "D" ? all.splice(0, BATCH) : []; // G has met its fake points only
    for (const [kind, some, most] of [["real", real, 2], ["fake", all, net === "D" ? 2 : 4]]) {
      if (!some.length) continue;
      some.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
      for (const { n, x, dy, product } of some.slice(0, most)) {
        rows.push([t[`the_${kind}`](n % BATCH), number(x), number(dy), number(product)]);
      }
      rows.push([t[`other_${kind}`](some.length - most), "", "", number(sum_of(some.slice(most)))]);
    }
    rows.push([t.sum(chosen), "", "", number(sum_of(products))]);
    const before = plane.before[net][k];
    moves.unshift([t.before, number(before)], [t.gradient, number(adam.net.grads[k])],
      [`${t.moved} ${t.adam(number(adam.m[k]), number(adam.v[k]))}`, number(params[k] - before)]);
  }
  fill_table(part("products"), rows.length ? [t.head(chosen), ...rows] : [], rows.length > 0);
  fill_table(part("moves"), moves, false);
}

function number(value) { // four digits, with a true minus
  const size = Math.abs(value);
  const text = size && (size < 1e-3 || size >= 1e4) ? value.toExponential(3) : value.toFixed(4);
  return text.replaceAll("-", "−");
}

function fill_table(table, rows, headed) {
  table.replaceChildren(...rows.map((cells, r) => {
    const row = element("tr");
    row.append(...cells.map((text, c) => (headed && r === 0
      ? element("th", text, { scope: "col" }) : c === 0 ? element("th", text, { scope: "row" }) : element("td", text))));
    return row;
  }));
}

function offer_parameters() { // fills the three lists, and picks what is chosen
  const { gan, chosen } = plane, parameters = parameters_of(gan);
  const label = ({ net, layer, name }) => `${net} ${layer}.${name}`;
  const fill = (select, texts, picked) => {
    select.replaceChildren(...texts.map((text, k) => element("option", text, { value: k })));
    select.value = picked;
  };
  const at = parameters.findIndex((parameter) => label(parameter) === label(chosen)), { shape } = parameters[at];
  const upto = (n) => Array.from({ length: n }, (_, k) => k);
  fill(part("parameter"), parameters.map(label), at);
  fill(part("i"), upto(shape.rows), chosen.i);
  fill(part("j"), upto(shape.columns), chosen.j);
  part("row").hidden = chosen.name === "b";
}
