// Small things that every part of the page uses: elements, images on a canvas, latent points.

const data = JSON.parse(document.getElementById("data").textContent);
const { height, width, channels } = data.image;
const by_id = (id) => document.getElementById(id);

function element(tag, text = "", attributes = {}) { // text is shown as text, whatever it holds
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function colour(name) { // one of the colours of the style, which differ in light and dark
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// What happens when the reader does something; the page saves its state a little later.
function on(id, event, act) {
  by_id(id).addEventListener(event, (e) => { act(e); save_soon(); });
}

// ---- images: Float32Array with one number a pixel, or three in colour, from -1 (dark) to 1 (bright)

function show(canvas, image) {
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      pixels.data[4 * i + c] = Math.round((image[channels * i + c % channels] + 1) * 127.5);
    }
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
}

function show_signed(canvas, values) { // 0 is the page's paper, the extremes are two colours
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext("2d"), pixels = context.createImageData(width, height);
  const [zero, up, down] = ["--zero", "--up", "--down"].map((name) => rgb(colour(name)));
  const of_pixels = Float32Array.from({ length: width * height }, (_, i) =>
    values.subarray(channels * i, channels * (i + 1)).reduce((sum, value) => sum + value, 0));
  const most = largest(of_pixels) || 1;
  of_pixels.forEach((value, i) => { // in colour: what the three would do together
    const end = value > 0 ? up : down, share = Math.sqrt(Math.abs(value) / most);
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = zero[c] + share * (end[c] - zero[c]);
    pixels.data[4 * i + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
}

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function largest(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function save_png(canvas, name) {
  const large = document.createElement("canvas"), scale = 10;
  large.width = scale * canvas.width; large.height = scale * canvas.height;
  const context = large.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  element("a", "", { href: large.toDataURL("image/png"), download: name }).click();
}

// ---- latent points: Float32Array, drawn from N(0, 1)

function random_point(n) { // Box and Muller's formula
  return Float32Array.from({ length: n }, () =>
    Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

function length(z) {
  return Math.sqrt(z.reduce((sum, v) => sum + v * v, 0));
}

function combined(...terms) { // the sum of [number, point], [number, point], …
  return terms[0][1].map((_, i) => terms.reduce((sum, [a, z]) => sum + a * z[i], 0));
}

function scaled_to(z, wanted) {
  return combined([wanted / (length(z) || 1), z]);
}

function on_the_way(a, b, t) { // on the great circle from a to b, as in minigan's walk
  const cosine = a.reduce((sum, v, i) => sum + v * b[i], 0) / (length(a) * length(b) || 1);
  if (Math.abs(cosine) > 0.9999) return combined([1 - t, a], [t, b]);
  const angle = Math.acos(cosine);
  return combined([Math.sin((1 - t) * angle) / Math.sin(angle), a],
    [Math.sin(t * angle) / Math.sin(angle), b]);
}

// Let a canvas follow the mouse, the finger or the pen that is pressed on it; x and y are 0 to 1.
// Two fingers call stretch.by with how much their distance has grown, and stretch.begin before it.
function follow_pointer(canvas, act, end = () => {}, stretch = null) {
  let last = null;
  const fingers = new Map(); // where they are
  const distance = () => {
    const [a, b] = fingers.values();
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return; // of the mouse, only the left one
    canvas.setPointerCapture(event.pointerId);
    const here = place(event);
    fingers.set(event.pointerId, here);
    if (fingers.size > 1) {
      if (last) { last = null; end(); }
      if (stretch && fingers.size === 2) stretch.begin();
      return;
    }
    act(here, here);
    last = here;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const here = place(event), before = fingers.size === 2 ? distance() : 0;
    fingers.set(event.pointerId, here);
    if (before && stretch) stretch.by(distance() / before);
    if (!last) return;
    act(here, last);
    last = here;
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      if (last) { last = null; end(); }
      save_soon();
    });
  }
}

// ---- what the page remembers while it reloads itself, and while the reader goes elsewhere

const kept = {}; // the parts of the page that have something to keep: { save(), restore(state) }

const memory_key = `minigan ${location.pathname}`;
let save_timer = null;
function save_soon() {
  last_touch = Date.now();
  clearTimeout(save_timer);
  save_timer = setTimeout(save, 200);
}
let last_touch = 0;

function save() {
  const state = { scroll: scrollY };
  for (const [name, part] of Object.entries(kept)) state[name] = part.save();
  try { sessionStorage.setItem(memory_key, JSON.stringify(state)); } catch { /* not allowed here */ }
}

function restore() {
  let state = null;
  try { state = JSON.parse(sessionStorage.getItem(memory_key)); } catch { /* not allowed here */ }
  for (const [name, part] of Object.entries(kept)) {
    try { if (state && state[name]) part.restore(state[name]); } catch { /* of another page */ }
  }
  history.scrollRestoration = "manual";
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  if (state && (again || !location.hash)) scrollTo({ top: state.scroll, behavior: "instant" });
}
