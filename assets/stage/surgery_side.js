// The right side of the surgery tab: which change, what it does in numbers, what the network answers.

import { coloured, painted, stamp } from "./board.js";
import { card, factTable, labelled, select, slider } from "./controls.js";
import { Matrix } from "./surgery_matrix.js";
import { make, number, say } from "./words.js";
import { Labels } from "./zero_shot_labels.js";
import { fixed } from "./zero_shot_read_outs.js";

const CHANGES = { identity: "As it is", zero: "Take away", shuffle: "Shuffle", transpose: "Transpose", mirror: "Mirror", swap: "Swap two", noise: "Noise", resize: "Resize" };
const SHAPES = { own: "As the desk's", square: "Square", wide: "2 : 1", tall: "1 : 2" };
const HINTS = {
  query: "Click a patch to follow it, and again for the read-out.",
  first: "Click the first of two patches.",
  second: "Now click the second patch.",
};
const CAUTIONS = {
  change: "The network never saw such pictures of places: what breaks shows what it had come to rely on, not what it could learn to do without.",
  resize: "Both inputs show the same picture, but finer patches hold other things: not all that moves is owed to positions.",
};
const PATCHES_A_SIDE = 60;

export class Side {
  /** ask(changes), choose(block, head), tell(fault). */
  constructor({ ask, choose, tell }) {
    Object.assign(this, { ask, shape: "own" });
    this.matrix = new Matrix(choose);
    this.labels = new Labels({ change: (labels) => ask({ labels }), say: tell });
    this.element = make("aside.pl-side", { label: "Question" },
      this.#changes(), this.#answers(), this.labels.element, this.#effects(), this.#pictures(),
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), (this.note = make("p.pl-note"))),
    );
  }

  show(facts, view) {
    this.facts = facts;
    this.labels.element.hidden = !facts.reads_text;
    this.labels.presets = facts.presets;
    this.controls(view, "first");
  }

  // -- which change ----------------------------------------------------------------------------------------------------

  #changes() {
    this.buttons = Object.entries(CHANGES).map(([value, text]) => make("button", { type: "button", role: "radio", say: text, "data-value": value, onclick: () => this.ask({ change: value }) }));
    this.again = make("button.pl-button", { type: "button", say: "Draw again", onclick: () => this.ask({ seed: this.view.seed + 1 }) });
    this.strengthWords = make("h3");
    this.strength = slider("Strength", { min: 0, max: 3, step: 0.05 }, (strength) => this.#strengthSaid(strength), (strength) => this.ask({ strength }));
    this.strengthBox = labelled(this.strengthWords, this.strength);
    this.sizeWords = make("h3");
    this.size = slider("Size after", { min: 96, max: 896, step: 14 }, (side) => this.#sizeSaid(side), (side) => this.ask(this.#sized(side)));
    this.shapes = select("Shape after", SHAPES, (shape) => ((this.shape = shape), this.ask(this.#sized(Number(this.size.element.value)))));
    this.sizeBox = labelled(this.sizeWords, this.size, this.shapes.element);
    this.swap = make("p.pl-note");
    this.query = make("button.pl-link", { type: "button", onclick: () => this.ask({ query: "auto" }) });
    return card("Change of positions", make(".pl-changes", { role: "radiogroup", label: "Change of positions" }, ...this.buttons), this.strengthBox, this.sizeBox, this.again, this.swap, this.query);
  }

  controls(view, pick) {
    this.view = view;
    this.buttons.forEach((button) => button.setAttribute("aria-checked", button.dataset.value === view.change));
    this.strength.set(view.strength);
    this.strengthBox.hidden = view.change !== "noise";
    this.#strengthSaid(view.strength);
    this.again.hidden = view.change !== "noise" && view.change !== "shuffle";
    this.swap.textContent = say(HINTS[view.change === "swap" ? pick : "query"]);
    this.query.hidden = !view.query.startsWith("patch");
    this.query.textContent = say("Back to the read-out");
    this.labels.set(view.labels);
    this.note.textContent = say(CAUTIONS[view.change === "resize" ? "resize" : "change"]);
    if (this.facts) this.#drawSize();
  }

  #strengthSaid(strength) {
    this.strengthWords.textContent = say("Strength {strength}", { strength });
  }

  #drawSize() {
    const { multiple, patch, fixed: only, shape } = this.facts;
    this.sizeBox.hidden = this.view.change !== "resize" || only;
    Object.assign(this.size.element, { min: multiple * Math.ceil((4 * patch) / multiple), max: Math.floor((PATCHES_A_SIDE * patch) / multiple) * multiple, step: multiple });
    const asked = [this.view.height ?? shape[0], this.view.width ?? shape[1]];
    this.shapes.set(this.shape);
    this.size.set(Math.max(...asked));
    this.sizeWords.textContent = say("After: {width} × {height} pixels", { width: String(asked[1]), height: String(asked[0]) });
  }

  /** {height, width} of an input whose longer side has `side` pixels, in the chosen shape. */
  #sized(side) {
    const { multiple, shape } = this.facts;
    const whole = { own: shape, square: [1, 1], wide: [1, 2], tall: [2, 1] }[this.shape];
    const [height, width] = whole.map((length) => Math.max(1, Math.round((side * length) / Math.max(...whole) / multiple)) * multiple);
    return { height, width };
  }

  #sizeSaid(side) {
    const { height, width } = this.#sized(side);
    this.sizeWords.textContent = say("After: {width} × {height} pixels", { width: String(width), height: String(height) });
  }

  // -- what it does ----------------------------------------------------------------------------------------------------

  #answers() {
    this.shares = make("table.pl-table.pl-shares", { label: "Answers" });
    this.shareCard = card("Answers", this.shares);
    return this.shareCard;
  }

  #effects() {
    this.figures = factTable({ moved: "Attention moved", far: "Mean distance", cls: "Cosine of CLS", patches: "Cosine of patches", lowest: "Least alike patch", seconds: "This pass" });
    return card("What it does", this.figures.element, make("h2", { say: "Attention moved, heads over blocks" }), this.matrix.element);
  }

  #pictures() {
    this.cosine = make("canvas", { role: "img", label: "Features changed, 1 − cosine, 0 to 1" });
    this.tables = [make("canvas"), make("canvas")];
    this.grids = [make("span"), make("span")];
    const figure = (canvas, ...words) => make("figure", {}, canvas, make("figcaption", {}, ...words));
    this.tableFigures = this.tables.map((canvas, index) => figure(canvas, make("span", { say: ["Table as trained", "As fed"][index] }), " ", this.grids[index]));
    return make("section.pl-card", {}, make(".pl-tables", {}, figure(this.cosine, make("span", { say: "Features, 1 − cosine" })), ...this.tableFigures));
  }

  /** tab: see `sentences` in surgery_words.js; `seconds` of the pass besides. */
  draw({ done, block, head, seconds, after }) {
    const { facts, arrays } = done;
    const percent = (share) => `${fixed(100 * share, 1)}\u00a0%`;
    this.figures.set({
      moved: percent(facts.moved[block]),
      far: facts.distances && say("{before} → {after} px", { before: number(facts.distances[0][block], 3), after: number(facts.distances[1][block], 3) }),
      cls: facts.cls === null ? null : fixed(facts.cls, 3), patches: fixed(facts.patches, 3), lowest: fixed(facts.lowest, 3),
      seconds: say("{seconds} s", { seconds: number(seconds, 2) }),
    });
    this.matrix.draw(arrays.moved, { block, head, heads: facts.heads });
    stamp(this.cosine, painted(arrays.cosine.map((value) => 1 - value), arrays.cosine.shape, { low: 0, high: 1, colours: "magma" }));
    this.cosine.style.aspectRatio = `${after.aspect}`;
    this.tableFigures.forEach((figure) => (figure.hidden = !arrays.table));
    if (arrays.table) [arrays.table, arrays.resized].forEach((bytes, index) => (stamp(this.tables[index], coloured(bytes, bytes.shape)), (this.grids[index].textContent = bytes.shape.slice(0, 2).join(" × "))));
    this.#drawAnswers(facts.shares, percent);
  }

  #drawAnswers(shares, percent) {
    this.shareCard.hidden = !shares.length;
    const head = make("tr", {}, make("td"), make("th", { say: "before" }), make("th", { say: "after" }));
    const cell = (share, kind) => make(`td.${kind}`, { style: `--share: ${100 * share}%` }, percent(share));
    this.shares.replaceChildren(head, ...shares.map(({ name, before, after }) => make("tr", {}, make("th", {}, make("bdi", {}, name)), cell(before, "pl-was"), cell(after, "pl-own"))));
  }
}
