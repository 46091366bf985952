/** Two calm tones for a new critical violation, made here; silent where the switch says so. */

import { sound } from "./remembered.js";

const NOTES = [
  { hz: 660, at_s: 0 },
  { hz: 880, at_s: 0.18 },
];
const LENGTH_S = 0.35;
const LOUDNESS = 0.14;
const AT_MOST_EVERY_MS = 4_000;

/** @type {AudioContext | null} */
let context = null;
let last_ms = 0;

/** Browsers allow sound only after somebody has pressed something. */
export function allowSound() {
  const unlock = () => {
    context ??= new AudioContext();
    context.resume().catch(() => {});
  };
  addEventListener("pointerdown", unlock, { once: true });
  addEventListener("keydown", unlock, { once: true });
}

/** @returns {boolean} whether it was played */
export function alarm(now_ms = Date.now()) {
  if (sound.get() !== "on" || !context || now_ms - last_ms < AT_MOST_EVERY_MS) return false;
  last_ms = now_ms;
  for (const { hz, at_s } of NOTES) play(context, hz, context.currentTime + at_s);
  return true;
}

function play(output, hz, from_s) {
  const tone = output.createOscillator();
  const volume = output.createGain();
  tone.type = "sine";
  tone.frequency.value = hz;
  volume.gain.setValueAtTime(0, from_s);
  volume.gain.linearRampToValueAtTime(LOUDNESS, from_s + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.001, from_s + LENGTH_S);
  tone.connect(volume).connect(output.destination);
  tone.start(from_s);
  tone.stop(from_s + LENGTH_S);
}
