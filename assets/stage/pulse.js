// Whether the server is there: asked while something is awaited of it, and, once it is away, until it is back. A server that
// was started anew knows nothing of what was asked of the last one, so that it must be asked again.

import { Away, get } from "./server.js";

const EVERY = 1000; // milliseconds between two looks
const PATIENCE = 5000; // a server that answers later than that is busy, not away

export class Pulse {
  /** awaits(): whether an answer is on its way. away(wrong): the server has gone. back(): another one, or the same, is there. */
  constructor({ awaits, away, back }) {
    Object.assign(this, { awaits, away, back, lost: false, since: null });
    setInterval(() => (this.lost || this.awaits()) && this.#look(), EVERY);
  }

  /** Somebody has found the server away. */
  lose() {
    this.#set(true);
  }

  /** Gradio's own sentences about a lost connection would stand over the page's. */
  #set(lost) {
    this.lost = lost;
    document.body.classList.toggle("pl-away", lost);
  }

  async #look() {
    if (this.looking) return;
    this.looking = true;
    try {
      const { since } = await (await get("patchlight/alive", {}, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) })).json();
      const other = this.lost || (this.since !== null && since !== this.since);
      this.since = since;
      this.#set(false);
      if (other) this.back();
    } catch (wrong) {
      if (wrong instanceof Away && !this.lost) this.away(wrong);
      else if (!(wrong instanceof Away) && wrong.name !== "TimeoutError") throw wrong;
    } finally {
      this.looking = false;
    }
  }
}
