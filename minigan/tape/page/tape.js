// The tape itself: the strip of phases, the list on the left, and the panel that explains one entry.

const rows = tape.rows;
tape.phases.forEach(phase => phase.rows.forEach(number => { rows[number].phase = phase; }));

const kind = phase => phase.name.match(/^loss$|forward$|backward$/)?.[0] ?? "adam";

// What the panel can show, in order: pictures first, then every row, then the sums.  Each entry has
// an item in the list, a class for its colour, and a function that fills the panel.
const entries = [];
const first_row = tape.images ? 2 : 1;

function button(className, number, ...children) {
  const element = make("button", className, ...children);
  element.type = "button";
  element.addEventListener("click", () => show(number));
  return element;
}

function enter(className, fill, ...children) {
  const item = button(className, entries.length, ...children);
  list.append(item);
  entries.push({ item, className, fill });
  return item;
}

const flow = document.getElementById("flow"), list = document.getElementById("tape");
const panel = document.getElementById("panel");
document.getElementById("title").textContent = tape.step;

// Fill the strip of phases at the top, and the list of rows on the left.
let step = "", strip = null;
list.append(make("h2", "", "In pictures"));
if (tape.images) enter("loss", images_panel, make("span", "wide", "Images and gradients"));
enter("loss", layers_panel, make("span", "wide", "Values and gradients of every layer"));
tape.phases.forEach((phase, i) => {
  if (phase.step !== step) {
    step = phase.step;
    strip = make("div", "", make("b", "", "Step of " + step));
    flow.append(strip);
    list.append(make("h2", "", tape.steps[step]));
  }
  phase.chip = button(kind(phase), first_row + phase.rows[0], phase.name);
  strip.append(phase.chip);
  list.append(make("h3", kind(phase), `${i + 1}  ${phase.name}`));
  for (const number of phase.rows) {
    const row = rows[number], numbers = make("span", "numbers");
    for (const line of row.lines) {
      const left = line.figure === "skipped";
      const text = left ? line.name : line.figure || `${row.given} → ${line.shape}`;
      numbers.append(make("span", left ? "skipped" : "", text));
    }
    row.item = enter(kind(phase), () => details(number), make("span", "", row.name), numbers);
  }
});
list.append(make("h2", "", "In all"));
enter("adam", () => {
  const facts = make("dl");
  for (const [name, value] of tape.sums) fact(facts, name, value);
  panel.append(make("h2", "", "In all"), facts);
}, "Sums");

function fact(list, name, ...value) {
  list.append(make("dt", "", name), make("dd", "", ...value));
}

function link(number) {
  const row = rows[number];
  return button(`link ${kind(row.phase)}`, first_row + number, `${row.phase.name}, ${row.name}`);
}

// Return a card for one value of a row: its formula, and what is known about it.
function card(line) {
  const box = make("div", line.why ? "card left-out" : "card", make("div", "formula", line.formula));
  const facts = make("dl");
  if (line.remark) box.append(make("div", "soft", line.remark));
  if (line.shape) fact(facts, "shape", line.shape);
  if (line.why) fact(facts, "norm", "skipped");
  else if (line.figure) fact(facts, line.name === "L" ? "value" : "norm", line.figure);
  if (line.product) fact(facts, "work", line.product);
  if (line.why) fact(facts, "why", line.why);
  box.append(facts);
  if (line.bars) box.append(histogram(line.bars, line.name));
  return box;
}

function details(number) {
  const row = rows[number], phase = row.phase, what = kind(phase), facts = make("dl");
  const before = number && rows[number - 1].phase === phase ? number - 1 : null;
  panel.append(make("h2", "", row.name + " ", make("small", "", phase.name)));
  panel.append(make("p", "soft", phase.about));
  if (what === "forward") {
    fact(facts, "given", `x ${row.given}`, ...(before === null ? [] : [", y of ", link(before)]));
    fact(facts, "kept", row.kept || "nothing");
    if (row.partner !== null) fact(facts, "used by", link(row.partner));
  } else if (what === "backward") {
    fact(facts, "given", `dy ${row.given}`, ...(before === null ? [] : [", dx of ", link(before)]));
    if (row.partner !== null)
      fact(facts, "cache", `${rows[row.partner].kept}, from `, link(row.partner));
  } else if (what === "loss") {
    fact(facts, "given", `${row.lines[1].name === "dL/dp" ? "p" : "logits x"} ${row.given}`);
  }
  if (facts.children.length) panel.append(facts);
  panel.append(...row.lines.map(card));
  if (tape.images && row.shows) panel.append(gallery(row.shows), ...legend(row.shows));
  if (!row.where.length) return;
  panel.append(make("p", "soft", "where"));
  for (const [equation, remark] of row.where)
    panel.append(make("div", "formula", equation), make("div", "soft", remark));
}

let current = 0;
function show(number) {
  current = Math.max(0, Math.min(entries.length - 1, number));
  const entry = entries[current], row = rows[current - first_row];
  const mate = row && row.partner !== null ? rows[row.partner] : null;
  for (const other of entries) {
    other.item.classList.toggle("on", other === entry);
    other.item.classList.toggle("mate", Boolean(mate) && other.item === mate.item);
    other.item.setAttribute("aria-current", other === entry);
  }
  for (const phase of tape.phases) phase.chip.classList.toggle("on", Boolean(row) && row.phase === phase);
  panel.replaceChildren();
  panel.className = entry.className;
  panel.append(make("nav", "", button("", current - 1, "← previous"), button("", current + 1, "next →"),
    `${current + 1} of ${entries.length}; or use the arrow keys`));
  entry.fill();
  panel.scrollTop = 0;
  entry.item.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", "#" + (current + 1));
}

addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  show(current + by);
});
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1 || 0));
show(Number(location.hash.slice(1)) - 1 || 0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show(current));
