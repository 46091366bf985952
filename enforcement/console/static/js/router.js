/** Which view is shown: the part of the address after `#`, a path and a query. */

/** @typedef {{path: string[], query: URLSearchParams}} Place */

/** @returns {Place} */
export function here() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query ?? "") };
}

/** @param {string[]} path */
export function address(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value);
  const tail = pairs.length ? `?${new URLSearchParams(pairs)}` : "";
  return `#/${path.map(encodeURIComponent).join("/")}${tail}`;
}

export function go(path, query = {}) {
  location.hash = address(path, query);
}

/** The same view, told by another query, without leaving it. */
export function note(path, query) {
  history.replaceState(null, "", address(path, query));
}

/** A hostile or cut address is no reason to fail. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
