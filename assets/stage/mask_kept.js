// What the panels can show, by name: for the network that is asked, and for each answer that can stand beside it.

import { Drawing, canvasOf } from "./mask_canvas.js";

/** name → English text of the film strip's frames. */
export const VIEWS = {
  picture: "Picture", error: "Error, colours", loss: "Error, training", nearest: "Nearest patch", mean: "Mean colour",
  doubt: "Mean over masks", deviation: "Deviation", encoder: "Encoder attention", decoder: "Decoder attention",
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
    this.joined = this.joinedOf(this);
    this.#maps(facts, arrays);
    for (const name of ["encoder", "decoder"]) delete this.views[name];
  }

  /** What masks of this kind and size say of the picture; null where the mask is another now. */
  doubt(found) {
    for (const name of ["doubt", "deviation"]) delete this.views[name];
    if (!found) return;
    const { doubt_mean: mean, doubt_map: map } = found.arrays;
    this.views.doubt = { canvas: canvasOf(mean) };
    this.views.deviation = { values: map, grid: map.shape, scale: Math.max(...map) };
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

  /** Hidden squares of an answer in the picture. They are joined before they are drawn larger, so that no edge takes
   *  colour from what the answer paints over a square that is seen. */
  joinedOf({ prediction, mask, facts, grid = facts.grid }) {
    const over = document.createElement("canvas");
    [over.width, over.height] = [prediction.width, prediction.height];
    const drawing = new Drawing(over);
    drawing.picture(this.image);
    drawing.paste(prediction, mask, grid);
    return { canvas: this.image, over, mask, grid };
  }

  #maps(facts, arrays) {
    const alike = this.others.filter(({ measure }) => measure === facts.measure);
    const colours = [greatest(arrays.map, this.mask), ...this.others.map(({ map, mask }) => greatest(map, mask))];
    const losses = [greatest(arrays.error, this.mask), ...alike.map(({ error, mask }) => greatest(error, mask))];
    this.views.error = { values: arrays.map, grid: facts.grid, mask: this.mask, scale: Math.max(...colours) };
    this.views.loss = { values: arrays.error, grid: facts.grid, mask: this.mask, scale: Math.max(...losses) };
    for (const name of ["nearest", "mean"]) this.views[name] = this.joinedOf(this.other(name));
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
