// Draws the mask lab's middle: four panels, the film of further views, the divider, the caption.

import { Panel, canvasOf } from "./mask_canvas.js";
import { gradient } from "./colours.js";
import { make, number, say } from "./words.js";

const VIEWS = {
  picture: "Picture", error: "Error, colours", loss: "Error, training", nearest: "Nearest patch", mean: "Mean colour",
  doubt: "Mean over masks", deviation: "Deviation", encoder: "Encoder from", decoder: "Decoder from", against: "Second network",
};
const SMALL = 150;

export class MaskView {
  /** pointed(patch or null), chosen(patch). */
  constructor({ brush, pointed, chosen }) {
    this.view = "picture";
    this.split = 0;
    this.said = [];
    this.shown = new Panel("Picture", "The picture, or what the film strip says");
    this.masked = new Panel("Masked: paint here", "Masked picture: paint with the pointer, or with arrows and space");
    this.predicted = new Panel("Predicted", "Every square as the network paints it");
    this.pasted = new Panel("Pasted together", "Hidden squares from the network, all others from the picture");
    this.panels = [this.shown, this.masked, this.predicted, this.pasted];
    [this.predicted, this.pasted].forEach((panel) => panel.canvas.classList.add("pl-mask-made"));
    brush.listen(this.masked);
    for (const panel of [this.shown, this.predicted, this.pasted]) this.#listen(panel, brush, pointed, chosen);
    this.#build();
  }

  setPicture(bytes) {
    this.image = canvasOf(bytes);
    this.aspect = this.image.width / this.image.height;
    this.kept = { picture: { canvas: this.image } };
    this.answer = this.doubt = this.prediction = null;
    this.choose("picture");
    this.element.classList.add("pl-filled");
  }

  setAnswer({ facts, arrays }) {
    this.answer = { facts, arrays };
    this.prediction = canvasOf(arrays.prediction);
    const mask = arrays.mask;
    const peak = Math.max(...arrays.map, ...arrays.nearest_error.filter((_, patch) => mask[patch]));
    const over = (bytes) => ({ canvas: this.image, over: canvasOf(bytes), mask, grid: facts.grid });
    this.joined = { canvas: this.image, over: this.prediction, mask, grid: facts.grid };
    this.kept.error = { values: arrays.map, grid: facts.grid, mask, scale: peak };
    this.kept.loss = { values: arrays.error, grid: facts.grid, mask, scale: Math.max(...arrays.error.filter((_, patch) => mask[patch])) };
    this.kept.nearest = over(arrays.nearest);
    this.kept.mean = over(arrays.mean);
    if (arrays.against_prediction) this.kept.against = { canvas: canvasOf(arrays.against_prediction) };
    else delete this.kept.against;
    delete this.kept.encoder;
    delete this.kept.decoder;
    if (!this.kept[this.view]) this.choose("picture");
  }

  setDoubt({ arrays }) {
    this.doubt = { values: arrays.doubt_map, grid: arrays.doubt_map.shape };
    this.kept.doubt = { canvas: canvasOf(arrays.doubt_mean) };
    this.kept.deviation = { ...this.doubt, scale: Math.max(...arrays.doubt_map) };
  }

  setSources({ arrays, hidden }) {
    const last = (array) => array.slice(-array.shape[1] * array.shape[2]);
    const kept = (values, shape) => ({ values, grid: shape.slice(1), scale: Math.max(...values) });
    this.kept.decoder = kept(last(arrays.decoder_from), arrays.decoder_from.shape);
    if (hidden) delete this.kept.encoder;
    else this.kept.encoder = kept(last(arrays.encoder_from), arrays.encoder_from.shape);
  }

  choose(view) {
    this.view = view;
    this.shown.heading.dataset.say = VIEWS[view];
    this.shown.heading.textContent = say(VIEWS[view]);
    this.redraw?.();
  }

  setWords(said) {
    this.said = said;
    const split = this.kept?.[this.view]?.values ? [this.#scaleWords()] : [];
    this.caption.replaceChildren(make("strong", {}, said[0] ?? ""), ` ${[...said.slice(1), ...split].join(" ")}`);
  }

  /** mask on grid; cursor, pointed, chosen: patches of it, or null. fresh: whether the answer is this mask's. */
  draw({ mask, grid, cursor, pointed, chosen, fresh }) {
    this.redraw = () => this.draw({ mask, grid, cursor, pointed, chosen, fresh });
    this.element.classList.toggle("pl-mask-stale", !fresh);
    for (const panel of this.panels) {
      panel.fit(this.aspect);
      panel.clear();
    }
    this.#drawView(this.shown, this.kept[this.view]);
    this.masked.picture(this.image);
    this.masked.hide(mask, grid);
    this.masked.lines(grid);
    this.masked.mark(cursor, grid, "accent");
    if (this.prediction) {
      this.predicted.picture(this.prediction);
      this.#drawView(this.pasted, this.joined);
      this.pasted.picture(this.image, this.split);
      if (this.split > 0) this.pasted.divide(this.split);
    }
    for (const panel of this.panels) panel.mark(pointed, grid, "pointer");
    [this.shown, this.predicted].forEach((panel) => panel.mark(chosen, grid, "accent"));
    this.#drawFilm();
  }

  /** What is known of one square, in words and numbers. */
  figures(patch, grid, mask) {
    const found = { state: mask[patch] ? say("hidden") : say("visible") };
    if (!this.answer || !mask[patch]) return found;
    const { arrays, facts } = this.answer;
    const mean = (values, [rows, columns]) => meanOver(values, [rows, columns], grid, patch);
    Object.assign(found, {
      error: number(mean(arrays.map, facts.grid), 3), loss: number(mean(arrays.error, facts.grid), 3),
      nearest: number(mean(arrays.nearest_error, facts.grid), 3), mean: number(mean(arrays.mean_error, facts.grid), 3),
    });
    if (this.doubt) found.doubt = number(mean(this.doubt.values, this.doubt.grid), 3);
    return found;
  }

  words() {
    this.choose(this.view);
  }

  // -- parts -----------------------------------------------------------------------------------------------------------

  #drawView(panel, view) {
    if (!view) return;
    panel.picture(view.canvas ?? this.image);
    if (view.over) panel.paste(view.over, view.mask, view.grid);
    if (view.canvas) return;
    panel.map(view.values, view.grid, { scale: view.scale, table: "magma", mask: view.mask });
  }

