// Questions of the mask lab to the server, each at an address that came with the picture.

import { fetchBundle } from "./bundle.js";
import { get } from "./server.js";

export class Asks {
  /** turns: of the tab. busy(true or false): whether anything is asked. */
  constructor({ turns, busy }) {
    Object.assign(this, { turns, busy, addresses: {}, waiting: 0 });
  }

  url(name, values) {
    const url = new URL(this.addresses[name], document.baseURI);
    for (const [key, value] of Object.entries(values)) url.searchParams.set(key, value);
    return url;
  }

  /** What the newest question under `name` is answered with goes to `take`; asked at the address of that name. */
  latest(name, values, take) {
    return this.turns.latest(name, async (turn) => take(await this.bundle(name, values, turn)));
  }

  /** {facts, arrays}, within a question that is under way. */
  bundle(name, values, turn) {
    return this.#asked(turn(fetchBundle(this.addresses[name], values, turn.signal)));
  }

  /** A whole file. */
  async file(name, values, turn) {
    return this.#asked(turn(get(this.addresses[name], values, { signal: turn.signal }).then((answer) => answer.blob())));
  }

  async #asked(answer) {
    this.busy(++this.waiting > 0);
    try {
      return await answer;
    } finally {
      this.busy(--this.waiting > 0);
    }
  }
}
