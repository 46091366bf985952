/**
 * Speaks to /api/v1, as anybody's program could; the only module that does, beside `events.js`.
 * Every failure is an `ApiError` with words that can be shown.
 */

import { has, t } from "./i18n.js";
import { connection } from "./connection.js";

export const ROOT = "api/v1/";
const LONGEST_WAIT_MS = 20_000;
const AWAY = new Set([502, 503, 504]);

let csrf = "";
let expired = () => {};

/** The token that comes with a session. */
export function setCsrf(token) {
  csrf = token ?? "";
}

/** @param {() => void} callback called when the session has ended */
export function onExpired(callback) {
  expired = callback;
}

export class ApiError extends Error {
  /**
   * @param {number} status 0 = no answer
   * @param {string} message
   * @param {any} [problem] the problem document
   */
  constructor(status, message, problem = {}) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

export const get = (path, query) => request("GET", path, { query });
export const post = (path, body, headers) => request("POST", path, { body, headers });
export const patch = (path, body, headers) => request("PATCH", path, { body, headers });
export const put = (path, body) => request("PUT", path, { body });
export const remove = (path) => request("DELETE", path, {});

/** JSON of the answer, null where there is none. */
async function request(method, path, { query, body, headers = {} }) {
  const response = await send(method, path, { query, body, headers });
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/** The answer itself, where it is no JSON. Raises `ApiError`. */
export async function send(method, path, { query = undefined, body = undefined, headers = {}, wait_ms = LONGEST_WAIT_MS } = {}) {
  const init = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
  if (method !== "GET") init.headers["X-CSRF-Token"] = csrf;
  if (body instanceof Blob) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers["Content-Type"] = "application/json";
  }
  const response = await answer(ROOT + path + queryString(query), init, wait_ms);
  if (response.ok) return response;
  throw await failure(response, path);
}

async function answer(address, init, wait_ms) {
  let response;
  try {
    response = await fetch(address, { ...init, signal: AbortSignal.timeout(wait_ms) });
  } catch {
    connection.lost();
    throw new ApiError(0, t("error.away"));
  }
  if (AWAY.has(response.status)) connection.lost();
  else connection.answered();
  return response;
}

async function failure(response, path) {
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401 && path !== "session") expired();
  return new ApiError(response.status, words(response.status, problem), problem);
}

/** The server's own words, or ours for the status. */
function words(status, problem) {
  const known = `error.${status}`;
  const detail = typeof problem.detail === "string" ? problem.detail : "";
  if (!has(known)) return detail || t("error.other", { status });
  return detail ? t("error.with", { what: t(known), detail }) : t(known);
}

function queryString(query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return pairs.length ? `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}` : "";
}
