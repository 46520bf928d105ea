// The page itself: its elements, its buttons, and the loop that plays.  In the browser's console,
// `plane.gan` is the GAN.

const RECIPE = { who: "both", lr: 0.003, beta: 0.5, loss: "plain" }; // what "Start again" sets back
const plane = {
  settings: { seed: 0, speed: 2, data: "ring", ...RECIPE },
  chosen: { net: "D", layer: 4, name: "W", i: 3, j: 0 },
  running: false,
};
const SPEEDS = [2, 10, 60, Infinity]; // steps a second
const BATCH = 64;

// ---- the training

function start_again() {
  const { seed, data } = plane.settings, rng = new Random(seed);
  plane.rng = rng;
  plane.gan = new GAN(new_network(2, rng), new_network(1, rng));
  plane.shown_real = real_points(200, kinds_of_data[data], rng);
  plane.shown_z = latent_points(150, rng); // the same z in every picture
  plane.losses = { d: [], g: [] };
  plane.last = "start"; // which step was taken last: "d", "g" or "both"
  plane.waiting = null; // the fake points that D was trained with, and their cache, for the step of G
  plane.before = { G: plane.gan.generator.params.slice(), D: plane.gan.discriminator.params.slice() };
  apply_settings();
}

function apply_settings() {
  const { gan, settings: { lr, beta, loss }, losses } = plane;
  for (const adam of [gan.adam_g, gan.adam_d]) Object.assign(adam, { lr, betas: [beta, 0.999] });
  gan.saturating = losses.saturating = loss === "saturating";
}

function draw_fakes() {
  const [fake, cache_g] = plane.gan.generator.forward(latent_points(BATCH, plane.rng));
  return { fake, cache_g };
}

function take_step(who) { // "d", "g", or "both" as in GAN.train_step
  const { gan, losses, before } = plane;
  if (who !== "g") {
    const real = real_points(BATCH, kinds_of_data[plane.settings.data], plane.rng);
    plane.waiting = draw_fakes();
    before.D = gan.discriminator.params.slice();
    losses.d.push(gan.step_of_d(real, plane.waiting.fake));
    losses.g.push(NaN);
  }
  if (who !== "d") {
    if (!plane.waiting) { // G learns without D
      losses.d.push(NaN);
      losses.g.push(NaN);
    }
    const { fake, cache_g } = plane.waiting || draw_fakes();
    before.G = gan.generator.params.slice();
    losses.g[losses.g.length - 1] = gan.step_of_g(fake, cache_g);
    plane.waiting = null; // G has moved: the cache is stale
  }
  plane.last = who;
}

// ---- the elements

const part = (name) => document.getElementById(`plane-${name}`);

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function build(box, t) {
  const button = (name) => `<button type="button" id="plane-${name}">${t[name]}</button>`;
  const choice = (name, values, labels = values) =>
    `<label>${t[name]} <select id="plane-${name}">` +
    values.map((value, k) => `<option value="${value}">${labels[k]}</option>`).join("") + "</select></label>";
  const mark = (name, text) => `<span><i class="plane-mark ${name}"></i>${text}</span>`;
  box.innerHTML = `
    <div class="plane-bar">${["play", "both", "hundred", "d", "g", "reset", "other"].map(button).join("")}
      <span id="plane-seed"></span></div>
    <p id="plane-status" role="status"></p>
    <div class="plane-columns">
      <div>
        <canvas id="plane-ground" class="plane-square" role="img" aria-label="${t.plane}"></canvas>
        <p class="plane-legend">${mark("real", t.real)}${mark("fake", t.fake)}<span>→ ${t.arrow}</span>${mark("yes", t.yes)}${mark("no", t.no)}</p>
      </div>
      <div>
        <p class="plane-title">${t.losses}</p>
        <canvas id="plane-curves" role="img" aria-label="${t.curves}"></canvas>
        <p class="plane-legend">${mark("d", `${t.d_loss} <b id="plane-d-loss"></b>`)}${mark("g", `${t.g_loss} <b id="plane-g-loss"></b>`)}<span>${t.guessing}</span></p>
        <p class="plane-legend"><span>${t.steps}: <b id="plane-steps"></b></span><span>${t.reached}: <b id="plane-reached"></b></span></p>
        <div class="plane-choices">
          ${choice("speed", [0, 1, 2, 3], t.speeds)}
          ${choice("who", ["both", "d", "g"], t.whos)}
          ${choice("lr", [0.0003, 0.001, 0.003, 0.01, 0.03])}
          ${choice("beta", [0, 0.5, 0.9])}
          ${choice("loss", ["plain", "saturating"], t.loss_values)}
          ${choice("data", ["ring", "blobs"], t.datas)}
        </div>
      </div>
    </div>
    <p class="plane-title">${t.network}</p>
    <canvas id="plane-network" role="img" aria-label="${t.network}"></canvas>
    <p class="plane-legend">${mark("up", t.up)}${mark("down", t.down)}<span>${t.network_about}</span></p>
    <div class="plane-bar plane-weight">
      <b>${t.weight}</b>
      <label>${t.parameter} <select id="plane-parameter"></select></label>
      <label id="plane-row">${t.row} <select id="plane-i"></select></label>
      <label>${t.column} <select id="plane-j"></select></label>
    </div>
    <p id="plane-carries"></p>
    <div class="plane-columns">
      <table id="plane-products"></table>
      <table id="plane-moves"></table>
    </div>
    <p class="plane-legend">${t.keys}</p>`;
}

