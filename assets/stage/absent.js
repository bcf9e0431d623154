// What is asked, by a link or of an earlier network, and does not exist here: told in a sentence, and kept for where it does.

export class Absent {
  constructor() {
    this.asked = {};
    this.faults = [];
    this.told = new Set();
  }

  /** The view as it was asked, before it is fitted to what has arrived. */
  restore(view) {
    Object.assign(view, this.asked);
    Object.assign(this, { asked: {}, faults: [] });
  }

  /** `instead` for what `view` asks under `name`; `said` is the English sentence, of {asked} and any other facts. */
  replace(view, name, instead, { said, ...facts }) {
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
