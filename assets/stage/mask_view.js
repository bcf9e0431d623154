// Draws the mask lab's middle: four panels, two more beside them, the film strip, the divider, the caption.

import { gradient, themed } from "./colours.js";
import { Drawing, Panel, canvasOf } from "./mask_canvas.js";
import { Kept, VIEWS, drawView, meanOver } from "./mask_kept.js";
import { scaleWords } from "./mask_scale.js";
import { Strip } from "./mask_strip.js";
import { figure } from "./mask_table.js";
import { tellCaption } from "./outside.js";
import { make, number, say } from "./words.js";

export class MaskView {
  /** pointed(patch or null), chosen(patch), block(number from 0): of the attention that is shown. */
  constructor({ brush, pointed, chosen, block }) {
    Object.assign(this, { view: "picture", split: 0, told: { warned: [], said: [] }, key: null, brush });
    this.shown = new Panel("Picture", "The picture, or what the film strip says");
    this.masked = new Panel("Masked: paint here", "Masked picture: paint with the pointer, or with arrows and space");
    this.predicted = new Panel("Predicted", "Every square as the network paints it");
    this.pasted = new Panel("Pasted together", "Hidden squares from the network, all others from the picture");
    this.beside = new Panel("Predicted", "The other answer, as the first panel shows the network's");
    this.besidePasted = new Panel("Pasted together", "Hidden squares from the other answer, all others from the picture");
    this.panels = [this.shown, this.masked, this.predicted, this.pasted, this.beside, this.besidePasted];
    for (const panel of this.panels) panel.canvas.classList.toggle("pl-mask-made", panel !== this.shown && panel !== this.masked);
    brush.listen(this.masked);
    for (const panel of this.panels) if (panel !== this.masked) this.#listen(panel, pointed, chosen);
    this.strip = new Strip((name) => this.choose(name));
    this.#build(block);
  }

  setPicture(bytes) {
    this.kept = new Kept(canvasOf(bytes));
    this.aspect = this.kept.image.width / this.kept.image.height;
    this.choose("picture");
    this.element.classList.add("pl-filled");
  }

  /** Something new to see: an answer, doubt, rows of a square. */
  changed() {
    if (!this.kept.views[this.view]) this.choose("picture");
    else this.redraw?.();
  }

  choose(view) {
    this.view = view;
    this.redraw?.();
    this.setWords(this.told);
  }

  /** Put another answer beside this network's: a checkpoint, "nearest", "mean"; null for none. */
  compare(key) {
    this.key = key;
    this.redraw?.();
  }

  get other() {
    return this.key ? this.kept?.other(this.key) ?? null : null;
  }

  /** Why this mask has no answer, which then stands where answers are; null where it has one. */
  setNothing(why) {
    this.nothing.textContent = why ?? "";
    this.element.classList.toggle("pl-mask-empty", Boolean(why));
  }

  /** said: sentences; warned: those that come before them; learnt, inside: of outside.js. */
  setWords(told) {
    this.told = told;
    const { said, ...apart } = told;
    const view = this.kept?.views[this.view];
    const scale = view?.values ? [scaleWords(this.view, view, this.other && this.kept.beside(this.other, this.view))] : [];
    this.spoken = [...apart.warned, ...said, ...scale].join(" ");
    tellCaption(this.caption, { ...apart, said: [...said, ...scale] });
  }

  /** cursor, pointed, chosen: patches, or null. fresh: whether the answer is this mask's. */
  draw({ cursor, pointed, chosen, fresh }) {
    this.redraw = () => this.draw({ cursor: this.brush.cursor, pointed, chosen, fresh: this.fresh });
    this.#stale(!fresh);
    this.grid.classList.toggle("pl-mask-two", Boolean(this.other));
    for (const panel of this.panels) {
      panel.fit(this.aspect);
      panel.clear();
    }
    drawView(this.shown, this.kept.views[this.view], this.kept.image);
    this.#drawMasked();
    this.#drawMade(this.predicted, this.pasted, this.kept.prediction && { canvas: this.kept.prediction }, this.kept.joined);
    if (this.other) this.#drawBeside(this.other);
    this.mark({ cursor, pointed, chosen });
    this.strip.draw(this.kept, this.view, this.aspect);
    this.#head();
  }

  /** Another mask, as a whole; what the network made of the last one stays, as stale. */
  remask() {
    this.#drawMasked();
    this.#stale(true);
  }

  /** Squares that a stroke has changed, and nothing else: painting keeps up with the pointer. */
  touch(patches) {
    const { mask, grid } = this.brush;
    const { context } = this.masked;
    for (const patch of patches) {
      const box = this.masked.box(patch, grid);
      context.drawImage(mask[patch] ? this.hidden.canvas : this.plain.canvas, ...box, ...box);
    }
    this.#stale(true);
  }

  mark({ cursor, pointed, chosen }) {
    const { grid } = this.brush;
    for (const panel of this.panels) {
      const own = panel === this.masked ? [[cursor, "accent"]] : panel === this.shown || panel === this.predicted ? [[chosen, "accent"]] : [];
      panel.mark([...own, [pointed, "pointer"]], grid, panel === this.masked);
    }
  }

