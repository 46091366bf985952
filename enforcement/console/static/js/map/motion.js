/**
 * Where trucks are between two reports: each moves from where it was seen to where it is said to be
 * in the time between two looks. Columns of numbers, since there are thousands. Pure: no map, no
 * clock.
 */

const ROOM = 1024;
const RADIANS = Math.PI / 180;
/** A truck that jumps farther than this (of the world's width) appears there instead: 2 km or so. */
const FARTHEST = 2_000 / 40_075_000;
export const SEVERITY_CODES = { lead: 1, minor: 2, major: 3, critical: 4 };

/** Web Mercator, 0 to 1 from the west and from the north. */
export const worldX = (lon) => lon / 360 + 0.5;
export const worldY = (lat) => 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * RADIANS) / 2)) / (2 * Math.PI);

export class Motion {
  constructor() {
    this.count = 0;
    /** @type {Map<string, number>} rows by truck */
    this.rows = new Map();
    /** @type {any[]} the properties as they came, by row */
    this.said = [];
    this.room = ROOM;
    this.columns = columns(ROOM);
    this.began_ms = 0;
    this.takes_ms = 1;
  }

  /**
   * @param {any[]} features of /trucks/live
   * @param {number} now_ms
   * @param {number} takes_ms how long the way to the new places is to take
   */
  update(features, now_ms, takes_ms) {
    this.reserve(features.length);
    const before = { rows: this.rows, columns: this.columns, share: this.share(now_ms) };
    const next = columns(this.room);
    const rows = new Map();
    const said = new Array(features.length);
    for (let row = 0; row < features.length; row++) {
      const { properties, geometry } = features[row];
      rows.set(properties.truck_id, row);
      said[row] = properties;
      next.toX[row] = worldX(geometry.coordinates[0]);
      next.toY[row] = worldY(geometry.coordinates[1]);
      next.heading[row] = (properties.heading_deg ?? NaN) * RADIANS;
      next.severity[row] = SEVERITY_CODES[properties.severity] ?? 0;
      next.loaded[row] = properties.loaded ? 1 : 0;
      next.moving[row] = properties.speed_kmh > 5 ? 1 : 0;
      leaveFrom(before, before.rows.get(properties.truck_id), next, row);
    }
    Object.assign(this, { rows, said, columns: next, count: features.length, began_ms: now_ms, takes_ms: Math.max(1, takes_ms) });
  }

  /** How much of the way has been gone, 0 to 1. */
  share(now_ms) {
    return Math.min(1, Math.max(0, (now_ms - this.began_ms) / this.takes_ms));
  }

  /** Whether anything still moves. */
  moves(now_ms) {
    return this.count > 0 && this.share(now_ms) < 1;
  }

  x(row, share) {
    const { fromX, toX } = this.columns;
    return fromX[row] + (toX[row] - fromX[row]) * share;
  }

  y(row, share) {
    const { fromY, toY } = this.columns;
    return fromY[row] + (toY[row] - fromY[row]) * share;
  }

  reserve(count) {
    while (this.room < count) this.room *= 2;
  }
}

function columns(room) {
  const number = () => new Float64Array(room);
  const flag = () => new Uint8Array(room);
  return { fromX: number(), fromY: number(), toX: number(), toY: number(), heading: new Float32Array(room), severity: flag(), loaded: flag(), moving: flag() };
}

/** From where the truck is seen now; from its new place where it is new or far away. */
function leaveFrom({ columns: old, share }, row, next, to) {
  let x = next.toX[to];
  let y = next.toY[to];
  if (row !== undefined) {
    const seenX = old.fromX[row] + (old.toX[row] - old.fromX[row]) * share;
    const seenY = old.fromY[row] + (old.toY[row] - old.fromY[row]) * share;
    if (Math.hypot(seenX - x, seenY - y) < FARTHEST) [x, y] = [seenX, seenY];
  }
  next.fromX[to] = x;
  next.fromY[to] = y;
}
