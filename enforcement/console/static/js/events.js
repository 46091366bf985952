/**
 * Server-sent events of /api/v1/events, resumed after the last one seen. Read with `fetch`, since an
 * EventSource gives up on an answer like 503 and cannot tell that a session has ended.
 */

import { ROOT } from "./api.js";
import { connection } from "./connection.js";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** The server says something at least this often; a line that is silent for longer is dead. */
const LONGEST_SILENCE_MS = 45_000;

/**
 * @param {{onEvent: (name: string, data: any) => void, onResumed: () => void, onExpired: () => void}} told
 *   `onResumed` is called after each connection that follows a lost one.
 * @returns {() => void} ends it
 */
export function follow(told) {
  const ending = new AbortController();
  run(told, ending.signal);
  return () => ending.abort();
}

async function run(told, ending) {
  const place = { id: "" };
  let pause_ms = FIRST_PAUSE_MS;
  let lost = false;
  while (!ending.aborted) {
    const began_ms = Date.now();
    const status = await readOnce(told, place, ending, lost).catch(() => 0);
    if (ending.aborted) return;
    if (status === 401) return told.onExpired();
    lost = true;
    if (status !== 200) connection.lost();
    pause_ms = Date.now() - began_ms > LONGEST_PAUSE_MS ? FIRST_PAUSE_MS : Math.min(pause_ms * 1.7, LONGEST_PAUSE_MS);
    await sleep(pause_ms * (0.7 + 0.6 * Math.random()), ending);
  }
}

/** Until the line ends; the answer's status. */
async function readOnce(told, place, ending, lost) {
  const headers = { Accept: "text/event-stream" };
  if (place.id) headers["Last-Event-ID"] = place.id;
  const silence = new AbortController();
  const signal = AbortSignal.any([ending, silence.signal]);
  let timer = setTimeout(() => silence.abort(), LONGEST_SILENCE_MS);
  try {
    const response = await fetch(`${ROOT}events`, { headers, credentials: "same-origin", cache: "no-store", signal });
    if (!response.ok || !response.body) return response.status;
    connection.answered();
    if (lost) told.onResumed();
    const parse = parser((name, data, id) => {
      if (id) place.id = id;
      if (data !== null) told.onEvent(name, data);
    });
    const decoder = new TextDecoder();
    for await (const chunk of chunks(response.body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), LONGEST_SILENCE_MS);
      parse(decoder.decode(chunk, { stream: true }));
    }
    return 200;
  } finally {
    clearTimeout(timer);
  }
}

async function* chunks(body) {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/**
 * A parser of `text/event-stream`, fed with pieces of any size.
 * @param {(name: string, data: any, id: string) => void} emit data is null where only an id was said
 */
export function parser(emit) {
  let rest = "";
  let event = { name: "message", data: [], id: "" };
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        emit(event.name, event.data.length ? JSON.parse(event.data.join("\n")) : null, event.id);
        event = { name: "message", data: [], id: "" };
      } else take(event, line);
    }
  };
}

function take(event, line) {
  const at = line.indexOf(":");
  if (at === 0) return; // A comment keeps the line alive.
  const field = at < 0 ? line : line.slice(0, at);
  const value = at < 0 ? "" : line.slice(at + 1).replace(/^ /, "");
  if (field === "event") event.name = value;
  else if (field === "data") event.data.push(value);
  else if (field === "id") event.id = value;
}

function sleep(ms, ending) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    ending.addEventListener("abort", () => { clearTimeout(timer); resolve(undefined); }, { once: true });
  });
}
