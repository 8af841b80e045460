// `<time datetime="…" data-countdown="2024-12-27T12:00:00+08:00">`: 距截止 1小时20分, counted by the server's clock.
import { each, now } from "./page.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SOON = 2 * HOUR;

/** A length of time in words; seconds only when few are left. */
export function lengthInWords(length) {
  if (length < MINUTE) return `${Math.floor(length / 1000)}秒`;
  if (length < 10 * MINUTE) return `${Math.floor(length / MINUTE)}分${Math.floor((length % MINUTE) / 1000)}秒`;
  if (length < HOUR) return `${Math.floor(length / MINUTE)}分钟`;
  if (length < DAY) return `${Math.floor(length / HOUR)}小时${Math.floor((length % HOUR) / MINUTE)}分`;
  return `${Math.floor(length / DAY)}天${Math.floor((length % DAY) / HOUR)}小时`;
}

function show(time, deadline) {
  const left = deadline - now();
  time.textContent = left >= 0 ? `距截止 ${lengthInWords(left)}` : `已过截止 ${lengthInWords(-left)}`;
  const around = time.closest(".countdown");
  around?.classList.toggle("soon", left >= 0 && left < SOON);
  around?.classList.toggle("over", left < 0);
}

export function startCountdown() {
  each("[data-countdown]", (time) => {
    const deadline = Date.parse(time.dataset.countdown);
    if (Number.isNaN(deadline)) return;
    time.title ||= time.textContent.trim();
    show(time, deadline);
    const clock = setInterval(() => (time.isConnected ? show(time, deadline) : clearInterval(clock)), 1000);
  });
}
