// The curves of the run, drawn by uPlot: hover reads them off, a drag or two fingers zoom, all charts
// together.

const curves = (() => {
  const c = data.curves;
  if (!c.x.length) {
    by_id("curves-body").replaceChildren(element("p", data.stopped
      ? `The run was stopped before its first figures, which come ${data.first_figures}.`
      : `The first figures come ${data.first_figures}.`));
    return null;
  }
  const lines = {
    blue: "--line-1", orange: "--line-2", green: "--line-3", red: "--line-4", violet: "--line-5",
  };
  const end = Math.max(data.epoch_now, c.x[c.x.length - 1]);
  const charts = [], HEIGHT = 205;
  by_id("curves-marks").hidden = !c.js.x.length;

  function line(label, y, shade, reference = false) {
    return { label, y, shade, reference };
  }

  // x, the lines, the text of the y axis, and what a reader sees in it
  function chart(title, about, x, series, options = {}) {
    const box = element("figure", "", { class: "chart", tabindex: 0, role: "group", "aria-label":
      `Chart: ${title}. Arrow keys read it off, plus and minus zoom, 0 shows the whole run.` });
    const caption = element("figcaption", `${title} `);
    caption.append(element("small", about));
    box.append(caption);
    by_id("charts").append(box);
    const constant = (value) => x.map(() => value);
    const columns = [x, ...series.map((s) => Array.isArray(s.y) ? s.y : constant(s.y))];
    const axis = {
      stroke: () => colour("--soft"), font: "12px system-ui", ticks: { show: false },
      grid: { stroke: () => colour("--line"), width: 1 },
    };
    const plot = new uPlot({
      width: box.clientWidth, height: HEIGHT,
      cursor: { sync: { key: "charts" }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      scales: { x: { time: false, range: () => [view.from, view.to] }, y: options.y || { range: from_zero } },
      axes: [{ ...axis, size: 30, label: "epoch", labelSize: 18, labelFont: "12px system-ui" },
        { ...axis, size: 50 }],
      series: [
        { label: "epoch", value: (_, v) => v === null ? "–" : v.toFixed(end > 20 ? 1 : 2) },
        ...series.map((s) => ({
          label: s.label, stroke: () => colour(lines[s.shade] || "--soft"), width: s.reference ? 1 : 1.7,
          dash: s.reference ? [5, 4] : undefined, spanGaps: true,
          points: { show: !s.reference && x.length <= 60, size: 5 },
          value: (_, v) => v === null || v === undefined ? "–" : Number(v.toPrecision(3)).toString(),
        })),
      ],
      hooks: {
        draw: [marks],
        setSelect: [(u) => {
          if (u.select.width > 4) {
            zoom(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
          }
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    }, columns, box);
    plot.over.addEventListener("dblclick", () => zoom(0, end));
    follow_fingers(plot);
    box.addEventListener("keydown", (event) => keys(event, plot));
    charts.push({ box, plot });
  }

  // On a phone two fingers stretch the charts, and one moves them: each stays at its epoch.
  function follow_fingers(plot) {
    const fingers = new Map(); // the epoch under each finger, and where the finger is now
    const place = (event) => event.clientX - plot.over.getBoundingClientRect().left;
    plot.over.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") return;
      fingers.set(event.pointerId, { epoch: plot.posToVal(place(event), "x"), at: place(event) });
    });
    plot.over.addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      fingers.get(event.pointerId).at = place(event);
      const [one, other] = fingers.values(), wide = plot.over.clientWidth;
      let scale = (view.to - view.from) / wide; // epochs per pixel
      if (other) {
        scale = (other.epoch - one.epoch) / (other.at - one.at);
        if (!(scale > 0 && scale < Infinity)) return; // the fingers have met
      }
      const from = one.epoch - one.at * scale, width = Math.min(end, scale * wide);
      const left = Math.min(end - width, Math.max(0, from));
      zoom(left, left + width);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      plot.over.addEventListener(name, (event) => fingers.delete(event.pointerId));
    }
  }

  function from_zero(u, low, high) {
    return [Math.min(0, low), (high || 1) * 1.05];
  }

  function marks(u) { // a tick for each measurement of quality, a line for a warning or a new learning rate
    const { ctx, bbox } = u, at = (x) => Math.round(u.valToPos(x, "x", true));
    ctx.save();
    ctx.fillStyle = colour("--soft");
    for (const x of c.js.x) {
      if (x < view.from || x > view.to) continue;
      ctx.fillRect(at(x) - 1, bbox.top + bbox.height - 6, 2, 6);
    }
    for (const { epoch } of data.learning_rates) {
      if (epoch < view.from || epoch > view.to) continue;
      ctx.fillRect(at(epoch), bbox.top, 1, bbox.height);
    }
    ctx.fillStyle = colour("--warning");
    for (const { epoch } of data.warnings) {
      if (epoch < view.from || epoch > view.to) continue;
      ctx.fillRect(at(epoch) - 1, bbox.top, 2, bbox.height);
    }
    ctx.restore();
  }

  const view = { from: 0, to: end };
  function zoom(from, to) {
    const least = end / 200;
    const middle = (from + to) / 2;
    const half = Math.max(to - from, least) / 2;
    view.from = Math.max(0, middle - half);
    view.to = Math.min(end, middle + half);
    for (const { plot } of charts) plot.redraw(true, true);
    for (const { plot } of charts) plot.setData(plot.data);
    by_id("curves-shown").textContent =
      `Epochs ${view.from.toFixed(1)} to ${view.to.toFixed(1)} of ${end.toFixed(1)}`;
    save_soon();
  }

  function keys(event, plot) {
    const width = view.to - view.from, x = plot.data[0];
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.key in moves) {
      const inside = x.map((_, i) => i).filter((i) => x[i] >= view.from && x[i] <= view.to);
      const [first, last] = [inside[0], inside[inside.length - 1]], idx = plot.cursor.idx;
      const next = idx === null || idx === undefined ? (moves[event.key] > 0 ? first : last)
        : Math.min(last, Math.max(first, idx + moves[event.key]));
      for (const other of charts) {
        other.plot.setCursor({ left: other.plot.valToPos(x[next], "x"), top: 20 });
      }
    } else if (event.key === "+" || event.key === "=") {
      zoom(view.from + width / 4, view.to - width / 4);
    } else if (event.key === "-") {
      zoom(view.from - width / 2, view.to + width / 2);
    } else if (event.key === "0") {
      zoom(0, end);
    } else {
      return;
    }
    event.preventDefault();
  }

  const [d_guess, g_guess] = data.guessing;
  chart("Losses", "of D and of G, the mean of the last steps. Dashed: where they are if D only guesses.",
    c.x, [line("d_loss", c.d_loss, "blue"), line("g_loss", c.g_loss, "orange"),
      line("d_loss, D guesses", d_guess, "blue", true), line("g_loss, D guesses", g_guess, "orange", true)]);
  const probability = data.answer === "number" ? {} : { y: { range: () => [0, 1] } };
  chart(data.answer === "number" ? "What D answers" : "What D believes",
    "to real images and to fakes. They meet at 1/2 when D cannot tell them apart.",
    c.x, [line("D(x), real", c.p_real, "green"), line("D(G(z)), fakes", c.p_fake, "red"),
      line("1/2", 0.5, "", true)], probability);
  const real = data.real_spread === null ? [] : [line("of real images", data.real_spread, "", true)];
  chart("Spread of G's images", "how much they differ. Near 0 they are all alike: G has collapsed.",
    c.x, [line("spread", c.spread, "violet"), ...real]);
  if (c.memory.x.length) {
    chart("What D remembers", "its answer to training images, less that to test images, which it has " +
      "never seen. Above the dashed line it has learnt images by heart.",
    c.memory.x, [line("difference", c.memory.y, "blue"), line("D remembers", data.remembers, "", true)],
    { y: { range: (u, low, high) => [Math.min(low, -0.02), Math.max(high, 0.07) * 1.05] } });
  }
  if (c.js.x.length) {
    chart("Quality, JS", "how unevenly G draws the kinds of images that there are: lower is better. " +
      "Measured by --evaluate-every.", c.js.x, [line("JS", c.js.y, "orange")]);
  }
  by_id("curves-all").addEventListener("click", () => zoom(0, end));
  by_id("curves-half").addEventListener("click", () => zoom(end / 2, end));
  by_id("curves-tenth").addEventListener("click", () => zoom(0.9 * end, end));
  new ResizeObserver(() => charts.forEach(({ box, plot }) => {
    if (box.clientWidth && box.clientWidth !== plot.width) {
      plot.setSize({ width: box.clientWidth, height: HEIGHT });
    }
  })).observe(by_id("charts"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    charts.forEach(({ plot }) => plot.redraw(false, true)));

  kept.curves = {
    save: () => view.from === 0 && view.to === end ? null : { from: view.from, to: view.to },
    restore: (state) => zoom(state.from, Math.min(end, state.to)),
  };
  return { charts, view, zoom };
})();
