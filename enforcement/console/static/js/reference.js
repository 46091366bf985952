/** What cases refer to: rules, steps, and the city in force; fetched once a session, and their names. */

import { get } from "./api.js";
import { setZone } from "./format.js";
import { either, has, t } from "./i18n.js";

/** @type {{rules: Map<string, any>, steps: Map<string, any>, states: Map<string, any>, city: any, districts: Map<string, string>, places: Map<string, any>}} */
const known = { rules: new Map(), steps: new Map(), states: new Map(), city: null, districts: new Map(), places: new Map() };

export async function loadReference() {
  const [rules, steps, city] = await Promise.all([get("rules"), get("steps"), get("city").catch(withoutCity)]);
  known.rules = new Map(rules.items.map((rule) => [rule.id, rule]));
  known.steps = new Map(steps.steps.map((one) => [one.action, one]));
  known.states = new Map(steps.states.map((one) => [one.state, one]));
  takeCity(city);
}

/** A console can be used before a city is in force. */
function withoutCity(error) {
  if (error.status === 404 || error.status === 503) return null;
  throw error;
}

function takeCity(city) {
  known.city = city;
  known.districts = new Map();
  known.places = new Map();
  for (const feature of city?.features ?? []) {
    const { layer, id, name } = feature.properties;
    if (layer === "district") known.districts.set(id, name);
    known.places.set(`${layer}/${id}`, feature);
  }
  if (city?.timezone) setZone(city.timezone);
}

export const city = () => known.city;
export const rules = () => [...known.rules.values()];
export const step = (action) => known.steps.get(action);
export const districts = () => [...known.districts];

/** @param {"district" | "site" | "route" | "zone"} layer */
export const place = (layer, id) => known.places.get(`${layer}/${id}`);
export const placeName = (layer, id) => place(layer, id)?.properties.name ?? id;

export function ruleTitle(id) {
  const rule = known.rules.get(id);
  return rule ? either(rule, "title") : id;
}

export const districtName = (code) => (code ? known.districts.get(code) ?? code : "—");

export function stateTitle(state) {
  const found = known.states.get(state);
  return found ? either(found, "title") : state ?? "—";
}

/** Of an entry of the audit trail: a step that people take, or what the system did. */
export function actionTitle(action) {
  const found = step(action);
  if (found) return either(found, "title");
  return has(`did.${action}`) ? t(`did.${action}`) : action;
}
