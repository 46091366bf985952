/** The city and its trucks as they move; who offends stands out; a truck leads to its cases. */

import { get } from "../api.js";
import { h, replace, setText } from "../dom.js";
import { clock } from "../format.js";
import { t } from "../i18n.js";
import { bind } from "../keys.js";
import { makeMap, cityBounds } from "../map/base.js";
import { addCity, LAYERS } from "../map/city_layers.js";
import { offenders, truckCard } from "../map/panel.js";
import { TruckLayer } from "../map/trucks.js";
import { remembered } from "../remembered.js";
import { note } from "../router.js";

const LOOK_EVERY_MS = 3_000;
const LOOK_AGAIN_MS = 6_000;
const CLOSE_ZOOM = 15;

const hiddenLayers = remembered("map.hidden", "parking");

/** @type {import("../views.js").View} */
export function openMap(root, place) {
  const view = new MapView(root);
  view.begin(place.query.get("truck") ?? "");
  return () => view.close();
}

class MapView {
  constructor(root) {
    this.root = root;
    this.element = h("div", { class: "map", role: "application", "aria-label": t("map.title"), tabindex: "0" });
    this.status = h("p", { class: "status", role: "status" });
    this.card = h("section", { class: "card", "aria-live": "polite" });
    this.list = h("section", { class: "offenders" });
    this.search = h("input", { type: "search", class: "q", placeholder: t("map.find"), "aria-label": t("map.find"), maxlength: 64, list: "trucks" });
    this.endings = [];
    this.features = [];
  }

  begin(truck_id) {
    replace(this.root, this.element, h("aside", { class: "panel" },
      h("form", { role: "search", onsubmit: (event) => { event.preventDefault(); this.find(this.search.value.trim()); } }, this.search),
      this.status, this.card, this.list, h("section", { class: "layers" }, h("h2", {}, t("map.layers")), this.switches())));
    this.map = makeMap(this.element);
    this.city = addCity(this.map);
    this.trucks = new TruckLayer().addTo(this.map);
    this.hide(hiddenLayers.get().split(","));
    this.map.on("click", (event) => this.pick(this.trucks.at(event.containerPoint)));
    this.map.on("mousemove", (event) => { this.element.classList.toggle("over", Boolean(this.trucks.at(event.containerPoint))); });
    this.wanted = truck_id;
    this.endings.push(bind("keys.map", [
      { keys: ["/"], text: "map.find", run: () => this.search.focus() },
      { keys: ["f"], text: "map.whole", run: () => this.map.fitBounds(cityBounds() ?? this.map.getBounds(), { animate: false }) },
      { keys: ["Escape"], text: "map.release", run: () => this.pick(null) },
    ]));
    this.look();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    for (const end of this.endings) end();
    this.map.remove();
  }

  /** Again and again; less often where the answer takes long, not at all while nobody looks. */
  async look() {
    const began_ms = performance.now();
    let pause_ms = LOOK_EVERY_MS;
    try {
      if (!document.hidden) await this.read();
    } catch (error) {
      pause_ms = LOOK_AGAIN_MS;
      if (!this.closed) setText(this.status, error.message);
    }
    if (this.closed) return;
    const took_ms = performance.now() - began_ms;
    this.timer = setTimeout(() => this.look(), Math.max(pause_ms, 2 * took_ms));
  }

  async read() {
    const said = await get("trucks/live");
    if (this.closed) return;
    this.features = said.features;
    this.trucks.update(said.features, LOOK_EVERY_MS);
    const bad = said.features.filter((one) => one.properties.severity).map((one) => one.properties);
    setText(this.status, t("map.status", { trucks: said.features.length, offenders: bad.length, at: clock(said.at_ms) }));
    offenders(this.list, bad, (truck_id) => this.find(truck_id));
    if (this.wanted) this.find(this.wanted);
    this.wanted = "";
    const chosen = this.features.find((one) => one.properties.truck_id === this.trucks.chosen);
    if (chosen) this.live?.(chosen.properties);
  }

  find(text) {
    if (!text) return;
    const same = this.features.find((one) => one.properties.truck_id === text);
    const found = same ?? this.features.find((one) => one.properties.truck_id.toLowerCase().includes(text.toLowerCase()));
    if (!found) return replace(this.card, h("p", { class: "problem" }, t("map.unknown", { truck: text })));
    this.pick(found.properties);
    this.map.setView(this.trucks.whereIs(found.properties.truck_id), Math.max(this.map.getZoom(), CLOSE_ZOOM), { animate: false });
  }

  pick(truck) {
    this.trucks.choose(truck?.truck_id ?? "");
    note(["map"], truck ? { truck: truck.truck_id } : {});
    if (!truck) return replace(this.card);
    this.live = truckCard(this.card, truck, () => this.pick(null));
  }

  switches() {
    const hidden = new Set(hiddenLayers.get().split(","));
    const flip = (name, shown) => {
      if (shown) hidden.delete(name);
      else hidden.add(name);
      hiddenLayers.set([...hidden].filter(Boolean).join(","));
      this.hide([...hidden]);
    };
    return [...LAYERS.slice(1), "loaded", "empty"].map((name) => h("label", { class: "tick" },
      h("input", { type: "checkbox", checked: !hidden.has(name), onchange: (event) => flip(name, event.target.checked) }),
      h("i", { class: `swatch ${name}` }), t(`show.${name}`)));
  }

  hide(names) {
    for (const name of LAYERS.slice(1)) {
      const layer = this.city.layers[name];
      if (names.includes(name)) layer.remove();
      else layer.addTo(this.map);
    }
    this.trucks.hidden = { loaded: names.includes("loaded"), empty: names.includes("empty") };
    this.trucks.draw();
  }
}
