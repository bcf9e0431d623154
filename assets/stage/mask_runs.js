// What takes longer than a look, with progress, and stopped by the button that started it: doubt, the curve, films.

import { save } from "./export.js";
import { language, number, say } from "./words.js";

const RATIOS = Array.from({ length: 19 }, (_, step) => Math.round(5 * (step + 1)) / 100);
const [SEEDS, MASKS] = [4, 16]; // where the address asks for none
const REST = 300; // milliseconds

export class Runs {
  /** asks: Asks. asked: Asked. more: cards of mask_more.js. curve: Curve. doubted(bundle, or null where it is past). */
  constructor({ asks, asked, more, curve, doubted }) {
    Object.assign(this, { asks, asked, more, curve, doubted, of: {}, whole: {} });
  }

  get masks() {
    return this.asked.view.masks || MASKS;
  }

  /** What has been run for the mask that is asked about: values of a question that would run it again. */
  get shown() {
    return { ...this.whole.doubt, ...this.whole.curve };
  }

  /** Another mask, network or picture: what was run for the last one stops, and is taken off the page. */
  fit() {
    for (const name of ["doubt", "curve"]) if (this.of[name] && this.of[name] !== this.#question(name)) this.forget(name);
  }

  forget(name) {
    this.stop(name);
    this.of[name] = this.whole[name] = null;
    if (name === "doubt") this.doubted(null);
    else this.curve.hide();
  }

  /** One paints: nothing is asked meanwhile. */
  wait() {
    clearTimeout(this.later);
    this.asks.turns.end("foreseen");
  }

  /** Say what masks will take before they run, when the mask has rested. */
  foresee() {
    this.wait();
    this.later = setTimeout(() => {
      const { masks } = this;
      if (this.asked.empty) return this.more.setForeseen(null);
      this.asks.latest("foreseen", { ...this.asked.question(), masks }, ({ facts }) => this.more.setForeseen({ ...facts, masks }));
    }, REST);
  }

  /** Start what is named, or stop it where it runs. */
  toggle(name) {
    if (this.asks.turns.open(name)) return this.stop(name);
    [this.of[name], this.whole[name]] = [this.#question(name), null];
    const run = { doubt: (turn) => this.#doubt(turn), curve: (turn) => this.#curve(turn) }[name] ?? ((turn) => this.#film(name, turn));
    this.asks.turns.latest(name, run, (busy) => this.more.setRunning(name, busy ? 0 : null));
  }

  /** What a run is for, in one word: a curve knows no ratio, unless that of a painted shape. */
  #question(name) {
    const { ratio, ...others } = this.asked.question();
    return JSON.stringify(name === "curve" ? others : { ...others, ratio });
  }

  stop(name) {
    this.asks.turns.end(name);
  }

  forgetAll() {
    ["doubt", "curve"].forEach((name) => this.forget(name));
  }

  async #doubt(turn) {
    const { masks } = this;
    const since = performance.now();
    const question = { ...this.asked.question(), masks };
    for (let step = 0, done = 0, of = masks; done < of; step++) {
      const found = await this.asks.bundle("doubt", { ...question, step }, turn);
      ({ done, of } = found.facts);
      const left = ((performance.now() - since) / 1000 / done) * (of - done);
      this.more.setRunning("doubt", done / of, say("{done} of {masks} masks are done, {seconds} s left.", { done, masks: of, seconds: number(Math.ceil(left)) }));
      if (done < of) continue;
      this.whole.doubt = { masks };
      this.doubted(found);
    }
  }

  async #curve(turn) {
    const seeds = this.asked.view.seeds || SEEDS;
    const question = this.asked.question();
    for (const [index, ratio] of RATIOS.entries()) {
      const found = await this.asks.bundle("curve", { ...question, ratio, seeds }, turn);
      if (!index) this.curve.clear(found.facts.kind === "grid" ? 1 : seeds, found.facts.kind);
      this.curve.add(ratio, found.facts);
      if (!index) this.curve.element.scrollIntoView({ block: "nearest" });
      this.more.setRunning("curve", (index + 1) / RATIOS.length);
    }
    this.whole.curve = { seeds };
  }

  async #film(form, turn) {
    const { film } = this.asked.view;
    const file = await this.asks.file(form, { ...this.asked.question(), film, form, language }, turn);
    save({ source: file, name: `patchlight-masks-${film}.${form}` });
  }
}
