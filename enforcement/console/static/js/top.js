/** The bar at the top: pages, what waits, whether the line stands, time, language, theme, sound, user. */

import { connection } from "./connection.js";
import { h, replace, setText } from "./dom.js";
import { clock, day } from "./format.js";
import { showHelp } from "./help.js";
import { t } from "./i18n.js";
import { bind } from "./keys.js";
import { unseen, waiting } from "./live.js";
import { language, sound, theme } from "./remembered.js";
import { go, here } from "./router.js";
import { logout, person } from "./session.js";
import { warn } from "./toasts.js";
import { pages } from "./views.js";

let endings = [];

export function showTop(root) {
  for (const end of endings) end();
  endings = [];
  const who = person.get();
  replace(root, h("a", { class: "brand", href: "#/queue" }, t("title")), who ? navigation() : null,
    h("span", { class: "spring" }), who ? line() : null, time(), switches(), who ? account(who) : null);
  if (who) endings.push(bind("keys.everywhere", bindings()));
}

function navigation() {
  const count = h("b", { class: "count", "aria-label": t("top.waiting"), title: t("top.waiting") });
  const late = h("b", { class: "count late", "aria-label": t("top.overdue"), title: t("top.overdue") });
  endings.push(waiting.watch((counts) => {
    setText(count, counts?.new ?? "");
    setText(late, counts?.overdue || "");
  }));
  endings.push(unseen.watch((number) => count.classList.toggle("calling", number > 0)));
  return h("nav", { "aria-label": t("top.pages") }, pages().map((name) =>
    h("a", { href: `#/${name}`, "aria-current": isHere(name) && "page" }, t(`nav.${name}`), name === "queue" ? [count, late] : null)));
}

const isHere = (name) => here().path[0] === name || (name === "queue" && here().path[0] === "cases");

function line() {
  const mark = h("span", { class: "line", role: "status" });
  endings.push(connection.watch(({ away }) => {
    mark.classList.toggle("away", away);
    setText(mark, t(away ? "top.away" : "top.live"));
  }));
  return mark;
}

function time() {
  const shown = h("time", { class: "clock" });
  const tick = () => setText(shown, `${day(Date.now()).slice(5)} ${clock(Date.now())}`);
  tick();
  const timer = setInterval(tick, 1000);
  endings.push(() => clearInterval(timer));
  return shown;
}

function switches() {
  const mute = h("button", { class: "plain", onclick: () => sound.set(sound.get() === "on" ? "off" : "on") });
  endings.push(sound.watch((now) => {
    setText(mute, now === "on" ? "♪" : "♪̸");
    mute.title = t(`sound.${now}`);
    mute.setAttribute("aria-label", t(`sound.${now}`));
    mute.setAttribute("aria-pressed", String(now === "off"));
  }));
  const dark = () => theme.get() === "dark";
  return h("span", { class: "switches" },
    person.get() ? mute : null,
    h("button", { class: "plain", title: t("theme"), "aria-label": t("theme"), onclick: () => theme.set(dark() ? "light" : "dark") }, "◐"),
    h("button", { class: "plain", lang: language.get() === "zh" ? "en" : "zh-CN", onclick: () => language.set(language.get() === "zh" ? "en" : "zh") },
      language.get() === "zh" ? "English" : "中文"),
    person.get() ? h("button", { class: "plain", title: t("keys.help"), "aria-label": t("keys.help"), onclick: showHelp }, "?") : null);
}

function account(who) {
  const leave = () => logout().then(() => go(["login"])).catch((error) => warn(error.message));
  return h("span", { class: "who" },
    h("a", { href: "#/account", title: t("account.title") }, who.name), h("span", { class: "dim" }, t(`role.${who.role}`)),
    h("button", { class: "plain", onclick: leave }, t("logout")));
}

function bindings() {
  const toggle = () => sound.set(sound.get() === "on" ? "off" : "on");
  return [
    ...pages().map((name, at) => ({ keys: [String(at + 1)], text: `nav.${name}`, run: () => go([name]) })),
    { keys: ["m"], text: "keys.mute", run: toggle },
    { keys: ["?"], text: "keys.help", run: showHelp },
  ];
}
