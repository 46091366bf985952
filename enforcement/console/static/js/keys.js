/**
 * The keyboard. A view says which keys it knows, with words for the help; a key is looked up in the
 * latest scope first. Keys typed into a field, or with Ctrl, Alt or Meta, are not ours.
 */

/** @typedef {{keys: string[], text: string, run: (event: KeyboardEvent) => void}} Binding */
/** @type {{title: string, bindings: Binding[]}[]} */
const scopes = [];

/**
 * @param {string} title text key
 * @param {Binding[]} bindings `text` is a text key
 * @returns {() => void} ends the scope
 */
export function bind(title, bindings) {
  const scope = { title, bindings };
  scopes.push(scope);
  return () => {
    const at = scopes.indexOf(scope);
    if (at >= 0) scopes.splice(at, 1);
  };
}

/** For the help. */
export const bound = () => [...scopes].reverse();

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const found = [...scopes].reverse().flatMap((scope) => scope.bindings).find((one) => one.keys.includes(event.key));
    if (!found || pressing(event)) return;
    event.preventDefault();
    found.run(event);
  });
}

function typing(target) {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]):not([type=range]), select, textarea, [contenteditable]");
}

/** Enter and Space on a button or link are meant for it; arrows on a slider too. */
function pressing(event) {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (["Enter", " "].includes(event.key)) return target.matches("button, a, summary, input");
  return target.matches("input[type=range]") && event.key.startsWith("Arrow");
}
