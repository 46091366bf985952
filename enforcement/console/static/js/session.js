/** Who is logged in. */

import * as api from "./api.js";
import { remembered } from "./remembered.js";
import { signal } from "./signal.js";

/** @type {ReturnType<typeof signal<any>>} name, role, districts; null = nobody */
export const person = signal(null);

/** Whether it is worth asking: the cookie itself cannot be seen from here. */
const known = remembered("session", "no", ["yes", "no"]);

/** Whoever the browser's cookie belongs to. Raises `ApiError` where the server does not answer. */
export async function resume() {
  if (known.get() === "no") return;
  try {
    take(await api.get("session"));
  } catch (error) {
    if (error.status !== 401) throw error;
    leave();
  }
}

export async function login(name, password) {
  await api.post("session", { name, password });
  // The answer to a login and to "who am I" are read alike.
  take(await api.get("session"));
}

export async function logout() {
  await api.remove("session");
  leave();
}

/** The session has ended, here or at the server. */
export function leave() {
  api.setCsrf("");
  known.set("no");
  person.set(null);
}

function take(said) {
  api.setCsrf(said.csrf);
  known.set("yes");
  person.set(said);
}
