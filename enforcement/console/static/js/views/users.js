/** For administrators: who may log in, as what, and for which districts. */

import { get, patch, post } from "../api.js";
import { ask } from "../dialogs.js";
import { h, replace } from "../dom.js";
import { moment } from "../format.js";
import { t } from "../i18n.js";
import { districtName, districts } from "../reference.js";
import { person } from "../session.js";
import { tell } from "../toasts.js";

const ROLES = ["viewer", "dispatcher", "officer", "reviewer", "admin"];

/** @type {import("../views.js").View} */
export async function openUsers(root) {
  const body = h("tbody", {});
  const renew = async () => {
    const { items } = await get("users");
    replace(body, items.map((user) => row(user, renew)));
  };
  await renew();
  replace(root, h("div", { class: "page" },
    h("header", {}, h("h1", {}, t("nav.users")), h("button", { class: "primary", onclick: () => add(renew) }, t("users.add"))),
    h("table", { class: "plain-table" },
      h("thead", {}, h("tr", {}, ["name", "role", "districts", "state", "since", "do"].map((name) => h("th", { scope: "col" }, t(`users.${name}`))))), body)));
  return () => {};
}

function row(user, renew) {
  // Where somebody else was faster, the list shows what he has made of it.
  const change = (body) => patch(`users/${encodeURIComponent(user.name)}`, body, { "If-Match": `"${user.version}"` }).finally(renew);
  return h("tr", { class: user.disabled ? "ended" : "" },
    h("th", { scope: "row" }, user.name),
    h("td", {}, t(`role.${user.role}`)),
    h("td", {}, user.districts === null ? t("users.all") : user.districts.map(districtName).join(t("list"))),
    h("td", {}, t(user.disabled ? "users.disabled" : user.must_change ? "users.must-change" : "users.active")),
    h("td", { class: "dim" }, moment(user.created_ms)),
    h("td", { class: "actions" },
      h("button", { onclick: () => edit(user, change) }, t("users.edit")),
      h("button", { onclick: () => reset(user, change) }, t("users.reset")),
      user.name === person.get().name ? null : h("button", { class: user.disabled ? "" : "danger", onclick: () => disable(user, change) }, t(user.disabled ? "users.enable" : "users.disable"))));
}

const roleField = (value) => ({ name: "role", label: t("users.role"), kind: "select", value, options: ROLES.map((role) => [role, t(`role.${role}`)]) });
const districtsField = (value) => ({ name: "districts", label: t("users.districts"), kind: "checks", value, options: districts(), hint: t("users.none-is-all") });
const passwordField = (label) => ({ name: "password", label: t(label), kind: "password", required: true, maxlength: 200, hint: t("users.password-hint") });

function add(renew) {
  ask({
    title: t("users.add"),
    fields: [{ name: "name", label: t("users.name"), required: true, maxlength: 40 }, roleField("dispatcher"), districtsField([]), passwordField("users.first-password")],
    button: t("users.add"),
    send: async (values) => {
      await post("users", { ...values, name: values.name.trim(), districts: values.districts.length ? values.districts : null });
      tell(t("users.added", { name: values.name }));
      await renew();
    },
  });
}

function edit(user, change) {
  ask({
    title: t("users.edit-title", { name: user.name }),
    note: t("users.ends-sessions"),
    fields: [roleField(user.role), districtsField(user.districts ?? [])],
    button: t("save"),
    send: ({ role, districts: chosen }) => change(chosen.length ? { role, districts: chosen } : { role, all_districts: true }),
  });
}

function reset(user, change) {
  ask({
    title: t("users.reset-title", { name: user.name }),
    note: t("users.ends-sessions"),
    fields: [passwordField("users.first-password")],
    button: t("users.reset"),
    send: change,
  });
}

function disable(user, change) {
  ask({
    title: t(user.disabled ? "users.enable-title" : "users.disable-title", { name: user.name }),
    note: user.disabled ? "" : t("users.disable-note"),
    fields: [],
    button: t(user.disabled ? "users.enable" : "users.disable"),
    danger: !user.disabled,
    send: () => change({ disabled: !user.disabled }),
  });
}
