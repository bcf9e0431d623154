// What a link asks and does not exist here: told in a sentence, and kept for a picture where it does. What a reader chose
// of an earlier network belongs to that network: where another one lacks it, it is left behind.

export class Absent {
  constructor() {
    this.asked = {};
    this.faults = [];
    this.told = new Set();
  }

  /** The view as it was asked, before it is fitted to what has arrived. network: whose choices they are, where a network can
   *  lack them. */
  restore(view, network = null) {
    this.left = Boolean(this.network) && network !== this.network;
    if (!this.left) Object.assign(view, this.asked);
    Object.assign(this, { network, asked: {}, faults: [] });
  }

  /** `instead` for what `view` asks under `name`; `said` is the English sentence, of {asked}, as readers count, and any other facts. */
  replace(view, name, instead, { said, ...facts }) {
    if (this.left) return void (view[name] = instead);
    this.faults.push({ template: said, facts: { asked: view[name], ...facts } });
    this.keep(view, name, instead);
  }

  /** `instead`, without a sentence. */
  keep(view, name, instead) {
    this.asked[name] = view[name];
    view[name] = instead;
  }

  /** The reader asks anew. */
  forget(changes) {
    for (const name of Object.keys(changes)) delete this.asked[name];
  }

  /** Faults of this arrival that the last one did not tell already. */
  news() {
    const now = new Map(this.faults.map((fault) => [JSON.stringify(fault), fault]));
    const fresh = [...now.keys()].filter((key) => !this.told.has(key)).map((key) => now.get(key));
    this.told = new Set(now.keys());
    return fresh;
  }
}
