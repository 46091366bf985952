/**
 * A map without anything on it: Leaflet, in the city's bounds, on canvas. Tiles only where the
 * server's page names an address for them.
 */

import * as L from "../../vendor/leaflet/leaflet.js";
import { city } from "../reference.js";
import { theme } from "../remembered.js";

const ROOM_PX = 16;

/** @param {HTMLElement} element */
export function makeMap(element) {
  const map = L.map(element, {
    preferCanvas: true, zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.5,
    wheelPxPerZoomLevel: 100, maxZoom: 19, minZoom: 8, fadeAnimation: false, boxZoom: false,
  });
  L.control.zoom({ position: "topright", zoomInTitle: "+", zoomOutTitle: "−" }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  addTiles(map);
  map.fitBounds(cityBounds() ?? [[30, 121], [30.1, 121.1]], { padding: [ROOM_PX, ROOM_PX] });
  const watcher = new ResizeObserver(() => map.invalidateSize({ pan: false }));
  watcher.observe(element);
  map.on("unload", () => watcher.disconnect());
  return map;
}

/** The address is said by the server in the page, as its policy allows it there alone. */
function addTiles(map) {
  const said = document.querySelector('meta[name="map-tiles"]')?.getAttribute("content");
  if (said) L.tileLayer(said, { maxZoom: 19, className: "tiles" }).addTo(map);
}

export function cityBounds() {
  const shapes = (city()?.features ?? []).filter((one) => one.properties.layer === "district");
  return shapes.length ? L.geoJSON(shapes).getBounds() : null;
}

/**
 * Call `restyle` at every change of the theme, once its colours are there, as long as the map is.
 * @param {any} map
 * @param {() => void} restyle
 */
export function followTheme(map, restyle) {
  let request = 0;
  const end = theme.watch(() => {
    cancelAnimationFrame(request);
    request = requestAnimationFrame(restyle);
  });
  map.on("unload", () => {
    end();
    cancelAnimationFrame(request);
  });
}

/** A colour of the theme. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
