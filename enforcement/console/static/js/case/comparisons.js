/** Which of what was measured belongs to which threshold. Pure. */

/** By what was measured: the limits it may have, the one that counts most first. */
const LIMITS = {
  distance_m: ["corridor_m", "border_m", "site_margin_m"],
  speed_kmh: ["limit_kmh"],
  load_kg: ["max_load_kg"],
  duration_s: ["dump_dwell_s", "offline_s", "max_trip_s", "min_s"],
  fixes: ["min_fixes"],
  local_time: ["hours"],
};

/**
 * @param {Record<string, number | string>} measured
 * @param {Record<string, number | string>} threshold
 * @returns {{pairs: {name: string, measured: number, limit_name: string, limit: number}[], rest: [string, number | string][]}}
 *   `rest`: what stands alone, of both
 */
export function comparisons(measured, threshold) {
  const pairs = [];
  const rest = [];
  const used = new Set();
  for (const [name, value] of Object.entries(measured)) {
    const limit_name = (LIMITS[name] ?? []).find((one) => threshold[one] !== undefined);
    if (limit_name) used.add(limit_name);
    if (limit_name && typeof value === "number" && typeof threshold[limit_name] === "number") {
      pairs.push({ name, measured: value, limit_name, limit: threshold[limit_name] });
    } else if (limit_name) {
      rest.push([name, value], [limit_name, threshold[limit_name]]);
    } else {
      rest.push([name, value]);
    }
  }
  for (const [name, value] of Object.entries(threshold)) {
    if (!used.has(name) && value !== "") rest.push([name, value]);
  }
  return { pairs, rest };
}