  /** What is known of one square: rows of mask_table.js, and the deviation over masks. */
  figures(patch, rows) {
    const { grid, mask } = this.brush;
    if (!this.kept?.facts || !mask[patch] || !this.fresh) return { rows: [] };
    const { facts, arrays, others } = this.kept;
    const of = (values, own) => figure(meanOver(values, own, grid, patch));
    const answers = [{ map: arrays.map, error: arrays.error, grid: facts.grid }, ...others];
    const deviation = this.kept.views.deviation;
    return {
      rows: rows.map((row, turn) => ({ ...row, values: [of(answers[turn].map, answers[turn].grid), of(answers[turn].error, answers[turn].grid)] })),
      deviation: deviation ? of(deviation.values, deviation.grid) : null,
    };
  }

  // -- parts -----------------------------------------------------------------------------------------------------------

  #stale(stale) {
    this.fresh = !stale;
    this.element.classList.toggle("pl-mask-stale", stale);
  }

  /** The whole masked panel. */
  #drawMasked() {
    const { mask, grid } = this.brush;
    this.#squares(grid);
    this.masked.context.drawImage(this.plain.canvas, 0, 0);
    mask.forEach((value, patch) => {
      if (value) this.masked.context.drawImage(this.hidden.canvas, ...this.masked.box(patch, grid), ...this.masked.box(patch, grid));
    });
  }

  /** What every square looks like hidden and seen is kept while it lasts, so that painting only copies. */
  #squares(grid) {
    const { width, height } = this.masked.canvas;
    const known = [this.kept.image, width, height, String(grid), themed("raised")];
    if (known.every((part, index) => part === this.known?.[index])) return;
    this.known = known;
    [this.plain, this.hidden] = [0, 1].map(() => this.#twin(this.masked));
    this.plain.picture(this.kept.image);
    this.hidden.hatch(new Uint8Array(grid[0] * grid[1]).fill(1), grid);
  }

  #twin({ canvas, density }) {
    const twin = new Drawing(make("canvas", { width: canvas.width, height: canvas.height }));
    twin.density = density;
    return twin;
  }

  #drawMade(predicted, pasted, view, joined) {
    if (!view) return;
    drawView(predicted, view, this.kept.image);
    drawView(pasted, joined, this.kept.image);
    pasted.picture(this.kept.image, this.split);
    if (this.split > 0) pasted.divide(this.split);
  }

  #drawBeside(other) {
    this.#drawMade(this.beside, this.besidePasted, this.kept.beside(other, this.view), this.kept.joinedOf(other));
  }

  #head() {
    const view = this.kept.views[this.view];
    const error = ["error", "loss"].includes(this.view);
    const named = (title, text) => (title ? `${title} · ${say(text)}` : say(text));
    const [own, other] = [this.other && this.kept.facts.title, this.other && nameOf(this.other)];
    this.shown.heading.textContent = named(error ? own : null, VIEWS[this.view]);
    this.predicted.heading.textContent = named(own, "Predicted");
    this.pasted.heading.textContent = named(own, "Pasted together");
    this.beside.heading.textContent = named(other, error ? VIEWS[this.view] : "Predicted");
    this.besidePasted.heading.textContent = named(other, "Pasted together");
    this.bar.style.background = gradient("magma", "to right");
    this.barBox.hidden = !view.values;
    if (view.values) this.top.textContent = number(view.scale, 2);
    this.blockBox.hidden = !(view.blocks > 1);
    if (view.blocks > 1) Object.assign(this.block, { max: view.blocks, value: view.block + 1 });
    this.blockWords.textContent = view.blocks ? say("Block {block} of {blocks}", { block: view.block + 1, blocks: view.blocks }) : "";
  }

  #listen(panel, pointed, chosen) {
    const patch = (event) => (this.kept ? panel.patch(event, this.brush.grid) : null);
    panel.canvas.addEventListener("pointermove", (event) => this.kept && pointed(patch(event)));
    panel.canvas.addEventListener("pointerleave", () => pointed(null));
    panel.canvas.addEventListener("click", (event) => patch(event) !== null && chosen(patch(event)));
  }

  #build(block) {
    const slider = make("input.pl-slider", { type: "range", min: 0, max: 1, step: 0.01, value: 0, label: "Before and after: the picture, and what the network made of the masked one" });
    slider.oninput = () => {
      this.split = Number(slider.value);
      slider.style.setProperty("--share", this.split);
      this.redraw?.();
    };
    this.block = make("input.pl-slider", { type: "range", min: 1, max: 1, step: 1, value: 1, label: "Block" });
    this.block.oninput = () => block(Number(this.block.value) - 1);
    [this.bar, this.top, this.blockWords] = [make("span.pl-mask-bar"), make("span"), make("span")];
    this.barBox = make("span.pl-mask-bar-box", { hidden: true, "aria-hidden": "true" }, "0", this.bar, this.top);
    this.blockBox = make("span.pl-mask-block", { hidden: true }, this.blockWords, this.block);
    const split = make(".pl-mask-split", {}, this.barBox, this.blockBox, make("span", { say: "After" }), slider, make("span", { say: "Before" }));
    this.nothing = make(".pl-mask-nothing", { role: "status" });
    this.grid = make(".pl-mask-panels", {}, ...this.panels.map(({ element }) => element), this.nothing);
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    this.element = make(".pl-first", {}, this.grid, split, make(".pl-progress"), this.caption, this.strip.element);
    new ResizeObserver(() => this.redraw?.()).observe(this.grid);
  }
}

/** What an answer that is not the first network's is called. */
export const nameOf = ({ title, key }) => title ?? (key === "nearest" ? say("Nearest patch") : say("Mean colour"));
