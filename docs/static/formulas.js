// A formula that is wider than the column of text is shown smaller, so that nobody has to scroll.
"use strict";

function room(formula) { // in pixels
  const table = formula.closest("table");
  if (!table) return formula.closest("li, p, div.math, .bd-article").clientWidth;
  const box = table.closest(".pst-scrollable-table-container");
  if (!box || box.scrollWidth <= box.clientWidth) return Infinity;
  return box.clientWidth / formula.closest("tr").cells.length - 8; // a wide table: each column gets its part
}

function fit_formulas() {
  const formulas = document.querySelectorAll(".bd-article mjx-container");
  for (const formula of formulas) formula.style.fontSize = "";
  const widths = [...formulas].map((formula) => { // all are measured before any is changed
    const inside = formula.firstElementChild.getBoundingClientRect().width;
    return [inside, room(formula)];
  });
  formulas.forEach((formula, i) => {
    const [inside, outside] = widths[i];
    if (inside > outside) formula.style.fontSize = `${Math.floor(98 * outside / inside)}%`;
  });
}

window.addEventListener("load", () => {
  if (!window.MathJax?.startup) return; // a page without formulas
  MathJax.startup.promise.then(() => document.fonts.ready).then(() => {
    fit_formulas();
    window.addEventListener("resize", fit_formulas);
    for (const fold of document.querySelectorAll("details")) fold.addEventListener("toggle", fit_formulas);
    document.documentElement.dataset.formulas = "fit";
  });
});
