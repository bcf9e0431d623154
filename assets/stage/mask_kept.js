// What the panels can show, by name: for the network that is asked, and for each answer that can stand beside it.

import { canvasOf } from "./mask_canvas.js";

/** name → English text of the film strip's frames. */
export const VIEWS = {
  picture: "Picture", error: "Error, colours", loss: "Error, training", nearest: "Nearest patch", mean: "Mean colour",
  doubt: "Mean over masks", deviation: "Deviation", encoder: "Encoder from", decoder: "Decoder from",
};

export class Kept {
  /** image: canvas of the picture as fed. */
  constructor(image) {
    this.image = image;
    this.views = { picture: { canvas: image } };
    this.others = [];
  }

  /** One mask's answer: `facts` and `arrays` of explorers/mask_lab.py's `explore`. */
  answer({ facts, arrays }) {
    Object.assign(this, { facts, arrays });
    const of = (name) => arrays[name];
    const told = facts.against.map((other, turn) => ({ ...other, prefix: turn ? `against_${turn + 1}_` : "against_" }));
    this.prediction = canvasOf(of("prediction"));
    this.mask = of("mask");
    this.joined = this.#over(this.prediction);
    this.others = [
      ...told.map(({ prefix, ...other }) => ({
        ...other, key: other.checkpoint, prediction: canvasOf(of(`${prefix}prediction`)),
        map: of(`${prefix}map`), error: of(`${prefix}error`), mask: of(`${prefix}mask`),
      })),
      ...["nearest", "mean"].map((name) => ({
        key: name, grid: facts.grid, psnr: facts.psnr[name], loss: facts.losses[name], measure: facts.measure,
        prediction: canvasOf(of(name)), map: of(`${name}_map`), error: of(`${name}_error`), mask: this.mask,
      })),
    ];
    this.#maps(facts, arrays);
    for (const name of ["encoder", "decoder"]) delete this.views[name];
  }

  doubt({ facts, arrays }) {
    this.views.doubt = { canvas: canvasOf(arrays.doubt_mean) };
    this.views.deviation = { values: arrays.doubt_map, grid: arrays.doubt_map.shape, scale: Math.max(...arrays.doubt_map) };
    this.doubted = facts;
  }

  /** Rows of the square that was clicked, in one of the blocks. */
  sources({ arrays, hidden }, block) {
    for (const name of ["encoder", "decoder"]) {
      const rows = arrays[`${name}_from`];
      delete this.views[name];
      if (!rows || (name === "encoder" && hidden && arrays.decoder_from)) continue;
      const [blocks, high, wide] = rows.shape;
      const at = Math.min(block ?? blocks - 1, blocks - 1);
      const part = (array) => array?.subarray(at * high * wide, (at + 1) * high * wide);
      const values = part(rows);
      this.views[name] = { values, grid: [high, wide], scale: Math.max(...values), seen: name === "encoder" ? part(arrays.encoder_seen) : null, block: at, blocks, linear: !arrays.decoder_from };
    }
  }

  other(key) {
    return this.others.find((other) => other.key === key) ?? null;
  }

  /** What stands beside the first panel's view: another answer's error where errors are looked at, else its picture. */
  beside(other, view) {
    if (view === "error") return { values: other.map, grid: other.grid, mask: other.mask, scale: this.views.error.scale };
    if (view !== "loss") return { canvas: other.prediction };
    const scale = other.measure === this.facts.measure ? this.views.loss.scale : greatest(other.error, other.mask);
    return { values: other.error, grid: other.grid, mask: other.mask, scale };
  }

  #maps(facts, arrays) {
    const alike = this.others.filter(({ measure }) => measure === facts.measure);
    const colours = [greatest(arrays.map, this.mask), ...this.others.map(({ map, mask }) => greatest(map, mask))];
    const losses = [greatest(arrays.error, this.mask), ...alike.map(({ error, mask }) => greatest(error, mask))];
    this.views.error = { values: arrays.map, grid: facts.grid, mask: this.mask, scale: Math.max(...colours) };
    this.views.loss = { values: arrays.error, grid: facts.grid, mask: this.mask, scale: Math.max(...losses) };
    for (const name of ["nearest", "mean"]) this.views[name] = this.#over(this.other(name).prediction);
  }

  #over(made) {
    return { canvas: this.image, over: made, mask: this.mask, grid: this.facts.grid };
  }
}

/** The greatest value of hidden squares. */
const greatest = (values, mask) => values.reduce((most, value, patch) => (mask[patch] ? Math.max(most, value) : most), 0);

/** Draws one view. */
export function drawView(drawing, view, image) {
  drawing.picture(view.canvas ?? image);
  if (view.over) drawing.paste(view.over, view.mask, view.grid);
  if (!view.values) return;
  drawing.map(view.values, view.grid, { scale: view.scale, table: "magma", mask: view.mask ?? view.seen });
  if (view.seen) drawing.hatch(view.seen, view.grid, 0);
}

/** Mean of the finer squares that lie in one square of a coarser grid. */
export function meanOver(values, [rows, columns], [high, wide], patch) {
  const [tall, broad] = [rows / high, columns / wide];
  let sum = 0;
  for (let row = 0; row < tall; row++)
    for (let column = 0; column < broad; column++)
      sum += values[(Math.floor(patch / wide) * tall + row) * columns + (patch % wide) * broad + column];
  return sum / (tall * broad);
}
