/**
 * What happens while one watches: one line of events for all views. It counts what is new in the
 * queue, and calls for a critical violation.
 */

import { get } from "./api.js";
import { follow } from "./events.js";
import { t } from "./i18n.js";
import { signal } from "./signal.js";
import { alarm } from "./sound.js";

const COUNT_EVERY_MS = 2_000;

/** How many cases wait, by state; null = not known yet. */
export const waiting = signal(null);
/** Critical violations that came since somebody last looked. */
export const unseen = signal(0);

const listeners = new Set();
/** @type {Set<string>} */
const called = new Set();
let end = () => {};
let timer = 0;

/** @param {{onExpired: () => void}} told */
export function start(told) {
  stop();
  const stopFollowing = follow({
    onEvent: (name, data) => { hear(name, data); },
    onResumed: () => { for (const listener of listeners) listener("resumed", {}); count(); },
    onExpired: told.onExpired,
  });
  count();
  const stopTitle = unseen.watch(showTitle);
  const seen = () => { if (!document.hidden) unseen.set(0); };
  addEventListener("focus", seen);
  addEventListener("pointerdown", seen);
  addEventListener("keydown", seen);
  end = () => {
    stopFollowing();
    stopTitle();
    clearTimeout(timer);
    timer = 0;
    for (const name of ["focus", "pointerdown", "keydown"]) removeEventListener(name, seen);
  };
}

export function stop() {
  end();
  end = () => {};
  unseen.set(0);
  waiting.set(null);
}

/**
 * @param {(name: string, data: any) => void} listener `violation` and `case` with who did
 *   what to which case; `reset` and `resumed` after a gap
 * @returns {() => void} ends it
 */
export function onEvent(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The tab's title; views need not know of it. */
export function showTitle() {
  const mark = unseen.get() ? `(${unseen.get()}) ` : "";
  document.title = mark + t("title");
}

function hear(name, data) {
  if (name === "hello") return;
  if (name === "violation" && isCall(data.violation)) {
    called.add(data.violation.violation_id);
    unseen.set(unseen.get() + 1);
    alarm();
  }
  countSoon();
  for (const listener of listeners) listener(name, data);
}

/** Once a violation, however many phases of it come. */
function isCall(violation) {
  return violation.severity === "critical" && !called.has(violation.violation_id) && violation.phase !== "withdrawn";
}

function countSoon() {
  timer ||= setTimeout(() => { timer = 0; count(); }, COUNT_EVERY_MS);
}

async function count() {
  try {
    waiting.set(await get("cases/counts"));
  } catch {
    // The banner says that the server is away; the next event counts again.
  }
}
