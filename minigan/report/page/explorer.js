// The explorer: G itself, in this page.  z is a point of a plane, or of a walk, moved along sliders.

const G = network(data.G);
const explorer = (() => {
  if (!G) return null;
  const n = data.latent_dim, K = data.classes.length, radius = Math.sqrt(n);
  const fixed = float32(data.fixed_z), columns = data.columns, count = fixed.length / columns;
  const styled = G instanceof Styled;
  const directions = float32(data.directions), names = data.direction_shares;
  const state = {
    middle: fixed.slice(0, n), across: null, up: null, // the plane: its middle and two directions
    x: 0, y: 0, // the point in it, from -1 to 1
    moves: names.map(() => 0), // along the principal directions
    beside: fixed.slice(n, columns), // what G is given beside z: the class, or noise
    digit: 0, // the column of the class, for a conditional G
    psi: 1, mixes: false, // for a G with styles
    held: [null, null], t: 0, walks: false, // two points to walk between, and how far on the way
  };
  let shown = null; // what G is given for the image that is shown: z, and the class beside it

  function given(z) {
    const x = new Float32Array(columns);
    x.set(z);
    x.set(state.beside, n);
    return x;
  }

  function image_of(x) {
    if (!styled || (state.psi === 1 && !state.mixes)) return G.evaluate(x)[0];
    const own = G.truncated(G.styles(x), state.psi), { mixes, held, psi } = state;
    const styles = G.affine.filter(Boolean).map(() => own);
    if (mixes && held[1]) styles[styles.length - 1] = G.truncated(G.styles(held[1]), psi);
    return G.images(styles, x);
  }

  // Nearly all latent points are as far from 0 as √latent_dim: the plane is bent onto that sphere.
  function point(x, y) {
    const { middle, across, up } = state;
    return scaled_to(combined([1, middle], [x, across], [y, up]), length(middle));
  }

  function here() { // on the walk, the classes are mixed, too
    const [a, b] = state.held, t = state.t;
    const x = state.walks ? combined([1 - t, a], [t, b]) : given(point(state.x, state.y));
    if (state.walks) x.set(on_the_way(a.subarray(0, n), b.subarray(0, n), t));
    state.moves.forEach((move, k) => {
      for (let i = 0; move && i < n; i++) x[i] += move * directions[k * n + i];
    });
    return x;
  }

  function draw() {
    shown = here();
    show(by_id("explorer-canvas"), image_of(shown));
    const dot = by_id("plane-dot");
    dot.style.left = `${50 + 50 * state.x}%`;
    dot.style.top = `${50 - 50 * state.y}%`;
    dot.hidden = state.walks;
    by_id("walk").value = state.t;
    state.moves.forEach((move, k) => { by_id(`move-${k}`).value = move; });
  }

  // The map of the plane: small images at the points of a grid, a few at a time.
  const TILES = 7;
  let mapping = 0;
  function draw_map() {
    const canvas = by_id("plane"), mine = ++mapping, small = document.createElement("canvas");
    canvas.width = TILES * width; canvas.height = TILES * height;
    const context = canvas.getContext("2d");
    let tile = 0;
    const some = () => {
      const until = performance.now() + 12;
      while (mine === mapping && tile < TILES * TILES && performance.now() < until) {
        const column = tile % TILES, row = Math.floor(tile / TILES);
        const at = (i) => (2 * i + 1) / TILES - 1;
        show(small, image_of(given(point(at(column), -at(row)))));
        context.drawImage(small, column * width, row * height);
        tile++;
      }
      if (mine === mapping && tile < TILES * TILES) setTimeout(some);
    };
    some();
  }

  function new_plane(middle) {
    const across = random_point(n), up = random_point(n);
    const off = (z, from) => {
      const share = z.reduce((sum, v, i) => sum + v * from[i], 0) / length(from) ** 2;
      return combined([1, z], [-share, from]);
    };
    state.middle = middle;
    state.across = scaled_to(off(across, middle), length(middle) || radius);
    state.up = scaled_to(off(off(up, middle), state.across), length(middle) || radius);
    Object.assign(state, { x: 0, y: 0, walks: false, moves: names.map(() => 0) });
    draw();
    draw_map();
  }

  function start_from(number) {
    const row = fixed.slice(number * columns, (number + 1) * columns);
    state.beside = row.slice(n);
    if (K) choose(state.beside.indexOf(1));
    by_id("start").value = number + 1;
    new_plane(row.slice(0, n));
  }

  function choose(digit) {
    state.digit = digit;
    state.beside = state.beside.map((_, k) => Number(k === digit));
    by_id("digit").value = digit;
  }

  function hold(which) {
    state.held[which] = shown;
    if (state.walks) Object.assign(state, { t: which, moves: names.map(() => 0) }); // it stays shown
    show(by_id(`held-${which}`), image_of(shown));
    by_id(`held-${which}`).setAttribute("aria-label", `The held image ${"AB"[which]}`);
    draw();
  }

  function move_to(x, y) {
    const inside = (v) => Math.min(1, Math.max(-1, v));
    Object.assign(state, { x: inside(x), y: inside(y), walks: false });
    draw();
  }

  // Let the map show a part of the plane, or more of it.  The point stays at the same z: where it
  // would leave the map, it becomes the middle of a new one.
  function magnify(times) {
    const reach = length(state.across) / length(state.middle);
    const wanted = Math.min(2, Math.max(0.05, reach / times)), factor = wanted / reach;
    state.across = combined([factor, state.across]);
    state.up = combined([factor, state.up]);
    const [x, y] = [state.x / factor, state.y / factor];
    if (Math.max(Math.abs(x), Math.abs(y)) > 1) {
      state.middle = point(x, y);
      Object.assign(state, { x: 0, y: 0 });
    } else {
      Object.assign(state, { x, y });
    }
    draw();
    draw_map();
  }

  // ---- the controls
  let before = {}; // where the point was before the first finger came
  follow_pointer(by_id("plane"), (here, last) => {
    if (here === last) before = { x: state.x, y: state.y, walks: state.walks };
    move_to(2 * here[0] - 1, 1 - 2 * here[1]);
  }, () => {}, { begin: () => { Object.assign(state, before); draw(); }, by: magnify });
  on("plane", "keydown", (event) => {
    if ("+=-".includes(event.key)) { magnify(event.key === "-" ? 0.8 : 1.25); return; }
    const step = event.shiftKey ? 0.2 : 0.05;
    const [x, y] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step],
      ArrowDown: [0, -step] }[event.key] || [];
    if (x === undefined) return;
    event.preventDefault();
    move_to(state.x + x, state.y + y);
  });
  names.forEach((share, k) => {
    const label = element("label", `Direction ${k + 1} `);
    label.append(element("small", `${Math.round(100 * share)} % of what differs`));
    label.append(element("input", "", { type: "range", min: -4, max: 4, step: 0.05, id: `move-${k}` }));
    by_id("moves").append(label);
    on(`move-${k}`, "input", (event) => { state.moves[k] = Number(event.target.value); draw(); });
  });
  on("moves-zero", "click", () => { state.moves = names.map(() => 0); draw(); });
  on("new-plane", "click", () => { by_id("start").value = ""; new_plane(random_point(n)); });
  by_id("start").max = count;
  on("start", "change", (event) => {
    start_from(Math.min(count, Math.max(1, Math.round(event.target.value) || 1)) - 1);
  });
  for (const which of [0, 1]) on(`hold-${which}`, "click", () => hold(which));
  on("walk", "input", (event) => {
    Object.assign(state, { t: Number(event.target.value), walks: true, moves: names.map(() => 0) });
    draw();
  });
  by_id("digit-label").hidden = !K;
  data.classes.forEach((label, k) => by_id("digit").append(element("option", label, { value: k })));
  on("digit", "change", (event) => {
    choose(Number(event.target.value));
    state.walks = false;
    draw();
    draw_map();
  });
  by_id("style-controls").hidden = !styled;
  function restyle() {
    by_id("psi").value = state.psi;
    by_id("psi-words").textContent = state.psi.toFixed(2);
    by_id("mix").checked = state.mixes;
    draw();
    draw_map();
  }
  on("psi", "input", (event) => { state.psi = Number(event.target.value); restyle(); });
  on("mix", "change", (event) => { state.mixes = event.target.checked; restyle(); });
  on("explorer-save", "click", () => save_png(by_id("explorer-canvas"), "image.png"));
  start_from(Math.min(count, K + 2) - 1); // a point that differs from the first one in z
  hold(1);
  start_from(0);
  hold(0);
  by_id("psi-words").textContent = state.psi.toFixed(2);

  kept.explorer = {
    save: () => JSON.parse(JSON.stringify(state, (_, v) => v instanceof Float32Array ? [...v] : v)),
    restore: (saved) => {
      for (const name of ["middle", "across", "up", "beside"]) saved[name] = Float32Array.from(saved[name]);
      saved.held = saved.held.map((z) => Float32Array.from(z));
      if (saved.middle.length !== n || saved.moves.length !== names.length) return; // another run's
      if (saved.beside.length + n !== columns) return;
      Object.assign(state, saved);
      if (K) choose(state.digit);
      state.held.forEach((x, which) => show(by_id(`held-${which}`), image_of(x)));
      restyle();
    },
  };
  return { count, start_from, state, move_to, image: () => image_of(shown) };
})();
if (!explorer) {
  by_id("explorer-body").replaceChildren(element("p", "This run's generator is too large for this page, or has a layer that it does not know."));
}
