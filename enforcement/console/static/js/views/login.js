/** The first page. */

import { h, replace } from "../dom.js";
import { t } from "../i18n.js";
import { login } from "../session.js";

export function openLogin(root) {
  const problem = h("p", { class: "problem", role: "alert" });
  const name = h("input", { id: "name", name: "name", autocomplete: "username", required: true, maxlength: 64, autocapitalize: "none", spellcheck: "false" });
  const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true });
  const button = h("button", { class: "primary", type: "submit" }, t("login"));
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    replace(problem);
    try {
      await login(name.value.trim(), password.value);
    } catch (error) {
      replace(problem, words(error));
      password.select();
    } finally {
      button.disabled = false;
    }
  };
  replace(root, h("form", { class: "login", onsubmit: send },
    h("h1", {}, t("title")), h("p", { class: "dim" }, t("login.about")),
    h("div", { class: "field" }, h("label", { for: "name" }, t("login.name")), name),
    h("div", { class: "field" }, h("label", { for: "password" }, t("login.password")), password),
    problem, button));
  name.focus();
  return () => {};
}

function words(error) {
  if (error.status === 401 || error.status === 422) return t("login.wrong");
  if (error.status === 429) return t("login.slow");
  return error.message;
}
