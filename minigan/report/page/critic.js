// What D thinks: an image that the reader draws, D's answer, and the gradient dD/dx at the image.

const D = network(data.D);
const critic = (() => {
  if (!D) {
    by_id("critic-body").replaceChildren(element("p", "This run's discriminator is too large for this page, or has a layer that it does not know."));
    return null;
  }
  const size = width * height * channels, black = () => new Float32Array(size).fill(-1);
  const state = { image: black(), digit: 0, steps: 0 };
  const before = []; // images to go back to
  let brush = [0.5, 0.5]; // of the keyboard

  // D's answer y to the picked question, what it means, and dD/dx: backward from dy = 1.
  function ask(image, digit = state.digit) {
    const [y, caches] = D.evaluate(image);
    const dy = new Float32Array(y.length); // a conditional D has one output for each class
    dy[digit] = 1;
    const dx = D.backward(dy, caches);
    return { y: y[digit], p: data.answer === "logit" ? sigmoid(y[digit]) : y[digit], dx };
  }

  function draw() {
    const { y, p, dx } = ask(state.image);
    show(by_id("critic-canvas"), state.image);
    show_signed(by_id("gradient-canvas"), dx);
    const share = Math.min(1, Math.max(0, p));
    by_id("belief-bar").style.width = `${100 * share}%`;
    const what = data.classes.length ? `a real ${data.classes[state.digit]}` : "real";
    by_id("belief").textContent = data.answer === "number"
      ? `D answers ${y.toFixed(2)}; 1 means ${what}, 0 means fake.`
      : `To D, this is ${what} with a probability of ${percent(p)}.`;
    by_id("gradient-size").textContent = largest(dx) > 0
      ? `The strongest pixel: dD/dx = ${largest(dx).toPrecision(2)}` +
        (data.answer === "logit" ? `; D's logit is ${y.toFixed(2)}.` : ".")
      : "The gradient is exactly 0: D's last layer is saturated, and G would learn nothing here.";
    by_id("critic-steps").textContent = state.steps === 0 ? "" : state.steps === 1
      ? "1 step was taken." : `${state.steps} steps were taken.`;
    by_id("critic-undo").disabled = !before.length;
  }

  function percent(p) {
    const per_cent = 100 * p;
    if (per_cent < 0.01) return "less than 0.01 %";
    if (per_cent > 99.99) return "more than 99.99 %";
    return `${per_cent.toFixed(per_cent < 1 || per_cent > 99 ? 2 : 0)} %`;
  }

  function remember() {
    before.push({ image: state.image.slice(), steps: state.steps });
    if (before.length > 50) before.shift();
  }

  function undo() {
    Object.assign(state, before.pop());
    draw();
  }

  function set(image) {
    remember();
    Object.assign(state, { image, steps: 0 });
    draw();
  }

  // One step along dD/dx: the image moves by the same distance each time, whatever D's slope is.
  const STRIDE = 1; // in the units of the pixels; a digit is about 20 away from a black image
  function step(times) {
    remember();
    for (let i = 0; i < times; i++) {
      const { dx } = ask(state.image), norm = length(dx);
      if (!norm) break;
      state.image = state.image.map((v, k) => Math.min(1, Math.max(-1, v + STRIDE * dx[k] / norm)));
      state.steps++;
    }
    draw();
  }

  function ink([x1, y1], [x0, y0]) { // a soft brush from one place to the next
    const columns = x1 * width, rows = y1 * height;
    const points = Math.ceil(Math.hypot(columns - x0 * width, rows - y0 * height) / 0.4) + 1;
    for (let p = 0; p < points; p++) {
      const t = points > 1 ? p / (points - 1) : 1;
      const cx = x0 * width + t * (columns - x0 * width), cy = y0 * height + t * (rows - y0 * height);
      for (let row = Math.floor(cy - 3); row <= cy + 3; row++) {
        for (let column = Math.floor(cx - 3); column <= cx + 3; column++) {
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const distance = Math.hypot(column + 0.5 - cx, row + 0.5 - cy);
          const shade = 2 * Math.min(1, Math.max(0, 1.75 - distance)) - 1, at = row * width + column;
          for (let c = 0; c < channels; c++) {
            state.image[channels * at + c] = Math.max(state.image[channels * at + c], shade);
          }
        }
      }
    }
  }

  let drawing = false;
  follow_pointer(by_id("critic-canvas"), (here, last) => {
    if (!drawing) { remember(); drawing = true; state.steps = 0; }
    brush = here;
    ink(here, last);
    draw();
  }, () => { drawing = false; }, { begin: undo, by: () => {} }); // two fingers do not draw
  on("critic-canvas", "keydown", (event) => {
    const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [];
    if (event.key !== " " && x === undefined) return;
    event.preventDefault();
    const last = brush, inside = (v) => Math.min(1, Math.max(0, v));
    if (x !== undefined) brush = [inside(last[0] + x / width), inside(last[1] + y / height)];
    if (event.key === " " || event.shiftKey) { remember(); ink(brush, last); state.steps = 0; draw(); }
    const dot = by_id("brush-dot");
    dot.hidden = false;
    dot.style.left = `${100 * brush[0]}%`;
    dot.style.top = `${100 * brush[1]}%`;
  });
  by_id("critic-canvas").addEventListener("blur", () => { by_id("brush-dot").hidden = true; });
  on("critic-clear", "click", () => set(black()));
  on("critic-step", "click", () => step(1));
  on("critic-ten", "click", () => step(10));
  on("critic-undo", "click", undo);
  on("critic-save", "click", () => save_png(by_id("critic-canvas"), "drawn.png"));
  by_id("critic-take").hidden = !explorer;
  on("critic-take", "click", () => {
    if (data.classes.length) choose(explorer.state.digit);
    set(explorer.image());
  });
  function choose(digit) {
    state.digit = digit;
    by_id("question").value = digit;
  }
  by_id("question-label").hidden = !data.classes.length;
  data.classes.forEach((label, k) => by_id("question").append(element("option", label, { value: k })));
  on("question", "change", (event) => { choose(Number(event.target.value)); draw(); });
  by_id("belief-scale").hidden = data.answer === "number";
  for (const [id, value] of [["mark-real", data.mean_answers[0]], ["mark-fake", data.mean_answers[1]]]) {
    by_id(id).hidden = value === null;
    if (value !== null) by_id(id).style.left = `${100 * value}%`;
  }
  by_id("belief-marks").hidden = data.mean_answers.includes(null);
  if (explorer) state.image = explorer.image();
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  kept.critic = {
    save: () => ({ image: [...state.image], digit: state.digit, steps: state.steps }),
    restore: (saved) => {
      if (saved.image.length !== size) return;
      Object.assign(state, saved, { image: Float32Array.from(saved.image) });
      choose(state.digit);
      draw();
    },
  };
  return { ask, state, step };
})();
