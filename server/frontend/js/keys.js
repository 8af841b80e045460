// The keyboard: `/` goes to the search box, Escape closes what is open. Also: printing, and closing messages.
import { each } from "./page.js";

const isTyping = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

function openBoxes() {
  return [...document.querySelectorAll("details.who[open], details[data-menu][open]")];
}

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      openBoxes().forEach((box) => {
        box.open = false;
        box.querySelector("summary")?.focus();
      });
      const nav = document.getElementById("nav-open");
      if (nav?.checked) nav.checked = false;
    }
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const boxes = [...document.querySelectorAll("[data-search], [data-filter]")];
    const box = boxes.find((one) => one.offsetParent !== null);
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });

  document.addEventListener("click", (event) => {
    for (const box of openBoxes()) if (!box.contains(event.target)) box.open = false;
  });

  each("[data-print]", (button) => button.addEventListener("click", () => window.print()));
  // `data-put-away`: hides the part of the page it stands in, until htmx brings another.
  each("[data-put-away]", (button) => button.addEventListener("click", () => (button.closest("section").hidden = true)));
  each(".flash [data-dismiss]", (button) => {
    button.addEventListener("click", () => button.closest(".flash").remove());
  });
}
