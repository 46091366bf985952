/** What stands beside the map: who offends now, and the card of a truck with its cases. */

import { get } from "../api.js";
import { h, replace } from "../dom.js";
import { age, brief, number } from "../format.js";
import { t } from "../i18n.js";
import { SEVERITIES, severitySign, stateMark } from "../marks.js";
import { districtName, ruleTitle } from "../reference.js";
import { address } from "../router.js";

const MOST = 40;
const CASES = 8;

/** @param {HTMLElement} root @param {any[]} trucks @param {(truck_id: string) => void} onChoose */
export function offenders(root, trucks, onChoose) {
  // Whoever works with the keyboard keeps his place in the list.
  const focused = document.activeElement?.closest?.(".offenders button")?.getAttribute("data-id");
  const sorted = [...trucks].sort((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) || (one.truck_id < other.truck_id ? -1 : 1));
  replace(root, h("h2", {}, t("map.offenders"), h("small", { class: "dim" }, ` ${trucks.length}`)),
    h("ul", {}, sorted.slice(0, MOST).map((one) => h("li", {},
      h("button", { class: "plain", "data-id": one.truck_id, onclick: () => onChoose(one.truck_id) }, severitySign(one.severity), " ", one.truck_id),
      h("a", { href: address(["cases", one.case_id]) }, t("map.case"))))));
  if (focused) [...root.querySelectorAll("button")].find((one) => one.getAttribute("data-id") === focused)?.focus();
}

/**
 * @returns {(truck: any) => void} shows newer properties of the same truck
 */
export function truckCard(root, truck, onClose) {
  const facts = h("dl", { class: "facts" });
  const cases = h("div", {}, h("p", { class: "dim" }, t("loading")));
  const show = (now) => replace(facts, [
    ["speed", now.speed_kmh === null ? "—" : `${number(now.speed_kmh, 0)} km/h`],
    ["load", now.loaded === null ? t("truck.unknown") : t(now.loaded ? "truck.loaded" : "truck.empty")],
    ["district", districtName(now.district)],
    ["seen", t("map.ago", { age: age(now.time_ms) })],
  ].map(([name, value]) => [h("dt", {}, t(`fact.${name}`)), h("dd", {}, value)]));
  replace(root, h("header", {}, h("h2", {}, truck.truck_id), h("button", { class: "plain", "aria-label": t("close"), onclick: onClose }, "×")), facts, cases);
  show(truck);
  listCases(cases, truck.truck_id);
  return show;
}

async function listCases(root, truck_id) {
  try {
    const page = await get("cases", { truck: truck_id, sort: "newest", limit: CASES });
    replace(root, page.items.length
      ? h("ul", { class: "cases" }, page.items.map((one) => h("li", {}, h("a", { href: address(["cases", one.case_id]) },
        severitySign(one.severity), ` ${one.number} `, one.rules.map(ruleTitle).join(t("list"))), stateMark(one.state), h("small", { class: "dim" }, brief(one.started_ms)))))
      : h("p", { class: "dim" }, t("map.no-cases")));
  } catch (error) {
    replace(root, h("p", { class: "problem" }, error.message));
  }
}
