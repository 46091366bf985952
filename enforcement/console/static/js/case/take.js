/**
 * Taking a step of a case: asks for what the step needs, sends it once whatever the line does, and
 * tells plainly when somebody else was faster. Used by the queue and by the page of a case.
 */

import { ApiError, get, post } from "../api.js";
import { ask } from "../dialogs.js";
import { fromLocal } from "../format.js";
import { either, t } from "../i18n.js";
import { ENDED, isOverdue } from "../marks.js";
import { step as stepOf, stateTitle } from "../reference.js";
import { remembered } from "../remembered.js";
import { tell, warn } from "../toasts.js";

/** Steps that cannot be taken back are asked for once more. */
const FINAL = new Set(["close", "verify", "void", "waive", "transfer"]);
const TRIES = 3;
const lastSquad = remembered("squad", "");

/**
 * @param {any} row the case as it was seen
 * @param {string} action
 * @param {() => void} done called when the case has changed, by us or by others
 */
export async function take(row, action, done) {
  const step = stepOf(action);
  if (!step) return;
  if (!step.sources.includes(row.state)) {
    warn(t("take.not-from", { step: either(step, "title"), state: stateTitle(row.state) }));
    return;
  }
  const send = async (values) => {
    try {
      await request(row, action, values);
    } catch (error) {
      // The form stays open for what can be put right in it.
      const words = await overtaken(row, error);
      if (!words) throw error;
      warn(words);
      done();
      return;
    }
    tell(t("take.done", { number: row.number, step: either(step, "title") }));
    done();
  };
  if (!step.needs.length && !FINAL.has(action)) return send({}).catch((error) => warn(error.message));
  ask({
    title: t("take.title", { step: either(step, "title"), number: row.number }),
    note: isOverdue(row) && !ENDED.has(row.state) ? t("take.overdue") : t(FINAL.has(action) ? "take.final" : "take.note", { truck: row.truck_id }),
    fields: step.needs.map((need) => field(need, row)),
    button: either(step, "title"),
    danger: action === "void",
    send: (values) => send(said(values)),
  });
}

function field(need, row) {
  const label = t(`need.${need}`);
  if (need === "findings" || need === "reason") return { name: need, label, kind: "area", required: true, maxlength: 4000 };
  if (need === "until_ms") return { name: need, label, kind: "datetime-local", required: true, hint: t("need.until-hint") };
  return { name: need, label, required: true, maxlength: 100, value: need === "squad" ? row.squad ?? lastSquad.get() : "" };
}

function said(values) {
  if (values.squad) lastSquad.set(values.squad.trim());
  if (!values.until_ms) return values;
  return { ...values, until_ms: fromLocal(values.until_ms) };
}

/** The same key at every try, so that a step is taken once however often it arrives. */
async function request(row, action, values) {
  const headers = { "If-Match": `"${row.version}"`, "Idempotency-Key": crypto.randomUUID() };
  for (let tries = 1; ; tries++) {
    try {
      return await post(`cases/${encodeURIComponent(row.case_id)}/actions/${action}`, values, headers);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 0 || tries === TRIES) throw error;
    }
  }
}

/** Who was faster, in words; null where it failed for another reason. */
async function overtaken(row, error) {
  if (!(error instanceof ApiError) || (error.status !== 409 && error.status !== 412)) return null;
  try {
    const now = await get(`cases/${encodeURIComponent(row.case_id)}`);
    if (now.version === row.version) return null;
    const who = now.handler ? t("take.by", { who: now.handler }) : "";
    return t("take.overtaken", { number: now.number, state: stateTitle(now.state), who });
  } catch {
    return error.message;
  }
}
