/** Where the console starts: texts, who is logged in, then the view that the address names. */

import * as api from "./api.js";
import { connection } from "./connection.js";
import { h, replace } from "./dom.js";
import { moment } from "./format.js";
import { loadTexts, t } from "./i18n.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import { loadReference } from "./reference.js";
import { language, theme } from "./remembered.js";
import { go, here } from "./router.js";
import { leave, person, resume } from "./session.js";
import { allowSound } from "./sound.js";
import { showTop } from "./top.js";
import { openView } from "./views.js";

const RETRY_MS = 2_000;

const main = /** @type {HTMLElement} */ (document.getElementById("main"));
const top_ = /** @type {HTMLElement} */ (document.getElementById("top"));
let close = () => {};
let opening = 0;
/** Where to go after a login. */
let wanted = "";

async function start() {
  await loadTexts();
  theme.watch((name) => { document.documentElement.dataset.theme = name; });
  connection.watch(showBanner);
  allowSound();
  keys.listen();
  api.onExpired(expire);
  await reached(resume);
  person.watch(() => { changePerson(); });
  language.watch(() => { if (opening) show(); });
  addEventListener("hashchange", show);
}

/** Try until the server answers. */
async function reached(attempt) {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error.status && error.status < 500) throw error;
      connection.lost();
      replace(main, h("p", { class: "empty" }, error.message));
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function changePerson() {
  if (person.get()) {
    if (!person.get().must_change) {
      await reached(loadReference);
      live.start({ onExpired: expire });
    }
    // Going there shows it.
    if (here().path[0] === "login") return location.replace(wanted || "#/queue");
  } else {
    live.stop();
  }
  show();
}

function expire() {
  if (!person.get()) return;
  wanted = location.hash;
  leave();
}

/** Open the view that the address names. */
async function show() {
  const turn = ++opening;
  close();
  close = () => {};
  showTop(top_);
  live.showTitle();
  document.getElementById("skip").textContent = t("skip");
  if (!person.get()) {
    if (here().path[0] !== "login") {
      wanted = location.hash;
      return go(["login"]);
    }
  } else if (person.get().must_change && here().path[0] !== "account") {
    return go(["account"]);
  } else if (here().path.length === 0 || here().path[0] === "login") return go(["queue"]);
  try {
    const closed = await openView(main, here());
    if (turn === opening) close = closed;
    else closed();
  } catch (error) {
    if (turn !== opening) return;
    // Anything else is a bug of ours.
    if (!(error instanceof api.ApiError)) console.error(error);
    replace(main, h("div", { class: "empty" }, h("p", {}, error.message),
      h("p", {}, h("button", { onclick: show }, t("again")), " ", h("a", { href: "#/queue" }, t("nav.queue")))));
  }
}

function showBanner({ away, since_ms }) {
  const banner = document.getElementById("banner");
  replace(banner, away ? h("p", {}, t("banner.away", { since: moment(since_ms) })) : null);
  document.body.classList.toggle("away", away);
}

start().catch((error) => {
  replace(main, h("p", { class: "empty" }, String(error.message)));
  throw error;
});
