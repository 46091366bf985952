/** Which module shows which address. */

import { h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { person } from "./session.js";
import { openAccount } from "./views/account.js";
import { openCase } from "./views/case.js";
import { openFigures } from "./views/figures.js";
import { openLogin } from "./views/login.js";
import { openMap } from "./views/map.js";
import { openQueue } from "./views/queue.js";
import { openUsers } from "./views/users.js";

/** @typedef {(root: HTMLElement, place: import("./router.js").Place) => Promise<() => void> | (() => void)} View */

/** @type {Record<string, View>} */
const VIEWS = {
  login: openLogin,
  queue: openQueue,
  cases: openCase,
  map: openMap,
  figures: openFigures,
  users: openUsers,
  account: openAccount,
};

/** Those in the top bar, in order; the key is their place. */
export function pages() {
  const names = ["queue", "map", "figures"];
  return person.get()?.role === "admin" ? [...names, "users"] : names;
}

/** @returns {Promise<() => void>} closes the view */
export async function openView(root, place) {
  const name = place.path[0];
  root.className = `view-${Object.hasOwn(VIEWS, name) ? name : "none"}`;
  if (!Object.hasOwn(VIEWS, name)) {
    replace(root, h("p", { class: "empty" }, t("error.no-page")));
    return () => {};
  }
  return VIEWS[name](root, place);
}
