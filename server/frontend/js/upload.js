// The upload area: files are dropped or chosen, named with their size, refused in words before they travel, and seen to travel.
import { each, icon, make, sizeInWords } from "./page.js";

/** True when a file may be chosen by `accept` (".xlsx,image/*"); the server judges its content later. */
function isAccepted(file, accept) {
  const kinds = accept.toLowerCase().split(",").map((kind) => kind.trim()).filter(Boolean);
  if (!kinds.length) return true;
  return kinds.some((kind) => {
    if (kind.startsWith(".")) return file.name.toLowerCase().endsWith(kind);
    return kind.endsWith("/*") ? file.type.startsWith(kind.slice(0, -1)) : file.type === kind;
  });
}

function complaint(file, accept, limit) {
  if (!isAccepted(file, accept)) return `不是可收的文件类型（${accept.replaceAll(",", " ")}）`;
  if (file.size > limit) return `${sizeInWords(file.size)}，超过 ${sizeInWords(limit)}`;
  return file.size === 0 ? "文件是空的" : "";
}

function listFiles(area, input, limit) {
  const list = area.querySelector(".upload-files");
  const complaints = [];
  const rows = [...input.files].map((file) => {
    const wrong = complaint(file, input.accept, limit);
    if (wrong) complaints.push(`${file.name}：${wrong}`);
    const row = make("div", wrong ? "upload-file bad" : "upload-file");
    row.append(icon(wrong ? "error" : "file"), make("span", "upload-name", file.name));
    row.append(make("span", "upload-size", wrong || sizeInWords(file.size)));
    return row;
  });
  list.replaceChildren(...rows);
  input.setCustomValidity(complaints.join("\n"));
}

/** Takes dropped files as if they had been chosen; only the first where one is wanted. */
function drop(input, files) {
  const basket = new DataTransfer();
  for (const file of input.multiple ? files : [...files].slice(0, 1)) basket.items.add(file);
  input.files = basket.files;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Shows how far the bytes have got. htmx reports the way up first, the answer afterwards: only the first is shown. */
function followProgress(area, form) {
  const bar = area.querySelector("progress");
  const words = area.querySelector(".upload-percent");
  let arrived = false;
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented && !form.hasAttribute("hx-post")) return;
    arrived = false;
    area.classList.add("busy");
    bar.removeAttribute("value");
    words.textContent = "正在上传…";
  });
  form.addEventListener("htmx:xhr:progress", ({ detail }) => {
    if (arrived || !detail.lengthComputable || !detail.total) return;
    bar.value = detail.loaded / detail.total;
    arrived = detail.loaded >= detail.total;
    words.textContent = arrived ? "已送达，正在检查…" : `${Math.floor((100 * detail.loaded) / detail.total)}%`;
  });
  form.addEventListener("htmx:afterRequest", () => area.classList.remove("busy"));
  window.addEventListener("pageshow", () => area.classList.remove("busy"));
}

function prepare(area) {
  const input = area.querySelector("input[type=file]");
  const limit = Number(area.dataset.limit) || 20 * 1024 * 1024;
  const around = new Set();
  input.addEventListener("change", () => listFiles(area, input, limit));
  area.addEventListener("dragenter", (event) => {
    around.add(event.target);
    area.classList.add("over");
  });
  area.addEventListener("dragleave", (event) => {
    around.delete(event.target);
    if (!around.size) area.classList.remove("over");
  });
  area.addEventListener("dragover", (event) => event.preventDefault());
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    around.clear();
    area.classList.remove("over");
    if (event.dataTransfer.files.length) drop(input, event.dataTransfer.files);
  });
  if (input.files.length) listFiles(area, input, limit);
  if (input.form) followProgress(area, input.form);
}

export function startUpload() {
  each("[data-upload]", prepare);
  // A file dropped beside the area would make the browser leave the page and show the file.
  for (const kind of ["dragover", "drop"]) {
    window.addEventListener(kind, (event) => {
      if (document.querySelector("[data-upload]") && !event.target.closest?.("[data-upload]")) event.preventDefault();
    });
  }
}
