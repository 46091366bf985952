/** The filters above the queue; what is chosen stands in the address, so that it can be sent on. */

import { h } from "../dom.js";
import { either, t } from "../i18n.js";
import { SEVERITIES, STATES } from "../marks.js";
import { districts, rules, stateTitle } from "../reference.js";

export const NAMES = ["state", "severity", "rule", "district", "q", "overdue", "mine", "sort"];

/** @param {URLSearchParams} query */
export function chosen(query) {
  return Object.fromEntries(NAMES.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
}

/** What the API is asked for. */
export function asked(filters) {
  const { overdue, mine, sort, ...same } = filters;
  return { ...same, overdue: overdue ? "true" : "", mine: mine ? "true" : "", sort: sort ?? "queue" };
}

/**
 * @param {Record<string, string>} filters
 * @param {(filters: Record<string, string>) => void} onChange
 */
export function filterBar(filters, onChange) {
  const now = { ...filters };
  const set = (name, value) => {
    if (value) now[name] = value;
    else delete now[name];
    onChange({ ...now });
  };
  const choice = (name, pairs) => h("select", { "aria-label": t(`filter.${name}`), onchange: (event) => set(name, event.target.value) },
    h("option", { value: "" }, t(`filter.any-${name}`)),
    pairs.map(([value, text]) => h("option", { value, selected: now[name] === value }, text)));
  const tick = (name) => h("label", { class: "tick" },
    h("input", { type: "checkbox", checked: Boolean(now[name]), onchange: (event) => set(name, event.target.checked ? "1" : "") }),
    t(`filter.${name}`));
  return h("form", { class: "filters", role: "search", "aria-label": t("filter.title"), onsubmit: (event) => event.preventDefault() },
    search(now.q ?? "", (value) => set("q", value)),
    choice("state", STATES.map((state) => [state, stateTitle(state)])),
    choice("severity", SEVERITIES.map((one) => [one, t(`severity.${one}`)])),
    choice("rule", rules().map((rule) => [rule.id, either(rule, "title")])),
    choice("district", districts()),
    choice("sort", [["newest", t("filter.newest")]]),
    tick("overdue"), tick("mine"),
    Object.keys(now).length ? h("button", { type: "button", class: "plain", onclick: () => onChange({}, true) }, t("filter.none")) : null);
}

function search(value, onChange) {
  let timer = 0;
  const field = h("input", { type: "search", class: "q", value, placeholder: t("filter.q"), "aria-label": t("filter.q"), maxlength: 100 });
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => onChange(field.value.trim()), 300);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || event.key === "Enter") field.blur();
  });
  return field;
}
