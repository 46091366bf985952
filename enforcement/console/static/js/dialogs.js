/**
 * Dialogs: the browser's own, which hold the focus and close with Escape. `ask` shows a form and
 * hands its values to a function; what goes wrong there is said in the form, and nothing is lost.
 */

import { h, replace } from "./dom.js";
import { t } from "./i18n.js";

/**
 * @param {string} title
 * @param {any[]} content
 * @returns {HTMLDialogElement}
 */
export function show(title, content) {
  const before = document.activeElement;
  const heading = h("h2", { id: "dialog-title" }, title);
  const close = h("button", { class: "plain", type: "button", "aria-label": t("close"), onclick: () => dialog.close() }, "×");
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, h("header", {}, heading, close), content);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** @typedef {{name: string, label: string, kind?: string, value?: any, required?: boolean, options?: [string, string][], hint?: string, maxlength?: number}} Field */

/**
 * @param {{title: string, note?: string, fields: Field[], button: string, danger?: boolean,
 *   send: (values: Record<string, any>) => Promise<void>}} what
 */
export function ask(what) {
  const problem = h("p", { class: "problem", role: "alert" });
  const button = h("button", { type: "submit", class: what.danger ? "danger" : "primary" }, what.button);
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, t("cancel"));
  const inputs = what.fields.map(input);
  const form = h("form", { method: "dialog" },
    what.note ? h("p", { class: "dim" }, what.note) : null,
    what.fields.map((field, at) => row(field, inputs[at])),
    problem,
    h("footer", {}, cancel, button));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    replace(problem);
    try {
      await what.send(Object.fromEntries(what.fields.map((field, at) => [field.name, valueOf(field, inputs[at])])));
      dialog.close();
    } catch (error) {
      replace(problem, error.message);
    } finally {
      button.disabled = false;
    }
  });
  const dialog = show(what.title, [form]);
  (inputs[0] ?? button).focus();
  return dialog;
}

function input(field) {
  const same = { name: field.name, id: `field-${field.name}`, required: field.required ?? false, maxlength: field.maxlength };
  if (field.kind === "area") return h("textarea", { ...same, rows: 4, value: field.value ?? "" });
  if (field.kind === "select") {
    return h("select", { ...same, multiple: false },
      (field.options ?? []).map(([value, text]) => h("option", { value, selected: value === field.value }, text)));
  }
  if (field.kind === "checks") return checks(field);
  if (field.kind === "check") return h("input", { ...same, type: "checkbox", checked: Boolean(field.value) });
  const listed = field.options ? { list: `list-${field.name}` } : {};
  return h("input", { ...same, ...listed, type: field.kind ?? "text", value: field.value ?? "",
    autocomplete: field.kind === "password" ? "new-password" : "off" });
}

function checks(field) {
  const chosen = new Set(field.value ?? []);
  return h("fieldset", { class: "checks", id: `field-${field.name}` }, h("legend", {}, field.label),
    (field.options ?? []).map(([value, text]) =>
      h("label", {}, h("input", { type: "checkbox", value, checked: chosen.has(value) }), text)));
}

function row(field, control) {
  const hint = field.hint ? h("small", { class: "dim" }, field.hint) : null;
  if (field.kind === "checks") return h("div", { class: "field" }, control, hint);
  const list = field.options && field.kind !== "select"
    ? h("datalist", { id: `list-${field.name}` }, field.options.map(([value]) => h("option", { value })))
    : null;
  return h("div", { class: "field" }, h("label", { for: control.id }, field.label), control, list, hint);
}

function valueOf(field, control) {
  if (field.kind === "checks") return [...control.querySelectorAll("input:checked")].map((one) => one.value);
  if (field.kind === "check") return control.checked;
  return control.value;
}