// ---- what is shown

function show(t) {
  const { gan, losses, settings, last, running } = plane;
  const canvases = ["ground", "curves", "network"].map(part);
  const fake = draw_plane(canvases[0], gan, plane.shown_real, plane.shown_z);
  draw_curves(canvases[1], losses, t);
  draw_network(canvases[2], gan, plane.chosen, fresh(), t.columns);
  for (const name of ["d", "g"]) {
    const known = losses[name].filter(Number.isFinite);
    part(`${name}-loss`).textContent = known.length ? known[known.length - 1].toFixed(3) : "–";
  }
  part("steps").textContent = `${gan.adam_d.t}, ${gan.adam_g.t}`;
  const kind = kinds_of_data[settings.data];
  part("reached").textContent = t.reached_of(centres_reached(fake, kind), kind.centres.length);
  part("seed").textContent = t.seed(settings.seed);
  part("play").textContent = running ? t.pause : t.play;
  const news = running ? t.running : t[{ start: "start", d: "after_d", g: "after_g", both: "after_both" }[last]];
  if (part("status").textContent !== news) part("status").textContent = news;
  show_weight(t);
}

function fresh() { // whose dW the last step has computed
  const { last } = plane;
  return { G: last === "g" || last === "both", D: last === "d" || last === "both" };
}

// ---- the loop, and what the reader does

function run_page(box) {
  const t = plane_words[box.lang] || plane_words.en;
  build(box, t);
  start_again();
  const lists = ["speed", "who", "lr", "beta", "loss", "data"];
  const show_settings = () => { for (const name of lists) part(name).value = plane.settings[name]; };
  show_settings();
  for (const name of lists) {
    part(name).addEventListener("change", ({ target: { value } }) => {
      plane.settings[name] = Number.isNaN(Number(value)) ? value : Number(value);
      if (name === "data") start_again();
      apply_settings();
      show(t);
    });
  }
  const acts = {
    play: () => { plane.running = !plane.running; if (plane.running) play(t); },
    both: () => take_step(plane.settings.who), d: () => take_step("d"), g: () => take_step("g"),
    hundred: () => { for (let k = 0; k < 100; k++) take_step(plane.settings.who); },
    reset: () => { Object.assign(plane.settings, RECIPE); start_again(); show_settings(); },
    other: () => { plane.settings.seed++; start_again(); },
  };
  const act = (name) => {
    if (name !== "play") plane.running = false;
    acts[name]();
    show(t);
  };
  for (const name of Object.keys(acts)) part(name).addEventListener("click", () => act(name));
  box.tabIndex = -1; // a click into it lets the keys work
  box.addEventListener("keydown", (event) => {
    const name = { p: "play", s: "both", d: "d", g: "g", r: "reset" }[event.key.toLowerCase()];
    if (!name || event.target.closest("select") || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(name);
  });
  const choose = (chosen) => { Object.assign(plane.chosen, chosen); offer_parameters(); show(t); };
  part("parameter").addEventListener("change", ({ target }) => {
    const { net, layer, name } = parameters_of(plane.gan)[target.value];
    choose({ net, layer, name, i: 0, j: 0 });
  });
  for (const name of ["i", "j"]) {
    part(name).addEventListener("change", ({ target }) => choose({ [name]: Number(target.value) }));
  }
  part("network").addEventListener("click", (event) => {
    const found = parameter_at(part("network"), event.offsetX, event.offsetY);
    if (found) choose(found);
  });
  offer_parameters();
  show(t);
  new ResizeObserver(() => show(t)).observe(box);
  new MutationObserver(() => show(t)).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

function play(t) { // as many steps as are due, then a picture; two pictures a second for who wants little motion
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let last = performance.now(), due = 0, shown = 0;
  const frame = () => {
    if (!plane.running) return;
    const now = performance.now(), budget = now + 24, rate = SPEEDS[plane.settings.speed];
    due = Math.min(rate === Infinity ? Infinity : due + (now - last) / 1000 * rate, rate);
    last = now;
    for (; due >= 1 && performance.now() < budget; due--) take_step(plane.settings.who);
    if (now - shown >= (calm.matches ? 500 : 0)) {
      show(t);
      shown = now;
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("plane");
  if (box) run_page(box);
});
