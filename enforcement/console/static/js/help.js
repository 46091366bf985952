/** The keys that can be pressed here, told by those who bound them. */

import { show } from "./dialogs.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { bound } from "./keys.js";

const SHOWN = { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", " ": "␣", Escape: "Esc" };

export function showHelp() {
  show(t("keys.help"), bound().filter((scope) => scope.bindings.length).map((scope) => h("table", { class: "keys" },
    h("caption", {}, t(scope.title)),
    h("tbody", {}, scope.bindings.map((one) => h("tr", {},
      h("td", {}, one.keys.map((key) => h("kbd", {}, SHOWN[key] ?? key))), h("td", {}, t(one.text))))))));
}
