/** The button that makes the package of evidence and hands it to the browser's downloads. */

import { send } from "../api.js";
import { h, setText } from "../dom.js";
import { t } from "../i18n.js";
import { language } from "../remembered.js";
import { tell, warn } from "../toasts.js";

const KEPT_MS = 60_000;
/** Positions are looked up and judged again for it. */
const LONGEST_WAIT_MS = 180_000;

export function evidenceButton(one) {
  const button = h("button", { onclick: () => fetchPackage(one, button) }, t("case.evidence"));
  return button;
}

async function fetchPackage(one, button) {
  button.disabled = true;
  setText(button, t("evidence.making"));
  try {
    const response = await send("POST", `cases/${encodeURIComponent(one.case_id)}/evidence`, {
      query: { language: language.get() }, headers: { Accept: "application/zip" }, wait_ms: LONGEST_WAIT_MS,
    });
    const address = URL.createObjectURL(await response.blob());
    h("a", { href: address, download: `evidence-${one.number}.zip` }).click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
    tell(t("evidence.done", { number: one.number }));
  } catch (error) {
    warn(error.message);
  } finally {
    button.disabled = false;
    setText(button, t("case.evidence"));
  }
}
