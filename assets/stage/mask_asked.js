// What the mask lab asks: the mask on its grid, and whatever goes with it to the server and into the page's address.

import { hiddenCount, maskOf, read, written } from "./mask_orders.js";
import { remember } from "./state.js";

const ASKED = ["kind", "ratio", "seed", "statistics", "against", "mask"];

/** Kinds that the server finds, by attention. */
export const FOUND = ["object", "outside"];

export class Asked {
  constructor({ defaults, asked, brush }) {
    Object.assign(this, { defaults, brush, view: { ...defaults } });
    this.change(asked);
  }

  /** Any of the view's values, from any control. */
  change(changes) {
    Object.assign(this.view, changes);
    if (this.view.film === "none") this.view.film = "ratio";
  }

  get grid() {
    return this.brush.grid;
  }

  get patches() {
    return this.brush.mask.length;
  }

  get hidden() {
    return this.brush.hidden;
  }

  /** Whether there is nothing to paint, or nothing to paint it from. */
  get empty() {
    return [0, this.patches].includes(this.hidden);
  }

  /** Checkpoints that the network is compared with. */
  get others() {
    return this.view.against.split(",").filter(Boolean);
  }

  /** The mask of a picture that has just come, on `grid`: as painted where that fits, else by kind. */
  begin(grid) {
    const painted = this.view.mask ? read(this.view.mask, grid) : null;
    if (!painted) this.view.mask = "";
    this.brush.set(painted ?? this.#made(grid), grid, false);
  }

  /** By kind, ratio and seed, as the controls say; painting makes a mask of its own. */
  remake() {
    if (FOUND.includes(this.view.kind)) this.view.kind = "random";
    this.brush.set(this.#made(this.grid), this.grid);
  }

  /** The brush's mask is the one that counts from now on. */
  painted() {
    this.view.mask = written(this.brush.mask, this.grid);
  }

  /** Named values for an address of the server. */
  question() {
    const values = {};
    for (const name of ASKED) if (this.view[name] !== null && this.view[name] !== "") values[name] = this.view[name];
    return values;
  }

  /** This mask as text on a network's own grid, which is finer where another network's is coarser. */
  fine([rows, columns]) {
    const [high, wide] = [rows / this.grid[0], columns / this.grid[1]];
    const coarse = (patch) => Math.floor(Math.floor(patch / columns) / high) * this.grid[1] + Math.floor((patch % columns) / wide);
    return written(Uint8Array.from({ length: rows * columns }, (_, patch) => this.brush.mask[coarse(patch)]), [rows, columns]);
  }

  remember() {
    const { checkpoint, side, fit, patch, film, form, ...own } = this.view; // the first three are the desk's
    remember(own, this.defaults);
  }

  #made(grid) {
    const { kind, ratio, seed } = this.view;
    return maskOf(FOUND.includes(kind) ? "random" : kind, grid, hiddenCount(ratio, grid[0] * grid[1]), seed);
  }
}
