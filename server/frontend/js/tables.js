// Small tables: `<table data-sortable>` sorts by a click on its head, `<input data-filter="#table">` narrows its rows.
import { each } from "./page.js";

const byWord = new Intl.Collator("zh-CN", { numeric: true });
const NUMBER = /^[-+]?[\d,，]+(\.\d+)?/;

const textOf = (row, column) => {
  const cell = row.cells[column];
  return (cell?.dataset.sortValue ?? cell?.textContent ?? "").trim();
};

const numberOf = (text) => (NUMBER.test(text) ? Number.parseFloat(text.replace(/[,，]/g, "")) : Number.NaN);

/** Numbers by size, words by pinyin; what is empty comes last in either direction. */
function compare(left, right, direction) {
  if (!left || !right) return Number(!left) - Number(!right);
  const [a, b] = [numberOf(left), numberOf(right)];
  const order = Number.isNaN(a) || Number.isNaN(b) ? byWord.compare(left, right) : a - b;
  return order * direction;
}

function sort(table, head) {
  const rising = head.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, key: textOf(row, head.cellIndex) }));
  rows.sort((left, right) => compare(left.key, right.key, rising ? 1 : -1));
  body.append(...rows.map(({ row }) => row));
}

function makeSortable(table) {
  for (const head of table.tHead?.rows[0]?.cells ?? []) {
    if (head.dataset.sort === "no" || !head.textContent.trim()) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head));
    head.append(button);
  }
}

function makeFilter(box) {
  const table = document.querySelector(box.dataset.filter);
  if (!table) return;
  const told = document.querySelector(`[data-filter-count="${box.dataset.filter}"]`);
  const narrow = () => {
    const words = box.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    const shown = rows.filter((row) => !row.hidden).length;
    if (told) told.textContent = words.length ? `显示 ${shown} / ${rows.length} 行` : `共 ${rows.length} 行`;
  };
  box.addEventListener("input", narrow);
  // A filter box is no form: Enter must not send the one around it.
  box.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  narrow();
}

/** A table wider than the screen can be scrolled by keys too, and shows at its edge that there is more. */
function makeReachable(wrap) {
  const left = () => wrap.scrollWidth - wrap.clientWidth - wrap.scrollLeft;
  const look = () => wrap.classList.toggle("has-more", left() > 2);
  if (left() > 0 && !wrap.hasAttribute("tabindex")) wrap.tabIndex = 0;
  wrap.addEventListener("scroll", look, { passive: true });
  window.addEventListener("resize", look);
  look();
}

export function startTables() {
  each(".table-wrap", makeReachable);
  each("table[data-sortable]", makeSortable);
  each("input[data-filter]", makeFilter);
}
