/** What a case shows on a map: the tracks of its violations, the route with its corridor, the sites concerned. */

import * as L from "../../vendor/leaflet/leaflet.js";
import { h } from "../dom.js";
import { clock, number } from "../format.js";
import { city, place, ruleTitle } from "../reference.js";
import { colour } from "./base.js";

const METRES_A_DEGREE = 111_320;

/**
 * @param {any} map
 * @param {any[]} violations their full values
 */
export function drawViolations(map, violations) {
  const group = L.featureGroup().addTo(map);
  const corridors = [];
  for (const id of new Set(violations.map((one) => one.place?.route_id).filter(Boolean))) {
    const route = place("route", id);
    if (route) corridors.push(drawCorridor(group, route));
  }
  const fit = () => { for (const { line, corridor_m } of corridors) line.setStyle({ weight: corridorPixels(map, corridor_m) }); };
  map.on("zoomend", fit);
  for (const id of new Set(violations.map((one) => one.place?.site_id).filter(Boolean))) drawReach(group, place("site", id), corridors);
  fit();
  const tracks = L.featureGroup().addTo(group);
  for (const one of violations) drawTrack(tracks, one);
  const end = () => { map.off("zoomend", fit); group.remove(); };
  return { end, bounds: tracks.getBounds(), group };
}

/** A line as wide as the corridor, which is kept to the ground when the map is zoomed. */
function drawCorridor(group, route) {
  const positions = L.geoJSON(route);
  const line = L.geoJSON(route, { style: { color: colour("map-corridor"), opacity: 0.3, lineCap: "butt" }, interactive: false }).addTo(group);
  positions.setStyle({ color: colour("map-corridor"), weight: 2, opacity: 1 }).addTo(group);
  return { line, corridor_m: route.properties.corridor_m };
}

/** A site with its reach, which exceeds its shape by the city's margin. */
function drawReach(group, site, corridors) {
  if (!site) return;
  const margin_m = city().site_margin_m;
  const shade = colour(`map-${site.properties.kind}`);
  const style = { color: shade, weight: 1.5, dashArray: "4 3", fillColor: shade, fillOpacity: 0.15, interactive: false };
  if (site.geometry.type === "Point") {
    const [lon, lat] = site.geometry.coordinates;
    L.circle([lat, lon], { ...style, radius: site.properties.radius_m + margin_m }).addTo(group);
    return;
  }
  const line = L.geoJSON(site, { style: { color: shade, opacity: 0.25, fill: false }, interactive: false }).addTo(group);
  corridors.push({ line, corridor_m: margin_m });
}

function corridorPixels(map, corridor_m) {
  const centre = map.getCenter();
  const metres_a_pixel = (METRES_A_DEGREE * 360 * Math.cos((centre.lat * Math.PI) / 180)) / map.options.crs.scale(map.getZoom());
  return Math.max(3, (2 * corridor_m) / metres_a_pixel);
}

function drawTrack(group, one) {
  const shade = colour(one.severity);
  const track = one.track ?? [];
  L.polyline(track.map(([, lon, lat]) => [lat, lon]), { color: shade, weight: 2.5, opacity: 0.9 }).addTo(group);
  for (const [time_ms, lon, lat, speed_kmh] of track) {
    const speed = speed_kmh === null || speed_kmh === undefined ? "" : ` · ${number(speed_kmh)} km/h`;
    L.circleMarker([lat, lon], { radius: 2.5, color: colour("ground"), weight: 0.75, fillColor: shade, fillOpacity: 1 })
      .bindTooltip(h("span", {}, `${clock(time_ms)}${speed}`)).addTo(group);
  }
  L.circleMarker([one.lat, one.lon], { radius: 8, color: shade, weight: 2.5, fillColor: shade, fillOpacity: 0.25 })
    .bindTooltip(h("b", {}, ruleTitle(one.rule))).addTo(group);
}
