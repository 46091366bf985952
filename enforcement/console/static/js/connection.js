/** Whether the server answers; shown in the top bar and as a banner, followed by views. */

import { signal } from "./signal.js";

/** `since_ms`: when the server was last known to be away. */
const state = signal({ away: false, since_ms: 0 });

export const connection = {
  watch: state.watch,
  away: () => state.get().away,
  lost() {
    if (!state.get().away) state.set({ away: true, since_ms: Date.now() });
  },
  answered() {
    if (state.get().away) state.set({ away: false, since_ms: 0 });
  },
};
