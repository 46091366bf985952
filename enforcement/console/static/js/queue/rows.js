/** The rows of the queue: made, kept by their case, and changed where the case has changed. */

import { h, replace } from "../dom.js";
import { age, brief, clock, duration } from "../format.js";
import { t } from "../i18n.js";
import { ENDED, isOverdue, severitySign, stateMark, urgencyMarks } from "../marks.js";
import { districtName, ruleTitle } from "../reference.js";
import { address } from "../router.js";

export const COLUMNS = ["severity", "number", "state", "rules", "truck", "company", "district", "started", "age", "handler", "due"];
const FRESH_MS = 8_000;

export const head = () => h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col", class: name }, t(`column.${name}`)))));

/** Rows of a table body, by case. */
export class Rows {
  /**
   * @param {HTMLElement} body
   * @param {(id: string) => void} onPoint somebody has clicked a row
   */
  constructor(body, onPoint) {
    this.body = body;
    this.onPoint = onPoint;
    /** @type {Map<string, {row: HTMLElement, version: number}>} */
    this.kept = new Map();
    this.first = true;
  }

  /** Show these cases in this order; a row that stays, stays the same element. */
  show(cases) {
    const wanted = new Set(cases.map((one) => one.case_id));
    for (const [id, { row }] of this.kept) {
      if (!wanted.has(id)) {
        row.remove();
        this.kept.delete(id);
      }
    }
    let at = this.body.firstElementChild;
    for (const one of cases) {
      const row = this.row(one);
      if (row === at) at = at.nextElementSibling;
      else this.body.insertBefore(row, at);
    }
    this.first = false;
  }

  row(one) {
    let kept = this.kept.get(one.case_id);
    if (!kept) {
      const row = h("tr", { "data-id": one.case_id, onclick: () => this.onPoint(one.case_id) });
      kept = { row, version: -1 };
      this.kept.set(one.case_id, kept);
      if (!this.first) this.mark(row);
    }
    if (kept.version !== one.version) {
      kept.version = one.version;
      kept.row.classList.toggle("ended", ENDED.has(one.state));
      replace(kept.row, cells(one));
    }
    return kept.row;
  }

  mark(row) {
    row.classList.add("fresh");
    setTimeout(() => row.classList.remove("fresh"), FRESH_MS);
  }

  /** Which row is chosen. */
  select(id) {
    for (const [one, { row }] of this.kept) {
      row.classList.toggle("chosen", one === id);
      row.setAttribute("aria-selected", String(one === id));
    }
  }

  /** Times go on by themselves. */
  tick(cases) {
    const now_ms = Date.now();
    for (const one of cases) {
      const row = this.kept.get(one.case_id)?.row;
      const cell = row?.querySelector("td.age");
      if (!row || !cell) continue;
      cell.textContent = age(one.opened_ms, now_ms);
      replace(row.querySelector("td.due"), dueOf(one, now_ms));
    }
  }

  element(id) {
    return this.kept.get(id)?.row ?? null;
  }
}

function cells(one) {
  const rules = one.rules.map(ruleTitle).join(t("list"));
  const cell = (name, ...content) => h("td", { class: name }, content);
  return [
    cell("severity", severitySign(one.severity)),
    cell("number", h("a", { href: address(["cases", one.case_id]), tabindex: "-1" }, String(one.number))),
    cell("state", stateMark(one.state)),
    h("td", { class: "rules", title: rules }, rules),
    h("td", { class: "truck", title: one.truck_id }, one.truck_id),
    h("td", { class: "company", title: one.company ?? "" }, one.company ?? "—"),
    cell("district", districtName(one.district)),
    h("td", { class: "started", title: clock(one.started_ms) }, brief(one.started_ms)),
    cell("age", age(one.opened_ms)),
    h("td", { class: "handler", title: one.squad ?? "" }, one.handler ?? "—"),
    cell("due", dueOf(one, Date.now())),
  ];
}

function dueOf(one, now_ms) {
  if (ENDED.has(one.state) || one.due_ms === null) return [h("span", { class: "dim" }, "—"), urgencyMarks(one)];
  const left = duration(one.due_ms - now_ms);
  const words = isOverdue(one, now_ms) ? t("due.since", { left }) : t("due.in", { left });
  return [h("span", { class: isOverdue(one, now_ms) ? "late" : "" }, words), one.supervised_ms ? h("span", { class: "mark supervised" }, t("mark.supervised")) : null];
}
