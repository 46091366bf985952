/** A value that tells when it changes. All state that more than one view shows is one of these. */

/**
 * @template T
 * @param {T} value
 */
export function signal(value) {
  const listeners = new Set();
  return {
    /** @returns {T} */
    get: () => value,
    /** @param {T} next */
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener(value);
    },
    /**
     * @param {(value: T) => void} listener called now and at every change
     * @returns {() => void} ends it
     */
    watch(listener) {
      listeners.add(listener);
      listener(value);
      return () => listeners.delete(listener);
    },
  };
}
