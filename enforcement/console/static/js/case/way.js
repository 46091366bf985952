/** The positions of a truck in their order, and where it was at any time between them. Pure. */

/** No line is drawn through a silence longer than this: the truck stands at its end. */
const LONGEST_GAP_MS = 600_000;

/** @typedef {{time_ms: number, lon: number, lat: number, speed_kmh: number | null, loaded: boolean | null}} Fix */

/** @param {any[]} items @returns {Fix[]} in order, each moment once */
export function within(items) {
  const fixes = items
    .filter((one) => Number.isFinite(one.lon) && Number.isFinite(one.lat))
    .map((one) => ({ time_ms: one.time_ms, lon: one.lon, lat: one.lat, speed_kmh: one.speed_kmh ?? null, loaded: one.loaded ?? null }))
    .sort((one, other) => one.time_ms - other.time_ms);
  return fixes.filter((one, row) => row === 0 || one.time_ms > fixes[row - 1].time_ms);
}

/** @param {Fix[]} way at least one @param {number} time_ms @returns {Fix} */
export function at(way, time_ms) {
  let low = 0;
  let high = way.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (way[middle].time_ms <= time_ms) low = middle;
    else high = middle - 1;
  }
  const [before, after] = [way[low], way[low + 1]];
  if (!after || time_ms <= before.time_ms || after.time_ms - before.time_ms > LONGEST_GAP_MS) return { ...before, time_ms };
  const share = (time_ms - before.time_ms) / (after.time_ms - before.time_ms);
  return { ...before, time_ms, lon: before.lon + (after.lon - before.lon) * share, lat: before.lat + (after.lat - before.lat) * share };
}
