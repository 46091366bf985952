/**
 * Texts in Chinese and English, from `texts/zh.json` and `texts/en.json`; a test holds their keys
 * together.
 */

import { language } from "./remembered.js";

/** @type {Record<string, Record<string, string>>} */
const tables = {};

/** Before anything is shown. */
export async function loadTexts() {
  await Promise.all(["zh", "en"].map(async (code) => {
    const response = await fetch(new URL(`../texts/${code}.json`, import.meta.url));
    if (!response.ok) throw new Error(`texts/${code}.json: ${response.status}`);
    tables[code] = await response.json();
  }));
  language.watch((code) => {
    document.documentElement.lang = code === "zh" ? "zh-CN" : "en";
  });
}

/**
 * @param {string} key
 * @param {Record<string, any>} [values] for `{names}` in the text
 */
export function t(key, values = {}) {
  const text = tables[language.get()]?.[key];
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Whether there is such a text. */
export function has(key) {
  return tables.zh?.[key] !== undefined;
}

/** Of a value in both languages, the one that is shown: `message` and `message_en`. */
export function either(object, name) {
  const english = object[`${name}_en`];
  return language.get() === "en" && english ? english : object[name];
}
