/**
 * The cases of the queue as far as they are shown: pages after one another, read again from the
 * start when something happens, as many as there were.
 */

import { get } from "../api.js";

const PAGE = 60;
const MOST_A_PAGE = 200;
/** The table is no place to read thousands: filters are. */
export const MOST = 1_000;

export class Pages {
  /** @param {Record<string, any>} query */
  constructor(query) {
    this.query = query;
    /** @type {any[]} */
    this.cases = [];
    /** @type {string | null} */
    this.next = null;
    this.wanted = PAGE;
  }

  /** From the start, as many as are wanted. */
  async read() {
    const found = [];
    let after = "";
    do {
      const limit = Math.min(this.wanted - found.length, MOST_A_PAGE);
      const page = await get("cases", { ...this.query, limit, after });
      found.push(...page.items);
      after = page.next ?? "";
    } while (after && found.length < this.wanted);
    // A case that moved between two pages would stand twice.
    this.cases = [...new Map(found.map((one) => [one.case_id, one])).values()];
    this.next = after || null;
  }

  /** @returns {Promise<boolean>} whether there was more */
  async more() {
    if (!this.next || this.cases.length >= MOST) return false;
    this.wanted = Math.min(this.wanted + PAGE, MOST);
    const page = await get("cases", { ...this.query, limit: PAGE, after: this.next });
    const known = new Set(this.cases.map((one) => one.case_id));
    this.cases = [...this.cases, ...page.items.filter((one) => !known.has(one.case_id))];
    this.next = page.next;
    return true;
  }
}
