/** Districts, zones, routes and sites of the city, as layers that can be shown and hidden. */

import * as L from "../../vendor/leaflet/leaflet.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { city } from "../reference.js";
import { colour, followTheme } from "./base.js";

/** In the order in which they are drawn. */
export const LAYERS = ["district", "zone", "route", "construction", "disposal", "transfer", "parking"];
const LABELS_FROM_ZOOM = 12.5;

/** Sites are layers by kind. */
const layerOf = ({ layer, kind }) => (layer === "site" ? kind : layer);

/**
 * @param {any} map
 * @param {(feature: any) => any[]} describe what is shown of a feature when it is pointed at
 */
export function addCity(map, describe = described) {
  /** @type {Record<string, any>} */
  const layers = {};
  const dots = Object.fromEntries(LAYERS.map((name) => [name, L.layerGroup()]));
  for (const name of LAYERS) {
    layers[name] = L.geoJSON((city()?.features ?? []).filter((one) => layerOf(one.properties) === name), {
      style: (feature) => styleOf(feature.properties),
      pointToLayer: (feature, at) => L.circle(at, { radius: feature.properties.radius_m }),
      interactive: name !== "district",
      onEachFeature: (feature, layer) => {
        // Seen from afar, a site is a dot.
        if (feature.properties.layer === "site") dots[name].addLayer(dot(layer, feature.properties));
        if (name !== "district") layer.bindTooltip(() => h("div", {}, describe(feature)), { sticky: true });
      },
    });
    layers[name].on("add", () => dots[name].addTo(map)).on("remove", () => dots[name].remove()).addTo(map);
  }
  const labels = districtLabels(map);
  followTheme(map, () => {
    for (const layer of Object.values(layers)) layer.setStyle((feature) => styleOf(feature.properties));
    for (const group of Object.values(dots)) group.eachLayer((one) => one.setStyle(one.options.styled()));
  });
  return { layers, labels };
}

/** Names and numbers as text nodes: they come from the city's files. */
function described(feature) {
  const { layer, kind, id, name, corridor_m, limit_kmh, hours } = feature.properties;
  return [
    h("b", {}, name || id), h("br"), t(kind ? `kind.${kind}` : `layer.${layer}`), name ? ` · ${id}` : null,
    corridor_m ? [h("br"), t("map.corridor", { corridor_m })] : null,
    limit_kmh ? [h("br"), t("map.limit", { limit_kmh })] : null,
    hours?.length && hours.join() !== "00:00-24:00" ? [h("br"), hours.join("、")] : null,
  ];
}

function dot(layer, { kind }) {
  const styled = () => ({ color: colour("map-land"), weight: 1, fillColor: colour(`map-${kind}`), fillOpacity: 1 });
  const at = layer.getBounds ? boundsOf(layer).getCenter() : layer.getLatLng();
  return L.circleMarker(at, { radius: 4, interactive: false, styled, ...styled() });
}

/** A circle knows its bounds only on a map. */
const boundsOf = (layer) => (layer instanceof L.Circle ? L.latLngBounds([layer.getLatLng()]) : layer.getBounds());

function styleOf({ layer, kind }) {
  const line = (name, weight, more = {}) => ({ color: colour(name), weight, opacity: 0.9, fill: false, ...more });
  const area = (name, more = {}) => line(name, 1.2, { fill: true, fillColor: colour(name), fillOpacity: 0.18, ...more });
  if (layer === "district") return line("map-border", 1.2, { fill: true, fillColor: colour("map-land"), fillOpacity: 1, dashArray: "5 4" });
  if (layer === "route") return line("map-route", 2, { opacity: 0.55 });
  if (layer === "zone") return area(kind === "no_go" ? "map-no-go" : "map-limit", { dashArray: "3 3", fillOpacity: 0.1 });
  return area(`map-${kind}`, { fillOpacity: 0.35 });
}

function districtLabels(map) {
  const group = L.layerGroup().addTo(map);
  for (const feature of city()?.features ?? []) {
    if (feature.properties.layer !== "district") continue;
    const icon = L.divIcon({ className: "district-name", html: h("span", {}, feature.properties.name), iconSize: null });
    L.marker(L.geoJSON(feature).getBounds().getCenter(), { icon, interactive: false, keyboard: false }).addTo(group);
  }
  const dim = () => map.getContainer().classList.toggle("near", map.getZoom() > LABELS_FROM_ZOOM);
  map.on("zoomend", dim);
  dim();
  return group;
}
