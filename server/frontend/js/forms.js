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

// The browser's own complaints, in Chinese also where the browser is not.
const MISSING = { checkbox: "请勾选", radio: "请选择一项", file: "请选择文件", "select-one": "请选择" };

function complaintOf({ type, validity, min, max, minLength, maxLength }) {
  if (validity.valueMissing) return MISSING[type] ?? "请填写这一项";
  if (validity.badInput) return type === "number" ? "请填写数字" : "请填写完整";
  if (validity.rangeUnderflow) return `不能${type === "date" ? "早于" : "小于"} ${min}`;
  if (validity.rangeOverflow) return `不能${type === "date" ? "晚于" : "大于"} ${max}`;
  if (validity.tooShort) return `至少 ${minLength} 个字`;
  if (validity.tooLong) return `不超过 ${maxLength} 个字`;
  if (validity.stepMismatch) return "请填写整数";
  return "请核对这一项";
}

const complained = new Set();

function complain({ target }) {
  if (target.validity.customError) return;
  target.setCustomValidity(complaintOf(target));
  complained.add(target);
}

/** Complaints are made anew each time a form is sent: a choice made elsewhere in it may have settled them. */
function forget() {
  for (const control of complained) control.setCustomValidity("");
  complained.clear();
}

/** `data-one-of="text note"`: one control of these names has to be filled in, else `data-one-of-words` at the last. */
function oneOf(form) {
  const names = form.dataset.oneOf.split(" ");
  const controls = [...form.elements].filter((one) => names.includes(one.name));
  const filled = (one) => (one.type === "checkbox" ? one.checked : one.value.trim() !== "");
  const look = () => controls[controls.length - 1]?.setCustomValidity(controls.some(filled) ? "" : form.dataset.oneOfWords);
  form.addEventListener("input", look);
  form.addEventListener("click", look); // what the browser restored was never typed
  look();
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
  each("form[data-one-of]", oneOf);
  document.addEventListener("invalid", complain, true);
  document.addEventListener("input", forget);
  document.addEventListener("click", (event) => event.target.closest("button") && forget(), true);
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
