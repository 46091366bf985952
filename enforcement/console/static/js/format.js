/** Times, durations and numbers as people read them, in the city's time zone and the chosen language. */

import { t } from "./i18n.js";
import { language } from "./remembered.js";

let zone = "Asia/Shanghai";
/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} name IANA */
export function setZone(name) {
  zone = name;
  formats.clear();
}

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const DAY = { year: "numeric", month: "2-digit", day: "2-digit" };

export const clock = (ms) => format("clock", TIME, ms);
export const day = (ms) => format("day", DAY, ms);
export const moment = (ms) => (ms === null || ms === undefined ? "—" : `${day(ms)} ${clock(ms)}`);

/** Without what goes without saying: the year, and today's date. */
export function brief(ms, now_ms = Date.now()) {
  if (ms === null || ms === undefined) return "—";
  if (day(ms) === day(now_ms)) return clock(ms).slice(0, 8);
  return `${day(ms).slice(5)} ${clock(ms).slice(0, 5)}`;
}

/** How long, in its largest two units. */
export function duration(ms) {
  const total_s = Math.max(0, Math.round(Math.abs(ms) / 1000));
  const [days, hours] = [Math.floor(total_s / 86_400), Math.floor((total_s % 86_400) / 3_600)];
  const [minutes, seconds] = [Math.floor((total_s % 3_600) / 60), total_s % 60];
  if (days) return t("duration.days", { days, hours });
  if (hours) return t("duration.hours", { hours, minutes });
  if (minutes) return t("duration.minutes", { minutes, seconds });
  return t("duration.seconds", { seconds });
}

/** How long ago, without seconds once it is long. */
export function age(ms, now_ms = Date.now()) {
  const passed_ms = Math.max(0, now_ms - ms);
  if (passed_ms < 60_000) return t("duration.seconds", { seconds: Math.floor(passed_ms / 1000) });
  if (passed_ms < 3_600_000) return t("duration.only-minutes", { minutes: Math.floor(passed_ms / 60_000) });
  return duration(passed_ms);
}

export function number(value, digits = 1) {
  return new Intl.NumberFormat(language.get() === "zh" ? "zh-CN" : "en", { maximumFractionDigits: digits }).format(value);
}

/** @param {number | null | undefined} share 0 to 1 */
export function percent(share, digits = 1) {
  return share === null || share === undefined ? "—" : `${number(share * 100, digits)} %`;
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1024 ** 2 ? `${number(count / 1024)} kB` : `${number(count / 1024 ** 2)} MB`;
}

function format(name, options, ms) {
  let made = formats.get(name);
  if (!made) {
    made = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...options });
    formats.set(name, made);
  }
  return made.format(ms);
}

/** What a field of type datetime-local says, in the city's time zone; Unix milliseconds. */
export function fromLocal(text) {
  const as_utc_ms = Date.parse(`${text}Z`);
  const shown = (ms) => Date.parse(`${day(ms)}T${clock(ms)}Z`);
  // Twice, since the offset may change in between.
  const first_ms = as_utc_ms - (shown(as_utc_ms) - as_utc_ms);
  return first_ms - (shown(first_ms) - as_utc_ms);
}
