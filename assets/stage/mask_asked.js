// What the mask lab asks: the mask on its grid, and whatever goes with it to the server and into the page's address.

import { Absent } from "./absent.js";
import { hiddenCount, maskOf, read, written } from "./mask_orders.js";
import { remember } from "./state.js";
import { say } from "./words.js";

const ASKED = ["kind", "ratio", "seed", "statistics", "against", "mask"];

/** Kinds that the server finds, by attention. */
export const FOUND = ["object", "outside"];

export class Asked {
  constructor({ defaults, asked, brush }) {
    Object.assign(this, { defaults, brush, view: { ...defaults }, absent: new Absent() });
    this.change(asked);
  }

  /** Any of the view's values, from any control. */
  change(changes) {
    Object.assign(this.view, changes);
    this.absent.forget(changes);
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

  /** Why this mask has no answer, in the reader's words; null where it has one. */
  get nothing() {
    const { hidden, patches, empty } = this;
    return empty ? say("The mask hides {hidden} of {patches} patches, but a masked autoencoder fills in hidden patches from visible ones; hide at least one and leave at least one.", { hidden, patches }) : null;
  }

  /** Checkpoints that the network is compared with. */
  get others() {
    return this.view.against.split(",").filter(Boolean);
  }

  /** Another network or picture: what was asked stays, as far as there are such networks. facts: of its bundle. */
  fit({ able, checkpoint }) {
    const { view, absent } = this;
    absent.restore(view);
    const known = new Set(able.map(({ id }) => id));
    const missing = this.others.filter((id) => !known.has(id));
    const beside = this.others.filter((id) => known.has(id) && id !== checkpoint).join(",");
    if (missing.length)
      absent.replace(view, "against", beside, { said: "{missing} was to be compared with, but is no network of the list that paints hidden patches; choose one at the right, under the table.", missing: missing.join(", ") });
    else view.against = beside;
  }

  /** The mask of a picture that has just come, on `grid`: as painted where that fits, else by kind. */
  begin(grid) {
    const { view, absent } = this;
    const painted = view.mask ? read(view.mask, grid) : null;
    if (view.mask && !painted)
      absent.replace(view, "mask", "", { said: "A painted mask was asked for, but it does not have the {rows} × {columns} squares of this network and picture; one by kind and share is shown instead, paint another.", rows: grid[0], columns: grid[1] });
    this.brush.set(painted ?? this.#made(grid), grid, false);
  }

  /** By kind, ratio and seed, as the controls say; painting makes a mask of its own. */
  remake() {
    if (FOUND.includes(this.view.kind)) this.view.kind = "random";
    this.brush.set(this.#made(this.grid), this.grid);
  }

  /** The brush's mask is the one that counts from now on. */
  painted() {
    this.change({ mask: written(this.brush.mask, this.grid) });
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
    remember({ ...own, ...this.absent.asked }, this.defaults);
  }

  #made(grid) {
    const { kind, ratio, seed } = this.view;
    return maskOf(FOUND.includes(kind) ? "random" : kind, grid, hiddenCount(ratio, grid[0] * grid[1]), seed);
  }
}
