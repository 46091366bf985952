/** One's own account: who one is here, and a new password. */

import { put } from "../api.js";
import { h, replace } from "../dom.js";
import { t } from "../i18n.js";
import { districtName } from "../reference.js";
import { go } from "../router.js";
import { person, resume } from "../session.js";
import { tell } from "../toasts.js";

const SHORTEST = 10;
const FEWEST = 5;

/** @type {import("../views.js").View} */
export function openAccount(root) {
  const who = person.get();
  const problem = h("p", { class: "problem", role: "alert" });
  const field = (name, autocomplete) => h("input", { id: name, type: "password", required: true, autocomplete, maxlength: 200 });
  const [old, first, second] = [field("old", "current-password"), field("new", "new-password"), field("again", "new-password")];
  const button = h("button", { class: "primary", type: "submit" }, t("account.change"));
  const send = async (event) => {
    event.preventDefault();
    const fault = faultOf(first.value, second.value, who.name);
    if (fault) return replace(problem, t(fault));
    button.disabled = true;
    replace(problem);
    try {
      await put("session/password", { old: old.value, new: first.value });
      await resume();
      tell(t("account.changed"));
      go(["queue"]);
    } catch (error) {
      replace(problem, error.message);
    } finally {
      button.disabled = false;
    }
  };
  replace(root, h("div", { class: "page narrow" },
    h("h1", {}, t("account.title")),
    h("dl", { class: "facts" },
      h("dt", {}, t("users.name")), h("dd", {}, who.name), h("dt", {}, t("users.role")), h("dd", {}, t(`role.${who.role}`)),
      h("dt", {}, t("users.districts")), h("dd", {}, who.districts === null ? t("users.all") : who.districts.map(districtName).join(t("list")))),
    h("form", { class: "password", onsubmit: send },
      h("h2", {}, t("account.password")),
      who.must_change ? h("p", { class: "notice" }, t("account.must")) : null,
      [["old", old], ["new", first], ["again", second]].map(([name, input]) => h("div", { class: "field" }, h("label", { for: name }, t(`account.${name}`)), input,
        name === "new" ? h("small", { class: "dim", id: "new-hint" }, t("account.hint")) : null)),
      problem, button)));
  first.setAttribute("aria-describedby", "new-hint");
  (who.must_change ? old : button).focus();
  return () => {};
}

/** What the server would refuse, said in the page's own language. */
function faultOf(password, again, name) {
  if (password !== again) return "account.differ";
  const good = [...password].length >= SHORTEST && new Set(password).size >= FEWEST && !password.toLowerCase().includes(name.toLowerCase());
  return good ? null : "account.hint";
}
