// Frames of a run's strip: fetched one after another while the page looks, the wanted one first, kept while it is open.

import { Away, Told } from "./server.js";
import { ask } from "./training_server.js";

const REST = 30; // milliseconds between two frames, so that pointing stays smooth
const AGAIN = 1500; // after the server was away

export class Frames {
  /** arrived(step, kind) when a frame is here; refused(kind, fault) where this run has no such pictures. */
  constructor({ arrived, refused }) {
    Object.assign(this, { arrived, refused, kept: new Map(), none: new Map(), gone: new Set(), queue: [], run: null });
  }

  /** Another run: nothing of the old one stays. */
  open(run) {
    this.stop();
    Object.assign(this, { run, kept: new Map(), none: new Map(), gone: new Set() });
  }

  get(step, kind) {
    return this.kept.get(`${kind} ${step}`) ?? null;
  }

  /** Why there are none of this kind, or null. */
  why(kind) {
    return this.none.get(kind) ?? null;
  }

  /** What is wanted now, in this order; anything else that waited is dropped. */
  want(steps, kind) {
    this.queue = this.none.has(kind) ? [] : steps.filter((step) => !this.get(step, kind) && !this.gone.has(`${kind} ${step}`)).map((step) => [step, kind]);
    if (!this.running) this.#run();
  }

  stop() {
    this.queue = [];
    this.stopper?.abort();
  }

  async #run() {
    this.running = true;
    while (this.queue.length && !document.hidden) {
      const [step, kind] = this.queue.shift();
      const wait = await this.#fetch(this.run, step, kind);
      await new Promise((done) => setTimeout(done, wait));
    }
    this.running = false;
  }

  /** Fetches one frame; how long to rest afterwards. */
  async #fetch(run, step, kind) {
    this.stopper = new AbortController();
    try {
      const found = await ask("frame", { run, step, kind }, this.stopper.signal);
      if (run !== this.run) return 0;
      if (!found.arrays) return void this.gone.add(`${kind} ${step}`) ?? REST;
      this.kept.set(`${kind} ${step}`, found);
      this.arrived(step, kind);
    } catch (wrong) {
      if (wrong instanceof Away) return AGAIN;
      if (wrong instanceof Told && run === this.run) this.#refuse(step, kind, wrong.fault);
      else if (wrong.name !== "AbortError" && !(wrong instanceof Told)) throw wrong;
    }
    return REST;
  }

  /** One frame may be missing, such as of a snapshot that was dropped; only where none came, none will. */
  #refuse(step, kind, fault) {
    this.gone.add(`${kind} ${step}`);
    if ([...this.kept.keys()].some((name) => name.startsWith(`${kind} `))) return;
    this.none.set(kind, fault);
    this.queue = this.queue.filter(([, other]) => other !== kind);
    this.refused(kind, fault);
  }
}
