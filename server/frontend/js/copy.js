// `<button data-copy="text">` or `data-copy-from="#id"`: copies, and says so on the button for a moment.
import { each, say } from "./page.js";

/** Copies also where the page came by plain HTTP, as on many inner networks: there is no clipboard API there. */
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("copy was refused");
  return undefined;
}

export function startCopy() {
  each("[data-copy], [data-copy-from]", (button) =>
    button.addEventListener("click", async () => {
      const from = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
      const text = button.dataset.copy ?? from?.textContent.trim() ?? "";
      try {
        await copy(text);
        say("已复制");
      } catch {
        say("浏览器不允许复制，请选中文字后按 Ctrl+C。", "error");
      }
    }),
  );
}
