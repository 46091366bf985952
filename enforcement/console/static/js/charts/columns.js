/** Columns that stand, one a day or an hour, each of several series beside one another. */

import { h, svg } from "../dom.js";

const HEIGHT = 110;
const BELOW = 16;
const LEFT = 28;
const DIGIT = 7;
const LABELS = 10;

/**
 * @param {string} name its class
 * @param {string} title
 * @param {{name: string, class: string}[]} series
 * @param {{label: string, values: number[]}[]} points
 * @param {number} width in units of the drawing, about pixels
 */
export function columns(name, title, series, points, width) {
  const most = nice(Math.max(1, ...points.flatMap(({ values }) => values)));
  const left = Math.max(LEFT, DIGIT * (String(most).length + 1));
  const step = (width - left) / Math.max(1, points.length);
  const every = Math.max(1, Math.ceil(points.length / LABELS));
  const y = (value) => HEIGHT - (value / most) * (HEIGHT - 8);
  const label = points.map((point) => `${point.label}: ${series.map((one, at) => `${one.name} ${point.values[at]}`).join(", ")}`).join("; ");
  return h("figure", { class: `chart ${name}` },
    h("figcaption", {}, title, series.map((one) => h("span", { class: `legend ${one.class}` }, one.name))),
    svg("svg", { class: "columns", viewBox: `0 0 ${width} ${HEIGHT + BELOW}`, role: "img", "aria-label": `${title}. ${label}` },
      [0, most / 2, most].map((value) => [
        svg("line", { class: "rule", x1: left, x2: width, y1: y(value), y2: y(value) }),
        svg("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, String(value)),
      ]),
      points.map((point, at) => column(point, series, left + at * step, step, y, at % every === 0))));
}

function column(point, series, x, step, y, labelled) {
  const gap = Math.min(6, step / 4);
  const width = Math.min(30, (step - gap) / series.length);
  return [
    series.map((one, at) => svg("rect", { class: one.class, x: x + gap / 2 + at * width, y: y(point.values[at]), width: width * 0.94, height: Math.max(0, HEIGHT - y(point.values[at])) },
      svg("title", {}, `${point.label} ${one.name} ${point.values[at]}`))),
    labelled ? svg("text", { x: x + step / 2, y: HEIGHT + 13, "text-anchor": "middle" }, point.label) : null,
  ];
}

/** The next even number of one figure that is not smaller, so that its half is whole. */
function nice(most) {
  const unit = 10 ** Math.floor(Math.log10(most));
  const found = [1, 2, 4, 6, 8, 10].find((one) => one * unit >= most) ?? 10;
  return Math.max(2, found * unit);
}
