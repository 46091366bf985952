/**
 * Thousands of moving trucks on one canvas: small arrows, drawn once for each colour and heading and
 * then stamped. Draws only while something moves, and no oftener than the eye needs, since it runs
 * all night.
 */

import * as L from "../../vendor/leaflet/leaflet.js";
import { colour, followTheme } from "./base.js";
import { Motion } from "./motion.js";

const SLOWEST_FRAME_MS = 45;
const HEADINGS = 32;
const SIZE = 18;
/** A click this near is meant for the truck. */
const NEAR_PX = 12;
const OUTSIDE_PX = 20;
const COLOURS = ["truck", "lead", "minor", "major", "critical"];

export const TruckLayer = L.Layer.extend({
  initialize() {
    this.motion = new Motion();
    this.chosen = "";
    this.hidden = { loaded: false, empty: false };
    this.frames_ms = [];
  },

  onAdd(map) {
    this._map = map;
    this._canvas = L.DomUtil.create("canvas", "trucks leaflet-zoom-hide", map.getPane("overlayPane"));
    this._stamps = new Map();
    followTheme(map, () => { this._stamps.clear(); this._stale = true; });
    map.on("moveend zoomend resize viewreset", this.place, this);
    this.place();
    this._loop = (now_ms) => this.frame(now_ms);
    this._request = requestAnimationFrame(this._loop);
    return this;
  },

  onRemove(map) {
    cancelAnimationFrame(this._request);
    map.off("moveend zoomend resize viewreset", this.place, this);
    this._canvas.remove();
  },

  /** @param {any[]} features @param {number} takes_ms until the next are expected */
  update(features, takes_ms) {
    this.motion.update(features, performance.now(), takes_ms);
    this._stale = true;
  },

  choose(truck_id) {
    this.chosen = truck_id;
    this._stale = true;
  },

  /** The properties of the truck nearest to a place of the map's container, null where there is none. */
  at(point) {
    const now_ms = performance.now();
    const share = this.motion.share(now_ms);
    const scale = this.scale();
    let best = null;
    let least = NEAR_PX;
    for (let row = 0; row < this.motion.count; row++) {
      if (!this.shows(row)) continue;
      const away = Math.hypot(this.motion.x(row, share) * scale - this._left - point.x, this.motion.y(row, share) * scale - this._top - point.y);
      if (away < least) [best, least] = [this.motion.said[row], away];
    }
    return best;
  },

  /** Where a truck stands now, null where it is not known. */
  whereIs(truck_id) {
    const row = this.motion.rows.get(truck_id);
    if (row === undefined) return null;
    const share = this.motion.share(performance.now());
    const point = L.point(this.motion.x(row, share), this.motion.y(row, share)).multiplyBy(this.scale());
    return this._map.unproject(point, this._map.getZoom());
  },

  scale() {
    return this._map.options.crs.scale(this._map.getZoom());
  },

  /** Lay the canvas over what is seen of the map. */
  place() {
    const size = this._map.getSize();
    const ratio = Math.min(2, devicePixelRatio || 1);
    L.DomUtil.setPosition(this._canvas, this._map.containerPointToLayerPoint([0, 0]));
    if (this._canvas.width !== size.x * ratio || this._canvas.height !== size.y * ratio) {
      this._canvas.width = size.x * ratio;
      this._canvas.height = size.y * ratio;
      this._canvas.style.width = `${size.x}px`;
      this._canvas.style.height = `${size.y}px`;
    }
    this._ratio = ratio;
    this.draw();
  },

  frame(now_ms) {
    this._request = requestAnimationFrame(this._loop);
    const moves = this.motion.moves(now_ms);
    if (!moves && !this._stale && !this._moved) return;
    if (moves && now_ms - (this._drawn_ms ?? 0) < SLOWEST_FRAME_MS && !this._stale) return;
    this._drawn_ms = now_ms;
    this._stale = false;
    // Once more after the way is gone, so that all end where they are.
    this._moved = moves;
    this.draw();
  },

  draw() {
    const began_ms = performance.now();
    const context = this._canvas.getContext("2d");
    const size = this._map.getSize();
    const origin = this._map.project(this._map.containerPointToLatLng([0, 0]), this._map.getZoom());
    [this._left, this._top] = [origin.x, origin.y];
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    context.clearRect(0, 0, size.x, size.y);
    const { severity } = this.motion.columns;
    const share = this.motion.share(began_ms);
    const scale = this.scale();
    const graver = [];
    for (let row = 0; row < this.motion.count; row++) {
      if (severity[row]) graver.push(row);
      else this.stamp(context, row, share, scale, size);
    }
    // Offenders lie on top, the gravest highest.
    graver.sort((one, other) => severity[one] - severity[other]);
    for (const row of graver) this.stamp(context, row, share, scale, size);
    this.ring(context, share, scale);
    this.frames_ms.push(performance.now() - began_ms);
    if (this.frames_ms.length > 600) this.frames_ms.shift();
  },

  shows(row) {
    return this.motion.columns.severity[row] > 0 || !this.hidden[this.motion.columns.loaded[row] ? "loaded" : "empty"];
  },

  stamp(context, row, share, scale, size) {
    if (!this.shows(row)) return;
    const x = this.motion.x(row, share) * scale - this._left;
    const y = this.motion.y(row, share) * scale - this._top;
    if (x < -OUTSIDE_PX || y < -OUTSIDE_PX || x > size.x + OUTSIDE_PX || y > size.y + OUTSIDE_PX) return;
    const { heading, severity, loaded, moving } = this.motion.columns;
    const turned = moving[row] && heading[row] === heading[row] ? Math.round((heading[row] / (2 * Math.PI)) * HEADINGS) % HEADINGS : -1;
    context.drawImage(this.stampOf(severity[row], loaded[row], turned), Math.round(x - SIZE / 2), Math.round(y - SIZE / 2), SIZE, SIZE);
  },

  stampOf(severity, loaded, turned) {
    const key = severity * 256 + loaded * 64 + turned;
    let stamp = this._stamps.get(key);
    if (!stamp) this._stamps.set(key, stamp = makeStamp(severity, loaded, turned, this._ratio));
    return stamp;
  },

  ring(context, share, scale) {
    const row = this.motion.rows.get(this.chosen);
    if (row === undefined) return;
    context.beginPath();
    context.arc(this.motion.x(row, share) * scale - this._left, this.motion.y(row, share) * scale - this._top, 12, 0, 2 * Math.PI);
    context.lineWidth = 2;
    context.strokeStyle = colour("accent");
    context.stroke();
  },
});

/** An arrow where the truck moves, a dot where it stands; hollow where it is empty; a ring round an offender. */
function makeStamp(severity, loaded, turned, ratio) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  context.translate(SIZE / 2, SIZE / 2);
  context.fillStyle = context.strokeStyle = colour(severity ? COLOURS[severity] : loaded ? "truck" : "truck-empty");
  if (severity) {
    context.globalAlpha = 0.35;
    circle(context, 8.5);
    context.fill();
    context.globalAlpha = 1;
  }
  if (turned < 0) circle(context, loaded ? 2.8 : 2.3);
  else {
    context.rotate((turned / HEADINGS) * 2 * Math.PI);
    context.beginPath();
    context.moveTo(0, -6);
    context.lineTo(3.6, 4.5);
    context.lineTo(0, 2.6);
    context.lineTo(-3.6, 4.5);
    context.closePath();
  }
  context.lineWidth = 1.2;
  if (loaded || severity) context.fill();
  else context.stroke();
  return canvas;
}

function circle(context, radius) {
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
}
