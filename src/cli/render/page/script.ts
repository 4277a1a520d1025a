/**
 * The script of the page: names the pair under the pointer or the focus, moves the focus with the arrow keys, and opens
 * all heat maps for printing. Everything that the page says is there without it.
 */
export const SCRIPT = String.raw`
"use strict";
(() => {
  const tip = document.body.appendChild(document.createElement("div"));
  tip.id = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  let lit = [];
  let subject = null;
  const label = (cell) => cell.querySelector("bdi").textContent;
  const unlight = () => {
    for (const element of lit) element.classList.remove("on");
    lit = [];
    subject = null;
    tip.hidden = true;
  };
  const light = (...elements) => {
    lit = elements.filter(Boolean);
    for (const element of lit) element.classList.add("on");
  };
  const place = (element) => {
    subject = element;
    tip.hidden = false;
    const box = element.getBoundingClientRect();
    const own = tip.getBoundingClientRect();
    const left = Math.min(Math.max(4, box.left + box.width / 2 - own.width / 2), innerWidth - own.width - 4);
    const above = box.top - own.height - 8;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = (above > 4 ? above : box.bottom + 8) + "px";
  };
  const parts = (cell) => {
    const row = cell.parentElement;
    const table = row.closest("table");
    const j = cell.cellIndex;
    return { row: row.cells[0], column: table.tHead.rows[0].cells[j], j };
  };
  const similarity = (cell) => (Number(cell.textContent.replace("\u2212", "-")) / 100).toFixed(2);
  const show = (cell) => {
    unlight();
    const { row, column, j } = parts(cell);
    const text = cell.closest("article").querySelector('.text [data-p="' + (j - 1) + '"]');
    light(row, column, text);
    const value = document.createElement("b");
    value.textContent = similarity(cell);
    tip.replaceChildren(label(row), " \u2192 ", label(column), " ", value, cell.classList.contains("c") ? " chosen" : "");
    place(cell);
  };
  const showToken = (token) => {
    const map = token.closest("article").querySelector(".map table");
    if (!map) return;
    unlight();
    const j = Number(token.dataset.p) + 1;
    const rows = [...map.tBodies[0].rows].filter((row) => !row.classList.contains("x"));
    const found = rows.filter((row) => row.cells[j].classList.contains("c"));
    const best = rows.reduce((a, b) => (Number(similarity(b.cells[j])) > Number(similarity(a.cells[j])) ? b : a), rows[0]);
    const named = found.length > 0 ? found : best ? [best] : [];
    if (named.length === 0) return;
    light(token, map.tHead.rows[0].cells[j]);
    const words = named.map((row) => label(row.cells[0]) + " " + similarity(row.cells[j])).join(", ");
    tip.replaceChildren(found.length > 0 ? "chosen by " + words : "nearest: " + words);
    place(token);
  };
  const cellOf = (target) => (target instanceof Element ? target.closest(".map tbody td") : null);
  const tokenOf = (target) => (target instanceof Element ? target.closest(".text [data-p]") : null);
  document.addEventListener("pointerover", ({ target }) => {
    const cell = cellOf(target);
    const token = tokenOf(target);
    if (cell) show(cell);
    else if (token) showToken(token);
    else unlight();
  });
  document.addEventListener("focusin", ({ target }) => {
    const cell = cellOf(target);
    if (cell) show(cell);
    else unlight();
  });
  document.addEventListener("scroll", () => subject && place(subject), true);
  const visible = (cell) => cell && cell.offsetParent !== null;
  const focusCell = (cell) => {
    const table = cell.closest("table");
    for (const old of table.querySelectorAll('td[tabindex="0"]')) old.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  };
  for (const table of document.querySelectorAll(".map table")) {
    table.setAttribute("role", "grid");
    const first = table.querySelector("tbody tr:not(.x) .c") || table.querySelector("tbody td");
    if (first) first.tabIndex = 0;
  }
  document.addEventListener("click", ({ target }) => {
    const cell = cellOf(target);
    if (cell) focusCell(cell);
  });
  const next = (cell, key) => {
    const down = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
    const right = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
    let row = cell.parentElement;
    let at = cell;
    if (key === "Home" || key === "End") {
      const cells = [...row.querySelectorAll("td")].filter(visible);
      return key === "Home" ? cells[0] : cells.at(-1);
    }
    do {
      if (down !== 0) {
        row = down > 0 ? row.nextElementSibling : row.previousElementSibling;
        at = row && row.cells[cell.cellIndex];
      } else {
        at = right > 0 ? at.nextElementSibling : at.previousElementSibling;
        if (at && at.tagName === "TH") at = null;
      }
    } while (at && !visible(at));
    return at;
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") unlight();
    const cell = cellOf(event.target);
    if (!cell || !/^(Arrow(Down|Up|Left|Right)|Home|End)$/.test(event.key)) return;
    event.preventDefault();
    const target = next(cell, event.key);
    if (target) focusCell(target);
  });

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
})();
`;
