/** One case: what is known, what was measured, where it was, who did what, and what can be done now. */

import { get } from "../api.js";
import { attachments } from "../case/attachments.js";
import { evidenceButton } from "../case/evidence.js";
import { facts } from "../case/facts.js";
import { Scene } from "../case/scene.js";
import { take } from "../case/take.js";
import { timeline } from "../case/timeline.js";
import { violationList } from "../case/violations.js";
import { h, replace } from "../dom.js";
import { t } from "../i18n.js";
import { bind } from "../keys.js";
import { onEvent } from "../live.js";
import { severityMark, stateMark, urgencyMarks } from "../marks.js";
import { actionTitle, ruleTitle } from "../reference.js";
import { go } from "../router.js";
import { person } from "../session.js";
import { warn } from "../toasts.js";

const RENEW_AFTER_MS = 300;
const KEYS = { accept: "a", dispatch: "d", handle: "h", verify: "v", close: "c", note: "n" };
const LEADS_ON = new Set(["accept", "dispatch", "handle", "verify", "close"]);

/** Files and packages are for those who work on cases. */
const mayAdd = () => person.get()?.role !== "viewer";

/** @type {import("../views.js").View} */
export async function openCase(root, place) {
  const view = new CaseView(root, place.path[1] ?? "");
  await view.load();
  view.begin();
  return () => view.close();
}

class CaseView {
  constructor(root, case_id) {
    this.root = root;
    this.case_id = case_id;
    this.said = null;
    this.timer = 0;
    this.endings = [];
    this.head = h("div", { class: "case-head" });
    this.left = h("div", { class: "case-left", tabindex: "0", "aria-label": t("case.facts") });
    this.below = h("div", { class: "case-below" });
    this.scene = new Scene();
  }

  async load() {
    this.said = await get(`cases/${encodeURIComponent(this.case_id)}`);
  }

  begin() {
    replace(this.root, this.head, h("div", { class: "case-body" }, this.left,
      h("div", { class: "case-right" }, this.scene.element, this.below)));
    this.show();
    this.scene.begin(this.said);
    this.endings.push(bind("keys.case", this.bindings()), () => this.scene.close(), () => clearTimeout(this.timer));
    this.endings.push(onEvent((name, data) => {
      if (!data.case || data.case.case_id === this.case_id) this.renewSoon();
    }));
    this.left.focus({ preventScroll: true });
  }

  close() {
    this.closed = true;
    for (const end of this.endings) end();
  }

  renewSoon() {
    this.timer ||= setTimeout(() => { this.timer = 0; this.renew(); }, RENEW_AFTER_MS);
  }

  async renew() {
    try {
      await this.load();
    } catch (error) {
      if (!this.closed) warn(error.message);
      return;
    }
    if (this.closed) return;
    this.show();
    this.scene.renew(this.said);
  }

  show() {
    const one = this.said;
    replace(this.head,
      h("button", { class: "plain", onclick: () => go(["queue"]), "aria-label": t("case.back"), title: t("case.back") }, "←"),
      h("h1", {}, t("case.title", { number: one.number })), severityMark(one.severity), stateMark(one.state), urgencyMarks(one),
      h("span", { class: "headline" }, `${one.truck_id} · ${one.rules.map(ruleTitle).join(t("list"))}`),
      h("div", { class: "actions", role: "group", "aria-label": t("case.actions") }, this.buttons(one.actions), mayAdd() ? evidenceButton(one) : null));
    replace(this.left, facts(one), violationList(one.violations));
    replace(this.below, timeline(one.trail), attachments(one.case_id, one.attachments, mayAdd(), () => this.renew()));
  }

  /** What the server allows; the step that leads on stands out. */
  buttons(actions) {
    return actions.map((action) => h("button", {
      class: action === "void" ? "danger" : LEADS_ON.has(action) ? "primary" : "",
      onclick: () => this.take(action),
    }, actionTitle(action), KEYS[action] ? h("kbd", {}, KEYS[action]) : null));
  }

  take(action) {
    if (!this.said.actions.includes(action)) return warn(t("take.not-yours"));
    return take(this.said, action, () => this.renew());
  }

  bindings() {
    return [
      ...Object.entries(KEYS).map(([action, key]) => ({ keys: [key], text: `keys.${action}`, run: () => this.take(action) })),
      { keys: [" "], text: "keys.play", run: () => this.scene.toggle() },
      { keys: ["Escape", "u"], text: "case.back", run: () => go(["queue"]) },
    ];
  }
}
