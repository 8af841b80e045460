// Asks before something that matters: `data-confirm="确定退回？"` on a link, a button or a form, or htmx's `hx-confirm`.
// `data-dialog="id"` opens a <dialog> of the page, `data-close` inside it closes it.
import { each, make } from "./page.js";

let number = 0;

/** Shows a question and resolves to true or false. */
function ask(question, { title = "请确认", action = "确定", danger = false } = {}) {
  const dialog = make("dialog");
  if (typeof dialog.showModal !== "function") return Promise.resolve(window.confirm(question));
  const head = make("div", "dialog-head");
  const heading = make("h2", "", title);
  heading.id = `dialog-${(number += 1)}`;
  dialog.setAttribute("aria-labelledby", heading.id);
  head.append(heading);
  const foot = make("form", "dialog-foot");
  foot.method = "dialog";
  const no = make("button", "btn", "取消");
  no.value = "no";
  const yes = make("button", danger ? "btn primary danger" : "btn primary", action);
  yes.value = "yes";
  foot.append(no, yes);
  dialog.append(head, make("div", "dialog-body", question), foot);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    dialog.showModal();
    (danger ? no : yes).focus();
  });
}

const wording = ({ confirmTitle, confirmAction, confirmDanger }) => ({
  title: confirmTitle,
  action: confirmAction,
  danger: confirmDanger !== undefined,
});

export function startConfirm() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-confirm]");
    if (!link || event.defaultPrevented) return;
    event.preventDefault();
    if (await ask(link.dataset.confirm, wording(link.dataset))) window.location.assign(link.href);
  });

  // In the capturing phase: before the form is marked as busy and before htmx sends it.
  document.addEventListener(
    "submit",
    async (event) => {
      const form = event.target;
      const asking = [event.submitter, form].find((element) => element?.dataset.confirm);
      if (!asking || form.dataset.confirmed) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!(await ask(asking.dataset.confirm, wording(asking.dataset)))) return;
      form.dataset.confirmed = "yes";
      form.requestSubmit(event.submitter ?? undefined);
      delete form.dataset.confirmed;
    },
    true,
  );

  document.addEventListener("htmx:confirm", async (event) => {
    const { question, elt, issueRequest } = event.detail;
    if (!question) return;
    event.preventDefault();
    if (await ask(question, wording(elt.dataset))) issueRequest(true);
  });

  each("[data-dialog]", (opener) =>
    opener.addEventListener("click", (event) => {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (typeof dialog?.showModal !== "function") return;
      event.preventDefault();
      dialog.showModal();
    }),
  );

  each("dialog [data-close]", (closer) =>
    closer.addEventListener("click", (event) => {
      event.preventDefault();
      closer.closest("dialog").close();
    }),
  );
}
