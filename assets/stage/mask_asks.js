// Questions of the mask lab to the server, each at an address that came with the picture.

import { Told, fetchBundle } from "./bundle.js";

export class Asks {
  /** tell(fault). gone(): the server has forgotten the picture. busy(true or false): whether anything is asked. */
  constructor({ tell, gone, busy }) {
    Object.assign(this, { tell, gone, busy, addresses: {}, waiting: 0 });
  }

  url(name, values) {
    const url = new URL(this.addresses[name], document.baseURI);
    for (const [key, value] of Object.entries(values)) url.searchParams.set(key, value);
    return url;
  }

  /** {facts, arrays}; null where the server told why not, which is said. */
  bundle(name, values) {
    return this.#asked(() => fetchBundle(this.addresses[name], values));
  }

  /** A whole file; null where the server told why not, or `signal` stopped it. */
  file(name, values, signal) {
    return this.#asked(async () => {
      const answer = await fetch(this.url(name, values), { signal });
      if (answer.ok) return answer.blob();
      const { fault } = await answer.json();
      const told = new Told(fault ?? { template: "", facts: {} });
      throw Object.assign(told, { gone: !fault });
    });
  }

  async #asked(job) {
    this.busy(++this.waiting > 0);
    try {
      return await job();
    } catch (wrong) {
      if (wrong.name === "AbortError") return null;
      if (!(wrong instanceof Told)) throw wrong;
      if (wrong.gone) this.gone();
      else this.tell(wrong.fault);
      return null;
    } finally {
      this.busy(--this.waiting > 0);
    }
  }
}
