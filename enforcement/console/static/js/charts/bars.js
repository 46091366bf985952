/** Bars that lie, one a name: a table to those who cannot see them. */

import { h, svg } from "../dom.js";

const WIDTH = 240;
const HEIGHT = 12;

/**
 * @param {string} title
 * @param {{name: string, parts: {value: number, class: string, title: string}[], note?: string, href?: string}[]} rows
 */
export function bars(title, rows) {
  const most = Math.max(1, ...rows.map(({ parts }) => sum(parts)));
  return h("figure", { class: "chart" }, h("figcaption", {}, title),
    h("table", { class: "bars" }, h("tbody", {}, rows.map((row) => h("tr", {},
      h("th", { scope: "row", title: row.name }, row.href ? h("a", { href: row.href }, row.name) : row.name),
      h("td", { class: "number" }, String(sum(row.parts))),
      h("td", { class: "drawn" }, bar(row.parts, most)),
      row.note === undefined ? null : h("td", { class: "number dim" }, row.note))))));
}

function bar(parts, most) {
  let x = 0;
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    parts.map((part) => {
      const width = (part.value / most) * WIDTH;
      const drawn = svg("rect", { class: part.class, x, y: 1, width, height: HEIGHT - 2 }, svg("title", {}, `${part.title} ${part.value}`));
      x += width;
      return drawn;
    }));
}

const sum = (parts) => parts.reduce((total, { value }) => total + value, 0);
