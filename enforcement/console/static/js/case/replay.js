/** The truck's last hours again: a slider, play and pause, speed; the truck moves on the case's map. */

import * as L from "../../vendor/leaflet/leaflet.js";
import { get } from "../api.js";
import { h, replace, setText } from "../dom.js";
import { clock, moment, number } from "../format.js";
import { t } from "../i18n.js";
import { colour } from "../map/base.js";
import { at, within } from "./way.js";

const BEFORE_MS = 3 * 3_600_000;
const AFTER_MS = 1_800_000;
/** The server gives no more at once. */
const LONGEST_MS = 86_400_000;
const SPEEDS = [10, 30, 60, 120, 300];
const STEP_MS = 1_000;

export class Replay {
  constructor(map, root) {
    this.map = map;
    this.root = root;
    this.group = L.layerGroup().addTo(map);
    this.playing = false;
    this.speed = 60;
    this.now_ms = 0;
    replace(root, h("p", { class: "dim" }, t("replay.loading")));
  }

  async load(truck_id, first_ms, last_ms) {
    try {
      const from_ms = first_ms - BEFORE_MS;
      const to_ms = Math.min(last_ms + AFTER_MS, from_ms + LONGEST_MS);
      const said = await get(`trucks/${encodeURIComponent(truck_id)}/track`, { from_ms, to_ms });
      if (this.closed) return;
      this.way = within(said.items);
    } catch (error) {
      if (!this.closed) replace(this.root, h("p", { class: "dim" }, t("replay.failed", { why: error.message })));
      return;
    }
    if (this.way.length < 2) return replace(this.root, h("p", { class: "dim" }, t("replay.none")));
    this.show(first_ms);
  }

  show(first_ms) {
    const [begin, end] = [this.way[0].time_ms, this.way[this.way.length - 1].time_ms];
    this.button = h("button", { onclick: () => this.toggle(), "aria-label": t("replay.play") }, "▶");
    this.slider = h("input", { type: "range", min: begin, max: end, step: STEP_MS, "aria-label": t("replay.time"), oninput: () => this.seek(Number(this.slider.value)) });
    this.time = h("output", {});
    const speeds = h("select", { "aria-label": t("replay.speed"), onchange: (event) => { this.speed = Number(event.target.value); } },
      SPEEDS.map((one) => h("option", { value: one, selected: one === this.speed }, `${one}×`)));
    replace(this.root, this.button, h("span", { class: "dim ends" }, clock(begin).slice(0, 5)), this.slider,
      h("span", { class: "dim ends" }, clock(end).slice(0, 5)), speeds, this.time);
    L.polyline(this.way.map((one) => [one.lat, one.lon]), { color: colour("map-way"), weight: 2, opacity: 0.7, interactive: false }).addTo(this.group);
    this.mark = L.circleMarker([this.way[0].lat, this.way[0].lon], { radius: 7, color: colour("ground"), weight: 2, fillColor: colour("accent"), fillOpacity: 1, interactive: false }).addTo(this.group);
    this.seek(Math.min(Math.max(first_ms, begin), end));
  }

  seek(time_ms) {
    this.now_ms = time_ms;
    const here = at(this.way, time_ms);
    this.slider.value = String(Math.round(time_ms));
    this.slider.setAttribute("aria-valuetext", moment(time_ms));
    this.mark.setLatLng([here.lat, here.lon]);
    const speed = here.speed_kmh === null ? "" : ` · ${number(here.speed_kmh, 0)} km/h`;
    const load = here.loaded === null ? "" : ` · ${t(here.loaded ? "truck.loaded" : "truck.empty")}`;
    setText(this.time, `${moment(time_ms)}${speed}${load}`);
  }

  toggle() {
    if (!this.way || !this.button) return;
    this.playing = !this.playing;
    setText(this.button, this.playing ? "❚❚" : "▶");
    this.button.setAttribute("aria-label", t(this.playing ? "replay.pause" : "replay.play"));
    if (!this.playing) return;
    const end_ms = this.way[this.way.length - 1].time_ms;
    if (this.now_ms >= end_ms) this.now_ms = this.way[0].time_ms;
    let last = performance.now();
    const step = (now) => {
      if (!this.playing || this.closed) return;
      this.seek(Math.min(this.now_ms + (now - last) * this.speed, end_ms));
      last = now;
      if (this.now_ms >= end_ms) this.toggle();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  close() {
    this.closed = true;
  }
}
