/** Small marks that many views show: severity by colour and sign, state, overdue, supervised. */

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { stateTitle } from "./reference.js";

/** From the gravest on; told by shape as well as by colour. */
export const SEVERITIES = ["critical", "major", "minor", "lead"];
export const STATES = ["new", "accepted", "dispatched", "handled", "verified", "closed", "void", "waived", "transferred"];
export const ENDED = new Set(["closed", "void", "waived", "transferred"]);
const SIGNS = { critical: "◆", major: "▲", minor: "●", lead: "○" };

export const severitySign = (severity) => h("span", { class: `severity ${SEVERITIES.includes(severity) ? severity : ""}`, role: "img",
  "aria-label": t(`severity.${severity}`), title: t(`severity.${severity}`) }, SIGNS[severity] ?? "·");

export const severityMark = (severity) => h("span", { class: `mark severity ${severity}` },
  `${SIGNS[severity] ?? ""} ${t(`severity.${severity}`)}`);

export const stateMark = (state) => h("span", { class: `mark state ${state}` }, stateTitle(state));

export const isOverdue = (row, now_ms = Date.now()) => row.due_ms !== null && !ENDED.has(row.state) && row.due_ms < now_ms;

export function urgencyMarks(row) {
  return [
    isOverdue(row) ? h("span", { class: "mark overdue" }, t("mark.overdue")) : null,
    row.supervised_ms && !ENDED.has(row.state) ? h("span", { class: "mark supervised" }, t("mark.supervised")) : null,
    row.deferred ? h("span", { class: "mark" }, t("mark.deferred")) : null,
  ];
}