  #drawFilm() {
    for (const [name, { frame, canvas }] of Object.entries(this.film)) {
      const view = this.kept[name];
      frame.disabled = !view;
      frame.hidden = !view;
      frame.setAttribute("aria-checked", name === this.view);
      if (!view) continue;
      [canvas.width, canvas.height] = [SMALL, Math.round(SMALL / this.aspect)];
      this.#drawView(Object.assign(new Small(canvas), {}), view);
    }
    this.bar.style.background = gradient("magma", "to right");
    this.barBox.hidden = !this.kept[this.view]?.values;
    if (!this.barBox.hidden) this.top.textContent = number(this.kept[this.view].scale, 2);
  }

  #scaleWords() {
    const top = number(this.kept[this.view].scale, 2);
    if (this.view === "encoder") return say("Shown: attention of this visible square in the encoder's last block, which sees visible squares only, mean over heads; colours 0 to {top}.", { top });
    if (this.view === "decoder") return say("Shown: attention of this square in the decoder's last block, mean over heads; colours 0 to {top}.", { top });
    if (this.view === "deviation") return say("Shown: standard deviation over masks, mean over a square's colours; colours 0 to {top}.", { top });
    return this.view === "loss" ? say("Shown: each hidden square's error in the loss's own space; colours 0 to {top}.", { top })
      : say("Shown: each hidden square's mean squared error, colours in 0 to 1; colours 0 to {top}.", { top });
  }

  #listen(panel, brush, pointed, chosen) {
    panel.canvas.addEventListener("pointermove", (event) => this.image && pointed(panel.patch(event, brush.grid)));
    panel.canvas.addEventListener("pointerleave", () => pointed(null));
    panel.canvas.addEventListener("click", (event) => {
      const patch = this.image ? panel.patch(event, brush.grid) : null;
      if (patch !== null) chosen(patch);
    });
  }

  #build() {
    this.film = {};
    const frames = Object.entries(VIEWS).map(([name, text]) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      const frame = make("button.pl-mask-frame", { type: "button", role: "radio", disabled: true, "data-view": name, onclick: () => this.choose(name) }, canvas, make("span", { say: text }));
      this.film[name] = { frame, canvas };
      return frame;
    });
    const slider = make("input.pl-slider", { type: "range", min: 0, max: 1, step: 0.01, value: 0, label: "Before and after: the picture, and what the network made of the masked one" });
    slider.oninput = () => {
      this.split = Number(slider.value);
      slider.style.setProperty("--share", this.split);
      this.redraw?.();
    };
    [this.bar, this.top] = [make("span.pl-mask-bar"), make("span")];
    this.barBox = make("span.pl-mask-bar-box", { hidden: true, "aria-hidden": "true" }, "0", this.bar, this.top);
    const split = make(".pl-mask-split", {}, this.barBox, make("span", { say: "After" }), slider, make("span", { say: "Before" }));
    this.grid = make(".pl-mask-panels", {}, ...this.panels.map(({ element }) => element));
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    const film = make(".pl-mask-film", { role: "radiogroup", label: "First panel" }, ...frames);
    this.element = make(".pl-first", {}, this.grid, split, make(".pl-progress"), this.caption, film);
    new ResizeObserver(() => this.redraw?.()).observe(this.grid);
  }
}

/** A film's frame drawn as a panel is. */
class Small {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }
}
for (const name of ["picture", "map", "paste", "box", "step"]) Small.prototype[name] = Panel.prototype[name];

/** Mean of the finer squares that lie in one square of a coarser grid. */
function meanOver(values, [rows, columns], [high, wide], patch) {
  const [tall, broad] = [rows / high, columns / wide];
  let sum = 0;
  for (let row = 0; row < tall; row++)
    for (let column = 0; column < broad; column++)
      sum += values[(Math.floor(patch / wide) * tall + row) * columns + (patch % wide) * broad + column];
  return sum / (tall * broad);
}
