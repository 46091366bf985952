/** Short words at the edge of the page: what was done, what went wrong. */

import { h } from "./dom.js";
import { t } from "./i18n.js";

const SHOWN_MS = 6_000;
const SHOWN_MS_BAD = 15_000;
const MOST = 4;

export const tell = (text) => show(text, "good", SHOWN_MS);
export const warn = (text) => show(text, "bad", SHOWN_MS_BAD);

function show(text, kind, shown_ms) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const toast = h("div", { class: `toast ${kind}` }, h("span", {}, text));
  const close = h("button", { class: "plain", "aria-label": t("close"), onclick: () => toast.remove() }, "×");
  toast.append(close);
  place.append(toast);
  while (place.children.length > MOST) place.firstElementChild?.remove();
  setTimeout(() => toast.remove(), shown_ms);
}
