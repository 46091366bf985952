/** What is known of a case, in pairs. */

import { h } from "../dom.js";
import { brief, duration, moment } from "../format.js";
import { t } from "../i18n.js";
import { ENDED, isOverdue } from "../marks.js";
import { districtName } from "../reference.js";
import { address } from "../router.js";

export function facts(one) {
  const pairs = [
    ["truck", h("a", { href: address(["queue"], { q: one.truck_id, sort: "newest" }) }, one.truck_id)],
    ["company", one.company ? h("a", { href: address(["queue"], { q: one.company, sort: "newest" }) }, one.company) : "—"],
    ["district", [one.district, ...(one.districts ?? [])].filter((code, at, all) => code && all.indexOf(code) === at).map(districtName).join(t("list")) || "—"],
    ["started", moment(one.started_ms)],
    ["opened", moment(one.opened_ms)],
    ["handler", one.handler ?? "—"],
    ["squad", one.squad ?? "—"],
    ["officer", one.officer ?? "—"],
    ["due", due(one)],
    one.supervised_ms ? ["supervised", moment(one.supervised_ms)] : null,
    one.ended_ms ? ["ended", moment(one.ended_ms)] : null,
  ];
  return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) => [h("dt", {}, t(`fact.${name}`)), h("dd", {}, value)]));
}

function due(one) {
  if (one.due_ms === null) return "—";
  if (ENDED.has(one.state)) return moment(one.due_ms);
  const left = duration(one.due_ms - Date.now());
  const words = t(isOverdue(one) ? "due.since" : "due.in", { left });
  return [brief(one.due_ms), " ", h("span", { class: isOverdue(one) ? "late" : "dim" }, words)];
}
