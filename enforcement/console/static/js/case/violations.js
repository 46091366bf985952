/** The violations of a case: what the system says, and what was measured against what. */

import { h, svg } from "../dom.js";
import { clock, day, duration, moment, number } from "../format.js";
import { either, has, t } from "../i18n.js";
import { SEVERITIES, severitySign } from "../marks.js";
import { placeName, ruleTitle } from "../reference.js";
import { comparisons } from "./comparisons.js";

const WIDTH = 180;
const HEIGHT = 14;

/** @param {any[]} violations with their full `value` */
export function violationList(violations) {
  return h("section", { class: "violations", "aria-label": t("case.violations") },
    h("h2", {}, t("case.violations"), h("small", { class: "dim" }, ` ${violations.length}`)),
    gravestFirst(violations).map((one) => article(one.value, one.grounds)));
}

/** What makes the case grave is seen without scrolling; among equals the first that began. */
function gravestFirst(violations) {
  const rank = ({ value: said }) => (said.phase === "withdrawn" ? SEVERITIES.length : SEVERITIES.indexOf(said.severity));
  return [...violations].sort((one, other) => rank(one) - rank(other) || one.value.started_ms - other.value.started_ms);
}

/** @param {any} said @param {any} grounds of one that is over: as it was before, with what was measured */
function article(said, grounds) {
  const ended = said.ended_ms ? `${until(said.started_ms, said.ended_ms)} · ${duration(said.ended_ms - said.started_ms)}` : t(said.phase === "occurred" ? "phase.occurred" : "phase.lasting");
  return h("article", { class: said.phase === "withdrawn" ? "withdrawn" : "" },
    h("h3", {}, severitySign(said.severity), " ", ruleTitle(said.rule), " ", h("small", { class: "dim" }, t(`phase.${said.phase}`))),
    h("p", { class: "message" }, either(said, "message")),
    grounds ? h("p", { class: "grounds" }, t("violation.then", { message: either(grounds, "message") })) : null,
    table(grounds ? joined(said, grounds) : said),
    h("p", { class: "dim when" }, `${moment(said.started_ms)} → ${ended}`, where(said.place ?? {})));
}

/** Without the day where it is the same. */
const until = (from_ms, to_ms) => (day(from_ms) === day(to_ms) ? clock(to_ms) : moment(to_ms));

/** What was measured at first, with how long it lasted in the end. */
function joined(said, grounds) {
  return { measured: { ...grounds.measured, ...said.measured }, threshold: { ...said.threshold, ...grounds.threshold } };
}

function table(said) {
  const { pairs, rest } = comparisons(said.measured ?? {}, said.threshold ?? {});
  if (!pairs.length && !rest.length) return null;
  return h("table", { class: "measured" },
    h("caption", { class: "hidden" }, t("case.measured")),
    h("thead", { class: "hidden" }, h("tr", {}, ["what", "measured", "limit", "bar"].map((name) => h("th", { scope: "col" }, t(`measured.${name}`))))),
    h("tbody", {},
      pairs.map((pair) => h("tr", {},
        h("th", { scope: "row" }, name(pair.name)), h("td", { class: "value" }, value(pair.name, pair.measured)),
        h("td", { class: "limit dim" }, `${name(pair.limit_name)} ${value(pair.limit_name, pair.limit)}`),
        h("td", {}, bar(pair)))),
      rest.map(([key, said_]) => h("tr", {}, h("th", { scope: "row" }, name(key)), h("td", { colspan: 3 }, value(key, said_))))));
}

/** How far what was measured is beyond its limit. */
function bar({ measured, limit, name: key }) {
  const most = Math.max(measured, limit) * 1.15 || 1;
  const at = (number_) => Math.max(0, Math.min(WIDTH, (number_ / most) * WIDTH));
  const beyond = Math.max(0, at(measured) - at(limit));
  return svg("svg", { class: "gauge", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": `${value(key, measured)} / ${value(key, limit)}` },
    svg("rect", { class: "ground", x: 0, y: 3, width: WIDTH, height: HEIGHT - 6, rx: 2 }),
    svg("rect", { class: "within", x: 0, y: 3, width: Math.min(at(measured), at(limit)), height: HEIGHT - 6, rx: 2 }),
    svg("rect", { class: "beyond", x: at(limit), y: 3, width: beyond, height: HEIGHT - 6, rx: 2 }),
    svg("line", { class: "limit", x1: at(limit), x2: at(limit), y1: 0, y2: HEIGHT }));
}

const name = (key) => (has(`value.${key}`) ? t(`value.${key}`) : key);

function value(key, said) {
  if (typeof said !== "number") return String(said);
  if (key.endsWith("_s")) return duration(said * 1000);
  const unit = Object.keys(UNITS).find((ending) => key.endsWith(ending));
  return unit ? `${number(said)} ${UNITS[unit]}` : number(said, 2);
}

const UNITS = { _kmh: "km/h", _kg: "kg", _m3: "m³", _m: "m" };

function where(place) {
  return [["site", place.site_id], ["route", place.route_id], ["zone", place.zone_id]]
    .filter(([, id]) => id)
    .map(([kind, id]) => ` · ${t(`layer.${kind}`)} ${placeName(kind, id)}`);
}
