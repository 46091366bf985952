/** The map of a case, and under it the truck's last hours to be played again. */

import { h } from "../dom.js";
import { t } from "../i18n.js";
import { makeMap } from "../map/base.js";
import { addCity } from "../map/city_layers.js";
import { drawViolations } from "../map/track.js";
import { Replay } from "./replay.js";

const CLOSEST_ZOOM = 14.75;

export class Scene {
  constructor() {
    this.canvas = h("div", { class: "map small", role: "application", "aria-label": t("case.map") });
    this.bar = h("div", { class: "replay" });
    this.element = h("section", { class: "scene" }, this.canvas, this.bar);
    this.drawn = null;
    this.versions = "";
  }

  /** The element stands in the page. */
  begin(said) {
    this.map = makeMap(this.canvas);
    addCity(this.map);
    this.replay = new Replay(this.map, this.bar);
    this.renew(said);
    const first_ms = Math.min(...said.violations.map((one) => one.started_ms), said.started_ms);
    const last_ms = Math.max(...said.violations.map((one) => one.ended_ms ?? one.detected_ms), first_ms);
    this.replay.load(said.truck_id, first_ms, last_ms);
  }

  /** Draw again where the violations have changed. */
  renew(said) {
    const versions = said.violations.map((one) => `${one.violation_id}${one.phase}${one.revision}`).join();
    if (versions === this.versions) return;
    const first = !this.drawn;
    this.versions = versions;
    this.drawn?.end();
    this.drawn = drawViolations(this.map, said.violations.map((one) => one.value));
    if (first && this.drawn.bounds.isValid()) this.map.fitBounds(this.drawn.bounds.pad(0.35), { maxZoom: CLOSEST_ZOOM, animate: false });
  }

  toggle() {
    this.replay?.toggle();
  }

  close() {
    this.replay?.close();
    this.map?.remove();
  }
}
