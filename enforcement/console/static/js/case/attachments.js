/** The files of a case: photos of a load, signed sheets. */

import { ROOT, send } from "../api.js";
import { h, replace } from "../dom.js";
import { bytes, moment } from "../format.js";
import { t } from "../i18n.js";
import { tell } from "../toasts.js";

const ALLOWED = ["image/jpeg", "image/png", "image/webp", "application/pdf", "video/mp4"];
const LONGEST_WAIT_MS = 180_000;
const MOST_BYTES = 10 * 1024 * 1024;

/**
 * @param {string} case_id
 * @param {any[]} attached
 * @param {boolean} may_add
 * @param {() => void} done
 */
export function attachments(case_id, attached, may_add, done) {
  const path = `cases/${encodeURIComponent(case_id)}/attachments`;
  return h("section", { class: "attachments", "aria-label": t("case.attachments") },
    h("h2", {}, t("case.attachments"), h("small", { class: "dim" }, ` ${attached.length}`)),
    h("ul", {}, attached.map((one) => h("li", {},
      h("a", { href: `${ROOT}${path}/${encodeURIComponent(one.attachment_id)}`, download: one.name }, one.name),
      h("small", { class: "dim" }, ` ${one.added_by} · ${moment(one.added_ms)}`)))),
    may_add ? upload(path, done) : null);
}

function upload(path, done) {
  const problem = h("span", { class: "problem", role: "alert" });
  const field = h("input", { class: "hidden", type: "file", "aria-label": t("case.attach"), accept: ALLOWED.join(",") });
  field.addEventListener("change", async () => {
    const file = field.files[0];
    if (!file) return;
    replace(problem);
    if (file.size > MOST_BYTES) return replace(problem, t("attach.too-large", { most: bytes(MOST_BYTES) }));
    if (!ALLOWED.includes(file.type)) return replace(problem, t("attach.not-allowed"));
    field.disabled = true;
    try {
      const headers = { "Content-Type": file.type, "Idempotency-Key": crypto.randomUUID() };
      await send("POST", path, { query: { name: file.name }, body: file, headers, wait_ms: LONGEST_WAIT_MS });
      tell(t("attach.done", { name: file.name }));
      done();
    } catch (error) {
      replace(problem, error.message);
    } finally {
      field.disabled = false;
      field.value = "";
    }
  });
  return h("div", { class: "upload" }, h("label", { class: "button" }, t("case.attach"), field), problem);
}
