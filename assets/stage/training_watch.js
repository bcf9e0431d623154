// What the page knows of runs: asked of the server once a second, nothing of it that could not be asked again.

import { Away, Told } from "./server.js";
import { Columns } from "./training_curves.js";
import { ask } from "./training_server.js";

const EVERY = 1000; // milliseconds between two looks
const AGAIN = 400; // while the server is away
const PATIENCE = 6000; // after which a look counts as lost

export class Watch {
  /**
   * wanted(): {run, besides}, names; there(): whether the tab is still in the page; arrived(): something new is known;
   * away(whether the server is); gone(fault): the run that was wanted is not there, or not this visitor's.
   *
   * jobs: as the server tells them. run: {kinds, shown, verdicts, basis, recent, measured, numbers} of the one that is wanted, or null.
   * told: the comparison, or null. off: why nobody trains here, or null. listed: whether the server has been heard.
   */
  constructor({ wanted, there, arrived, away, gone }) {
    Object.assign(this, { wanted, there, arrived, away, gone, jobs: [], run: null, told: null, off: null, listed: false, columns: new Map() });
  }

  columnsOf(run) {
    if (!this.columns.has(run)) this.columns.set(run, new Columns());
    return this.columns.get(run);
  }

  /** A run that was deleted. */
  forget(run) {
    this.columns.delete(run);
    this.jobs = this.jobs.filter(({ name }) => name !== run);
  }

  /** Look at once, not only when the second is over. */
  now() {
    this.wake?.();
  }

  /** Looks until the tab is gone. */
  async start() {
    if (this.looking) return;
    this.looking = true;
    while (this.there()) {
      const wait = document.hidden ? EVERY : await this.#once();
      await new Promise((done) => {
        this.wake = done;
        setTimeout(done, wait);
      });
    }
    this.looking = false;
  }

  /** One look; how long to rest afterwards. */
  async #once() {
    try {
      const { run, besides } = this.wanted();
      if (run) await this.#one(run, besides);
      else await this.#list();
      this.away(false);
      this.arrived();
      return EVERY;
    } catch (wrong) {
      const away = wrong instanceof Away || wrong.name === "TimeoutError";
      if (!away && !(wrong instanceof Told)) throw wrong;
      if (away) this.away(true);
      else this.gone(wrong.fault);
      return AGAIN;
    }
  }

  async #list() {
    const { runs, damaged, off } = await ask("runs", {}, AbortSignal.timeout(PATIENCE));
    Object.assign(this, { jobs: runs, damaged, off, listed: true });
  }

  async #one(run, besides) {
    const columns = this.columnsOf(run);
    const found = await ask("watch", { run, since: columns.since }, AbortSignal.timeout(PATIENCE));
    if (run !== this.wanted().run) return;
    columns.take(found);
    const { runs, damaged, off, kinds, shown, verdicts, basis, recent, measured, numbers } = found.facts;
    Object.assign(this, { jobs: runs, damaged, off, listed: true, run: { kinds, shown, verdicts, basis, recent, measured, numbers } });
    for (const name of besides) {
      const other = this.columnsOf(name);
      other.take(await ask("curves", { run: name, since: other.since }, AbortSignal.timeout(PATIENCE)));
    }
    this.told = besides.length ? await ask("compare", { runs: [run, ...besides].join(",") }) : null;
  }
}
