// Whatever answers late is dropped: of several questions under one name only the newest is answered, for the page, every
// tab and every cache. The older one's request is aborted, and nothing that stands behind its `await` ever runs.

/** The answer to a question that a newer one has overtaken. */
export class Late extends Error {}

export class Turns {
  #newest = new Map();

  /**
   * Runs `work(turn)`. All that it waits for passes through `await turn(promise)`, which throws `Late`, and so ends it,
   * once a newer question of this name was asked; `turn.signal` aborts its requests then. `busy(true)` is called at
   * once, `busy(false)` when nothing is under way under this name. Resolves to whether the work came to its end.
   */
  async latest(name, work, busy = () => {}) {
    this.end(name);
    const own = { stop: new AbortController(), busy };
    this.#newest.set(name, own);
    busy(true);
    try {
      await work(turnOf(own.stop.signal));
    } catch (wrong) {
      if (!(wrong instanceof Late)) throw wrong;
    } finally {
      if (this.#newest.get(name) === own) this.end(name);
      else own.late = true;
    }
    return !own.late;
  }

  /** Whether a question of this name is under way. */
  open(name) {
    return this.#newest.has(name);
  }

  /** Nothing is wanted under this name any more. */
  end(name) {
    const last = this.#newest.get(name);
    this.#newest.delete(name);
    last?.stop.abort();
    last?.busy(false);
  }

  /** Nothing at all is wanted of what was asked so far: another picture or network has come. */
  endAll() {
    for (const name of [...this.#newest.keys()]) this.end(name);
  }
}

/** Hands on what a promise brings, or its failure, while `signal` is not aborted. */
function turnOf(signal) {
  const turn = async (promise) => {
    try {
      return await promise;
    } finally {
      if (signal.aborted) throw new Late(); // also in place of a failure: one that comes late is nobody's
    }
  };
  return Object.assign(turn, { signal });
}
