// Pictures of the step: images, heat maps of the gradient, and histograms.

const tape = JSON.parse(document.getElementById("data").textContent);

// Return an element with a class, and with texts or elements as children.
function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

// ---- images: bytes, row by row; the changes are signed, one for each pixel

const pixels = {};
if (tape.images) {
  for (const name of ["real", "fakes", "changes"]) {
    const bytes = Uint8Array.from(atob(tape.images[name]), letter => letter.charCodeAt(0));
    pixels[name] = name === "changes" ? new Int8Array(bytes.buffer) : bytes;
  }
}

function colour(name) {  // as three numbers; it differs in light and dark
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
}

// Return a canvas with one image, or with the heat map of the change that would help it.
function picture(name, number, label) {
  const { height, width, channels } = tape.images, canvas = make("canvas");
  canvas.width = width; canvas.height = height;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const context = canvas.getContext("2d"), shown = context.createImageData(width, height);
  const n = width * height * (name === "changes" ? 1 : channels), values = pixels[name];
  const [zero, up, down] = ["--zero", "--up", "--down"].map(colour);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) {
      if (name === "changes") {
        const value = values[number * n + i] / 127, end = value > 0 ? up : down;
        shown.data[4 * i + c] = zero[c] + Math.abs(value) * (end[c] - zero[c]);
      } else {
        shown.data[4 * i + c] = values[number * n + channels * i + c % channels];
      }
    }
    shown.data[4 * i + 3] = 255;
  }
  context.putImageData(shown, 0, 0);
  return canvas;
}

const called = { real: "Real image", fakes: "Fake image", changes: "How each pixel should change" };

// Return pictures of these kinds, side by side for each image, with what D answers below.
function gallery(kinds) {
  const { norms, answers, classes } = tape.images, box = make("div", "gallery");
  for (let i = 0; i < norms.length; i++) {
    const pair = make("div", "pair", ...kinds.map(name => picture(name, i, `${called[name]} ${i + 1}`)));
    const words = [];
    if (classes.length) words.push(`class ${classes[i]}`);
    if (kinds[0] === "real") words.push(`D says ${answers[0][i]}`);
    else words.push(`D says ${answers[1][i]}` + (kinds.length > 1 ? `, then ${answers[2][i]}` : ""));
    if (kinds.length > 1) words.push(`|dx| ${norms[i]}`);
    box.append(make("figure", "", pair, make("figcaption", "", ...words.map(text => make("div", "", text)))));
  }
  return box;
}

function legend(kinds) {
  if (!kinds.includes("changes")) return [];
  return [make("p", "soft", "Each pixel should become ", make("i", "swatch up"), " brighter, ",
    make("i", "swatch down"), " darker, so that D calls the image real: minus the gradient of G's loss. ",
    "Each map has a scale of its own; |dx| is the norm of the gradient.")];
}

function images_panel() {
  const what = tape.images.probable ? "its probability that the image is real" : "its answer, 1 for real";
  panel.append(make("h2", "", "Images and gradients"),
    make("p", "soft", `The first ${tape.images.norms.length} images of the batch. D gives each image a number: ${what}.`),
    make("h3", "", "Real images"), gallery(["real"]),
    make("h3", "", "Fake images, and how each pixel should change to deceive D"),
    make("p", "soft", "On the left what G drew. On the right the gradient that comes back through D to this image, ",
      "from which G learns, and from nothing else. D's second number comes after D's own step."),
    gallery(["fakes", "changes"]), ...legend(["changes"]));
}

// ---- histograms

// Return the bars of a histogram, with its range in words below.
function histogram(bars, name) {
  const most = Math.max(1, ...bars.counts), strip = make("div", "bars");
  strip.setAttribute("role", "img");
  strip.setAttribute("aria-label", `Histogram of ${name}: ${bars.words}`);
  for (const count of bars.counts) {
    const bar = make("i");
    bar.style.height = `${count && Math.max(3, 100 * count / most)}%`;
    strip.append(bar);
  }
  if (bars.low < 0 && bars.high > 0) {
    const zero = make("b");
    zero.style.left = `${-100 * bars.low / (bars.high - bars.low)}%`;
    strip.append(zero);
  }
  return make("div", "histogram", strip, make("small", "soft", [bars.words, bars.about].filter(Boolean).join("; ")));
}

function layers_panel() {
  panel.append(make("h2", "", "Values and gradients of every layer"), make("p", "soft",
    "How many values are how large: what each layer hands on, y, and on the way back its gradients. Each histogram ",
    "has a scale of its own, written below it, with a line at 0. It leaves out zeros, which are counted in words, and its ",
    "first and last bar also hold the few values further out."));
  for (const phase of tape.phases) {
    const box = make("div", "histograms");
    for (const number of phase.rows) {
      const row = tape.rows[number];
      for (const line of row.lines.filter(line => line.bars && !/^loss$/.test(phase.name)))
        box.append(make("div", kind(phase), button("link", first_row + number, row.name.replace(/\(.*/, "")),
          ` ${line.name}`, histogram(line.bars, `${line.name} of ${row.name}`)));
    }
    if (box.children.length)
      panel.append(make("h3", kind(phase), `Step of ${phase.step}: ${phase.name}`), box);
  }
}
