/**
 * The queue: gravest first, renewed by itself. What is chosen and what stands on the screen stay
 * where they are when cases come and go. Worked with the keyboard.
 */

import { h, replace, setText } from "../dom.js";
import { t } from "../i18n.js";
import { bind } from "../keys.js";
import { onEvent } from "../live.js";
import { asked, chosen, filterBar } from "../queue/filters.js";
import { MOST, Pages } from "../queue/pages.js";
import { Rows, head } from "../queue/rows.js";
import { go, note } from "../router.js";
import { take } from "../case/take.js";
import { warn } from "../toasts.js";

const RENEW_AFTER_MS = 400;
const TICK_MS = 5_000;
const NEAR_THE_END_PX = 400;

/** Which case was chosen, when one comes back. */
let remembered = "";

/** @type {import("../views.js").View} */
export async function openQueue(root, place) {
  const queue = new Queue(root, chosen(place.query));
  await queue.begin();
  return () => queue.close();
}

class Queue {
  constructor(root, filters) {
    this.root = root;
    this.filters = filters;
    this.pages = new Pages(asked(filters));
    this.body = h("tbody", {});
    this.rows = new Rows(this.body, (id) => this.point(id));
    this.scroll = h("div", { class: "scroll", tabindex: "0", "aria-label": t("queue.title"), onscroll: () => this.onScroll() });
    this.status = h("p", { class: "status", role: "status" });
    this.bar = h("div", { class: "bar" });
    this.timer = 0;
    this.reading = false;
    this.again = false;
    this.id = remembered;
    /** Where the chosen case stood; whoever follows it is chosen when it is gone. */
    this.at = -1;
    this.endings = [];
  }

  async begin() {
    this.showFilters();
    replace(this.scroll, h("table", { class: "queue" }, head(), this.body));
    replace(this.root, this.bar, this.scroll, h("footer", { class: "foot" }, this.status, h("p", { class: "dim" }, t("queue.hint"))));
    await this.renew();
    this.reveal();
    this.endings.push(onEvent(() => this.renewSoon()));
    this.endings.push(bind("keys.queue", this.bindings()));
    const tick = setInterval(() => this.rows.tick(this.pages.cases), TICK_MS);
    this.endings.push(() => clearInterval(tick), () => clearTimeout(this.timer));
    this.scroll.focus({ preventScroll: true });
  }

  close() {
    this.closed = true;
    for (const end of this.endings) end();
  }

  showFilters() {
    replace(this.bar, filterBar(this.filters, (filters, anew) => this.filter(filters, anew)));
  }

  async filter(filters, anew = false) {
    this.filters = filters;
    note(["queue"], filters);
    if (anew) this.showFilters();
    this.pages = new Pages(asked(filters));
    this.at = -1;
    this.scroll.scrollTop = 0;
    await this.renew();
  }

  renewSoon() {
    this.timer ||= setTimeout(() => { this.timer = 0; this.renew(); }, RENEW_AFTER_MS);
  }

  /** Read again; once more after that where something happened meanwhile. */
  async renew() {
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.again = false;
        const pages = this.pages;
        await pages.read();
        if (pages === this.pages && !this.closed) this.show();
      } while (this.again && !this.closed);
    } catch (error) {
      if (!this.closed) setText(this.status, error.message);
    } finally {
      this.reading = false;
    }
  }

  show() {
    const anchor = this.anchor();
    this.rows.show(this.pages.cases);
    if (anchor?.row.isConnected) this.scroll.scrollTop += anchor.row.offsetTop - anchor.top_px;
    const { cases, next } = this.pages;
    this.keepChoice(cases);
    setText(this.status, cases.length === 0 ? t("queue.none") : t(next ? "queue.more" : "queue.count", { count: cases.length }));
    if (next && cases.length >= MOST) setText(this.status, t("queue.most", { count: MOST }));
  }

  keepChoice(cases) {
    const at = cases.findIndex((one) => one.case_id === this.id);
    if (at < 0 && this.at >= 0 && cases.length) this.id = remembered = cases[Math.min(this.at, cases.length - 1)].case_id;
    this.at = cases.findIndex((one) => one.case_id === this.id);
    this.rows.select(this.id);
  }

  /** The first row on the screen, once somebody has scrolled. */
  anchor() {
    if (this.scroll.scrollTop < 2) return null;
    const top_px = this.scroll.scrollTop;
    const row = [...this.body.children].find((one) => one.offsetTop + one.offsetHeight > top_px + 26);
    return row ? { row, top_px: row.offsetTop } : null;
  }

  async onScroll() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroll;
    if (scrollTop + clientHeight < scrollHeight - NEAR_THE_END_PX || this.reading) return;
    this.reading = true;
    try {
      if (await this.pages.more()) this.show();
    } catch (error) {
      setText(this.status, error.message);
    } finally {
      this.reading = false;
    }
  }

  bindings() {
    const step = (by) => () => this.move(by);
    return [
      { keys: ["j", "ArrowDown"], text: "keys.down", run: step(1) },
      { keys: ["k", "ArrowUp"], text: "keys.up", run: step(-1) },
      { keys: ["Home"], text: "keys.first", run: step(-MOST) },
      { keys: ["End"], text: "keys.last", run: step(MOST) },
      { keys: ["Enter", "o"], text: "keys.open", run: () => this.open() },
      { keys: ["a"], text: "keys.accept", run: () => this.take("accept") },
      { keys: ["d"], text: "keys.dispatch", run: () => this.take("dispatch") },
      { keys: ["/"], text: "keys.filter", run: () => this.bar.querySelector(".q").focus() },
      { keys: ["r"], text: "keys.renew", run: () => this.renew() },
    ];
  }

  point(id) {
    if (id === this.id) return this.open();
    this.select(id);
  }

  select(id) {
    this.id = remembered = id;
    this.at = this.pages.cases.findIndex((one) => one.case_id === id);
    this.rows.select(id);
  }

  move(by) {
    const { cases } = this.pages;
    if (!cases.length) return;
    const at = cases.findIndex((one) => one.case_id === this.id);
    const next = at < 0 ? (by > 0 ? 0 : cases.length - 1) : Math.min(Math.max(at + by, 0), cases.length - 1);
    this.select(cases[next].case_id);
    this.reveal();
  }

  reveal() {
    this.rows.element(this.id)?.scrollIntoView({ block: "nearest" });
  }

  open() {
    if (this.chosen()) go(["cases", this.id]);
  }

  chosen() {
    return this.pages.cases.find((one) => one.case_id === this.id);
  }

  async take(action) {
    const one = this.chosen();
    if (!one) return warn(t("queue.choose"));
    await take(one, action, () => this.renew());
  }
}
