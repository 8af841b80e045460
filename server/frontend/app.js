// Sugar for the pages. Every page works without it; nothing here decides anything.
import htmx from "htmx.org";

import { startConfirm } from "./js/confirm.js";
import { startCopy } from "./js/copy.js";
import { startCountdown } from "./js/countdown.js";
import { startForms } from "./js/forms.js";
import { startHtmx } from "./js/htmx.js";
import { startKeys } from "./js/keys.js";
import { startTables } from "./js/tables.js";
import { startUpload } from "./js/upload.js";

document.documentElement.classList.add("js");
window.htmx = htmx;

for (const start of [
  startConfirm,
  startCopy,
  startCountdown,
  startForms,
  startHtmx,
  startKeys,
  startTables,
  startUpload,
]) {
  start();
}
