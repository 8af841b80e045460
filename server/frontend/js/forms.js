// Forms: what was typed is not lost by leaving, nothing is sent twice by an impatient hand, long texts count themselves.
import { each } from "./page.js";

/** `data-guard`: leaving the page with unsaved changes is asked about. */
function guard(form) {
  let changed = false;
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  form.addEventListener("reset", () => (changed = false));
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt === form) changed = !event.detail.successful;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!changed || !form.isConnected) return;
    event.preventDefault();
    event.returnValue = "";
  });
}

const isSentByHtmx = (form) => form.matches("[hx-post], [hx-put], [hx-patch], [hx-delete], [hx-get]");

/** A form that is on its way is not sent again. */
function stopSecond(event) {
  if (!event.target.dataset.sent) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Marks the pressed button as busy. Only marks: a disabled button would not send its own name and value. */
function markBusy(event) {
  const form = event.target;
  const posts = form.getAttribute("method")?.toLowerCase() === "post" && form.target !== "_blank";
  if (!isSentByHtmx(form) && (event.defaultPrevented || !posts)) return;
  form.dataset.sent = "yes";
  const button = event.submitter ?? form.querySelector("button:not([type=button])");
  button?.setAttribute("aria-busy", "true");
  // A download leaves the page where it is: the form may be sent again after a while.
  setTimeout(() => release(form), 8000);
}

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
}

/** `data-count` on a textarea with a maxlength: 已写 12 / 200 字 beside its label. */
function count(area) {
  const limit = area.maxLength;
  const counter = document.createElement("span");
  counter.className = "counter";
  const show = () => (counter.textContent = limit > 0 ? `${area.value.length} / ${limit} 字` : `${area.value.length} 字`);
  area.before(counter);
  area.addEventListener("input", show);
  show();
}

/** `data-check-all="unit"`: ticks every box of that name in the same form or table. */
function checkAll(box) {
  const around = box.closest("form, table") ?? document;
  const boxes = () => [...around.querySelectorAll(`input[type=checkbox][name="${box.dataset.checkAll}"]`)];
  const visible = () => boxes().filter((one) => !one.disabled && !one.closest("[hidden]"));
  box.addEventListener("change", () => {
    for (const one of visible()) one.checked = box.checked;
  });
  around.addEventListener("change", () => {
    const all = visible();
    const ticked = all.filter((one) => one.checked).length;
    box.checked = all.length > 0 && ticked === all.length;
    box.indeterminate = ticked > 0 && ticked < all.length;
  });
}

export function startForms() {
  each("form[data-guard]", guard);
  each("textarea[data-count]", count);
  each("[data-check-all]", checkAll);
  // `data-submit`: a choice in a filter is carried out at once; without a script its button does it.
  each("select[data-submit]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));
  document.addEventListener("submit", stopSecond, true);
  document.addEventListener("submit", markBusy);
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest?.("form");
    if (form) release(form);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
}
