// The tables: measures, options, versions and commands, all of them as text.

function fill(id, rows, head = null) {
  const table = by_id(id);
  const add = (cells, tag) => {
    const row = element("tr");
    cells.forEach((cell, i) => row.append(
      element(i === 0 || tag === "th" ? "th" : "td", cell, { scope: tag === "th" ? "col" : "row" })));
    for (const cell of row.querySelectorAll("td")) cell.removeAttribute("scope");
    table.append(row);
  };
  if (head) add(head, "th");
  rows.forEach((row) => add(row, "td"));
}

if (data.measures) {
  by_id("measures-none").hidden = true;
  fill("measures-table", data.measures.rows.map(([name, own, real]) => [name, own, real]),
    ["", "generator", "real images"]);
  document.querySelectorAll("#measures-table tr:not(:first-child) th").forEach((cell, i) =>
    cell.append(element("small", data.measures.rows[i][3])));
  if (data.measures.digits) {
    const [own, real] = data.measures.digits;
    fill("digits-table", [["generator", ...own], ["real images", ...real]],
      ["digit", ...own.map((_, k) => k)]);
  } else {
    by_id("digits-box").hidden = true;
  }
} else {
  by_id("measures-some").hidden = true;
}
if (data.neighbours) {
  by_id("neighbours-picture").src = `data:image/png;base64,${data.neighbours}`;
} else {
  by_id("neighbours").hidden = true;
}
fill("config-table", data.config);
fill("versions-table", data.versions);
for (const { typed, does } of data.commands) {
  const item = element("div", "", { class: "command" });
  const code = element("code", typed, { tabindex: 0 });
  const copy = element("button", "Copy", { type: "button", "aria-label": `Copy the command: ${does}` });
  copy.addEventListener("click", () => {
    getSelection().selectAllChildren(code); // for browsers that let no page copy
    navigator.clipboard?.writeText(typed).then(() => { copy.textContent = "Copied"; }, () => {});
  });
  item.append(element("p", does), code, copy);
  by_id("commands").append(item);
}
for (const { epoch, lr } of data.learning_rates) {
  by_id("learning-rates").append(element("li", `After epoch ${epoch.toFixed(1)}: the learning rate is ${lr}.`));
}
by_id("learning-rates").hidden = !data.learning_rates.length;
if (data.warnings.length) {
  for (const { epoch, text } of data.warnings) {
    by_id("warnings").append(element("li", `Epoch ${epoch}: ${text}`));
  }
} else {
  by_id("warnings").hidden = true;
}
