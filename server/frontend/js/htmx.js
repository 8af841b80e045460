// htmx: what it cannot do is said in words, never silently dropped.
import { say } from "./page.js";

const REASONS = {
  401: "登录已过期，请重新登录。",
  403: "没有权限做这一步。",
  404: "没有找到这条记录，可能已被移走。请刷新页面。",
  409: "这条记录刚被别人改过。请刷新页面，看过新内容后再做。",
  412: "这条记录刚被别人改过。请刷新页面，看过新内容后再做。",
  413: "文件太大，单个文件不能超过 20 MB。",
  428: "页面已旧，请刷新后再做。",
  429: "操作太频繁，请稍等片刻再试。",
};

export function startHtmx() {
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    say(REASONS[status] ?? `没有办成：服务器回答 ${status}。请稍后再试，或告诉管理员。`, "error");
  });
  document.addEventListener("htmx:sendError", () => say("没有送到服务器：网络不通。内容还在本页，请稍后再试。", "error"));
  document.addEventListener("htmx:timeout", () => say("服务器没有及时回答，请稍后再试。", "error"));
}
