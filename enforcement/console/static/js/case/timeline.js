/** Who did what and when: the audit trail of a case, the latest first. */

import { h } from "../dom.js";
import { moment } from "../format.js";
import { has, t } from "../i18n.js";
import { actionTitle, ruleTitle, stateTitle } from "../reference.js";

export function timeline(entries) {
  return h("section", { class: "timeline", "aria-label": t("case.timeline") },
    h("h2", {}, t("case.timeline"), h("small", { class: "dim" }, ` ${entries.length}`)),
    h("ol", {}, [...entries].reverse().map(item)));
}

function item(entry) {
  const moved = entry.to_state && entry.from_state !== entry.to_state;
  return h("li", { class: entry.who === "system" ? "system" : "person" },
    h("time", {}, moment(entry.at_ms)),
    h("span", {}, h("b", {}, actionTitle(entry.action)), " ", h("span", { class: "who" }, entry.who === "system" ? t("who.system") : entry.who),
      moved ? h("span", { class: "dim" }, ` ${entry.from_state ? `${stateTitle(entry.from_state)} → ` : "→ "}${stateTitle(entry.to_state)}`) : null),
    entry.why ? h("p", {}, entry.why) : null,
    details(entry.details));
}

function details(said) {
  const pairs = Object.entries(said ?? {}).filter(([name, value]) => has(`detail.${name}`) && value !== null);
  if (!pairs.length) return null;
  return h("p", { class: "details" }, pairs.map(([name, value], at) => [at ? " · " : "", h("span", { class: "dim" }, `${t(`detail.${name}`)} `), shown(name, value)]));
}

function shown(name, value) {
  if (name === "rule") return ruleTitle(value);
  if (name.endsWith("_ms")) return moment(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
