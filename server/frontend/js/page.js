// What the other parts share: elements now and later, messages, sizes, the server's clock.

const prepared = new Map();

/** Calls `prepare` once for each element that matches, also for those that htmx brings in later. */
export function each(selector, prepare) {
  prepared.set(selector, { prepare, seen: new WeakSet() });
  prepareIn(document, selector);
}

function prepareIn(root, selector) {
  const { prepare, seen } = prepared.get(selector);
  const found = [...root.querySelectorAll(selector)];
  if (root !== document && root.matches(selector)) found.unshift(root);
  for (const element of found) {
    if (seen.has(element)) continue;
    seen.add(element);
    prepare(element);
  }
}

document.addEventListener("htmx:load", (event) => {
  for (const selector of prepared.keys()) prepareIn(event.detail.elt, selector);
});

/** Makes an element: `make("p", "toast error", "没有保存")`. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** The icon `name` of the page's sprite, or nothing where the page does not name one. */
export function icon(name) {
  const sprite = document.querySelector('meta[name="icons"]')?.content;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  if (sprite) {
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${sprite}#${name}`);
    svg.append(use);
  }
  return svg;
}

/** Says a sentence at the lower edge; an error stays until it is clicked away. */
export function say(text, kind = "") {
  let shelf = document.querySelector(".toasts");
  if (!shelf) {
    shelf = make("div", "toasts");
    shelf.setAttribute("aria-live", "assertive");
    document.body.append(shelf);
  }
  const toast = make("div", `toast ${kind}`, text);
  toast.addEventListener("click", () => toast.remove());
  shelf.append(toast);
  if (kind !== "error") setTimeout(() => toast.remove(), 4000);
}

/** A size of a file in words: `812 KB`, `3.4 MB`. */
export function sizeInWords(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1).replace(".0", "")} MB`;
}

const serverTime = Date.parse(document.documentElement.dataset.now ?? "");
const ahead = Number.isNaN(serverTime) ? 0 : serverTime - Date.now();

/** The moment by the server's clock: a deadline is counted by it, not by the clock of this computer. */
export const now = () => Date.now() + ahead;
