// The film: the same latent points after each epoch, with a slider, and two epochs side by side.

const film = (() => {
  const frames = data.film.frames, last = frames.length - 1;
  if (last < 0) {
    by_id("film-body").replaceChildren(element("p", data.stopped
      ? `The run was stopped before its first picture, which is drawn ${data.first_picture}.`
      : `The first picture is drawn ${data.first_picture}.`));
    return null;
  }
  const pictures = frames.map((frame) => {
    const image = new Image();
    image.src = `data:image/png;base64,${frame.png}`;
    return image;
  });
  let timer = null;

  function draw(which) {
    const slider = by_id(`film-${which}`), frame = frames[slider.value];
    by_id(`film-${which}-words`).textContent = frame.words;
    slider.setAttribute("aria-valuetext", frame.words);
    const canvas = by_id(`film-${which}-canvas`), picture = pictures[slider.value];
    const paint = () => {
      if (picture !== pictures[slider.value]) return; // the slider has moved on meanwhile
      canvas.getContext("2d").drawImage(picture, 0, 0);
      canvas.setAttribute("aria-label", `Images of the fixed latent points ${frame.words}`);
    };
    picture.decode().then(paint, () => {});
  }

  function play(on) {
    clearInterval(timer);
    timer = null;
    by_id("film-play").textContent = on ? "Pause" : "Play";
    if (!on) return;
    const slider = by_id("film-a");
    if (Number(slider.value) === last) { slider.value = 0; draw("a"); }
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      draw("a");
      if (Number(slider.value) === last) play(false);
    }, Math.min(400, Math.max(80, 8000 / frames.length)));
  }

  function compare(on) {
    by_id("film-two").hidden = !on;
    if (on) draw("b");
  }

  function to_explorer(event) { // the picture of the grid that was clicked
    const box = event.currentTarget.getBoundingClientRect(), { columns, rows } = data.film;
    const column = Math.floor((event.clientX - box.left) / box.width * columns);
    const row = Math.floor((event.clientY - box.top) / box.height * rows);
    const number = row * columns + column;
    if (explorer && number >= 0 && number < explorer.count) {
      explorer.start_from(number);
      by_id("explorer").scrollIntoView();
    }
  }

  const head = new DataView(bytes(frames[0].png.slice(0, 32))); // a PNG begins with its size
  for (const which of ["a", "b"]) {
    const slider = by_id(`film-${which}`), canvas = by_id(`film-${which}-canvas`);
    canvas.width = head.getUint32(16); canvas.height = head.getUint32(20);
    slider.max = last;
    slider.value = which === "a" ? last : 0;
    on(`film-${which}`, "input", () => { if (which === "a") play(false); draw(which); });
    on(`film-${which}-canvas`, "click", to_explorer);
  }
  if (last === 0) { // nothing to choose or to play yet
    for (const part of by_id("film-body").querySelectorAll(".bar, input")) part.hidden = true;
  }
  on("film-play", "click", () => play(timer === null));
  on("film-compare", "change", (event) => compare(event.target.checked));
  by_id("film-compare").checked = innerWidth > 700 && last > 0;
  compare(by_id("film-compare").checked);
  draw("a");

  kept.film = {
    save: () => ({
      a: Number(by_id("film-a").value) === last ? null : by_id("film-a").value, // null: the newest
      b: by_id("film-b").value,
      compares: by_id("film-compare").checked,
    }),
    restore: (state) => {
      if (state.a !== null) by_id("film-a").value = state.a;
      by_id("film-b").value = state.b;
      by_id("film-compare").checked = state.compares;
      draw("a");
      compare(state.compares);
    },
  };
  return { frames };
})();
