/** What is counted: rates, rules with their measured precision, districts, days, the ranking. */

import { get } from "../api.js";
import { bars } from "../charts/bars.js";
import { columns } from "../charts/columns.js";
import { h, replace } from "../dom.js";
import { day, number, percent } from "../format.js";
import { t } from "../i18n.js";
import { SEVERITIES } from "../marks.js";
import { districtName, districts, ruleTitle, stateTitle } from "../reference.js";
import { address, note } from "../router.js";

const DAY_MS = 86_400_000;
const DAYS = ["1", "7", "30", "90", "365"];
const OPEN = ["new", "accepted", "dispatched", "handled", "verified"];
const LISTED = 12;

/** @type {import("../views.js").View} */
export async function openFigures(root, place) {
  const asked = { days: place.query.get("days") ?? "30", district: place.query.get("district") ?? "", of: "companies", order: "black" };
  if (!DAYS.includes(asked.days)) asked.days = "30";
  const body = h("div", { class: "figures" });
  const show = async () => {
    note(["figures"], { days: asked.days, district: asked.district });
    try {
      replace(body, await content(asked, show));
    } catch (error) {
      replace(body, h("p", { class: "problem" }, error.message));
    }
  };
  const choice = (name, pairs) => h("select", { "aria-label": t(`figures.${name}`), onchange: (event) => { asked[name] = event.target.value; show(); } },
    pairs.map(([value, text]) => h("option", { value, selected: value === asked[name] }, text)));
  replace(root, h("div", { class: "page" },
    h("header", {}, h("h1", {}, t("nav.figures")), h("span", { class: "filters" },
      choice("days", DAYS.map((days) => [days, t("figures.last", { days })])), choice("district", [["", t("filter.any-district")], ...districts()]))),
    body));
  await show();
  return () => {};
}

async function content(asked, show) {
  const to_ms = Date.now();
  const period = { from_ms: to_ms - Number(asked.days) * DAY_MS, to_ms };
  const [said, counts, ranking] = await Promise.all([
    get("figures", { ...period, district: asked.district }), get("cases/counts"),
    get("figures/ranking", { ...period, of: asked.of, order: asked.order, limit: LISTED }),
  ]);
  return [
    tiles(said.total),
    columns("days", t("figures.by-day"), [{ name: t("figures.opened"), class: "first" }, { name: t("figures.ended"), class: "second" }],
      everyDay(period, said.by_day), 780),
    columns("hours", t("figures.by-hour"), [{ name: t("figures.opened"), class: "first" }],
      said.by_hour.map((count, hour) => ({ label: String(hour), values: [count] })), 370),
    rules(said.by_rule),
    h("div", { class: "stack" },
      bars(t("figures.by-severity"), SEVERITIES.map((one) => ({ name: t(`severity.${one}`), parts: [{ value: said.by_severity[one] ?? 0, class: one, title: t(`severity.${one}`) }] }))),
      bars(t("figures.by-state"), OPEN.map((state) => ({ name: stateTitle(state), href: address(["queue"], { state }), parts: [{ value: counts[state], class: "first", title: stateTitle(state) }] })))),
    byDistrict(said.by_district),
    list(ranking.items, asked, show),
  ];
}

/** Days on which nothing happened too. */
function everyDay({ from_ms, to_ms }, tallies) {
  const known = new Map(tallies.map((one) => [one.day, one]));
  const days = new Set();
  for (let ms = from_ms + DAY_MS / 2; ms < to_ms; ms += DAY_MS / 2) days.add(day(ms));
  days.add(day(to_ms));
  return [...days].map((name) => ({ label: name.slice(5), values: [known.get(name)?.opened ?? 0, known.get(name)?.ended ?? 0] }));
}

const shares = (part, whole) => `${number(part)} / ${number(whole)}`;

function tiles(total) {
  const tile = (name, value, detail) => h("div", { class: "tile" }, h("span", { class: "dim" }, t(`figures.${name}`)), h("b", {}, value), h("small", { class: "dim" }, detail));
  return h("section", { class: "tiles", "aria-label": t("figures.rates") },
    tile("cases", number(total.cases), t("figures.void-too", { count: number(total.void) })),
    tile("filing-rate", percent(total.filing_rate), shares(total.filed, total.cases)),
    tile("closure-rate", percent(total.closure_rate), shares(total.concluded, total.filed)),
    tile("in-time-rate", percent(total.in_time_rate, 2), shares(total.in_time, total.due - total.deferred)));
}

function rules(tallies) {
  const shown = tallies.filter((one) => one.violations).sort((one, other) => other.violations - one.violations);
  return bars(t("figures.by-rule"), shown.map((one) => ({
    name: ruleTitle(one.rule),
    href: address(["queue"], { rule: one.rule }),
    parts: [
      { value: one.confirmed, class: "confirmed", title: t("figures.confirmed") },
      { value: one.void, class: "void", title: t("figures.void") },
      { value: one.violations - one.confirmed - one.void, class: "undecided", title: t("figures.undecided") },
    ],
    note: percent(one.precision),
  })));
}

function byDistrict(tallies) {
  const names = ["cases", "filing-rate", "closure-rate", "in-time-rate"];
  return h("figure", { class: "chart" }, h("figcaption", {}, t("figures.by-district")),
    h("table", { class: "plain-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("filter.district")), names.map((name) => h("th", { scope: "col", class: "number" }, t(`figures.${name}`))))),
      h("tbody", {}, tallies.map((one) => h("tr", {}, h("th", { scope: "row" }, districtName(one.district)),
        [number(one.cases), percent(one.filing_rate), percent(one.closure_rate), percent(one.in_time_rate)].map((text) => h("td", { class: "number" }, text)))))));
}

function list(items, asked, show) {
  const flip = (name, values) => h("span", { class: "flip" }, values.map((value) =>
    h("button", { class: "plain", "aria-pressed": String(asked[name] === value), onclick: () => { asked[name] = value; show(); } }, t(`figures.${value}`))));
  const names = ["score", "confirmed", "pending", "points"];
  return h("figure", { class: "chart" }, h("figcaption", {}, t("figures.ranking"), flip("of", ["companies", "trucks"]), flip("order", ["black", "red"])),
    h("table", { class: "plain-table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "#"), h("th", { scope: "col" }, t(`figures.${asked.of}`)), names.map((name) => h("th", { scope: "col", class: "number" }, t(`figures.${name}`))))),
      h("tbody", {}, items.map((one, at) => h("tr", {}, h("td", { class: "dim" }, String(at + 1)),
        h("th", { scope: "row" }, h("a", { href: address(["queue"], { q: one.name, sort: "newest" }) }, one.name), one.company ? h("small", { class: "dim" }, ` ${one.company}`) : null),
        names.map((name) => h("td", { class: "number" }, number(one[name]))))))));
}
