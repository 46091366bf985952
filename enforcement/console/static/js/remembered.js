/** What a person has chosen, kept in this browser: language, theme, sound, the map's layers. */

import { signal } from "./signal.js";

const PREFIX = "mucktrack.";

export const language = remembered("language", "zh", ["zh", "en"]);
export const theme = remembered("theme", "dark", ["dark", "light"]);
export const sound = remembered("sound", "on", ["on", "off"]);

/**
 * @param {string} name
 * @param {string} standard
 * @param {string[]} [allowed] none given = any
 */
export function remembered(name, standard, allowed) {
  const kept = read(name);
  const usable = kept !== null && (!allowed || allowed.includes(kept));
  const value = signal(usable ? kept : standard);
  let first = true;
  value.watch((now) => {
    if (!first) write(name, now);
    first = false;
  });
  return value;
}

function read(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null; // A browser that keeps nothing.
  }
}

function write(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // It holds until the page is left.
  }
}
