// What buttons and keys do to the mask, and where attention says that the object is.

import { FOUND } from "./mask_asked.js";

const RULES = { invert: (value) => 1 - value, clear: () => 0, all: () => 1 };
const KEYS = { i: "invert", I: "invert", Delete: "clear" };

export class Hand {
  /** canvas: the panel that is painted. run(name): whatever is no change of the mask. remade(): the mask came from elsewhere. */
  constructor({ brush, asked, asks, canvas, run, remade }) {
    Object.assign(this, { brush, asked, asks, canvas, run, remade });
  }

  act(name) {
    if (RULES[name]) this.brush.every(RULES[name]);
    else if (name === "undo") this.brush.undo();
    else if (FOUND.includes(name)) this.object(name);
    else this.run(name);
  }

  key(event) {
    if (event.target.matches("input, select, textarea, dialog *")) return;
    const meta = event.ctrlKey || event.metaKey;
    const act = meta && event.key.toLowerCase() === "z" ? "undo" : meta || event.altKey ? null : KEYS[event.key];
    if (act) this.act(act);
    else if (meta || event.altKey || document.activeElement !== this.canvas || !this.brush.key(event)) return;
    event.preventDefault();
  }

  /** Hide the "object", or all that lies "outside" it. */
  object(name) {
    return this.asks.latest("object", { against: this.asked.view.against }, ({ facts, arrays }) => {
      this.brush.set(arrays.mask.map((value) => (name === "object" ? value : 1 - value)), this.asked.grid);
      this.asked.painted();
      this.finder = { title: facts.title, mask: this.asked.view.mask };
      this.remade();
    });
  }

  /** Who found the object that the mask is, or null where it is another mask. */
  get found() {
    return this.finder?.mask === this.asked.view.mask ? this.finder : null;
  }
}
