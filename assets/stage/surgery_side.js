// The right side of the surgery tab: which change, what it does in numbers, what the network answers.

import { coloured, painted, stamp } from "./board.js";
import { card, factTable, labelled, select, slider } from "./controls.js";
import { Matrix } from "./surgery_matrix.js";
import { fixed, make, number, say } from "./words.js";
import { Labels } from "./zero_shot_labels.js";

const CHANGES = { identity: "As it is", zero: "Take away", shuffle: "Shuffle", transpose: "Transpose", mirror: "Mirror", swap: "Swap two", noise: "Noise", resize: "Resize" };
const LACKS = { transpose: "Needs a square picture.", resize: "This network takes one size only." };
const SHAPES = { own: "As the desk's", square: "Square", wide: "2 : 1", tall: "1 : 2", other: "Another" };
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
  /** ask(changes), choose(block, head), list(name, signal) resolves to a long list of labels, tell(fault). turns: of the tab. */
  constructor({ ask, choose, list, tell, turns }) {
    this.ask = ask;
    this.matrix = new Matrix(choose);
    this.labels = new Labels({ change: (labels) => ask({ labels }), fetch: list, say: tell, turns });
    this.element = make("aside.pl-side", { label: "Question" },
      this.#changes(), this.#answers(), this.labels.element, this.#effects(), this.#pictures(),
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), (this.note = make("p.pl-note"))),
    );
  }

  show(facts, view) {
    this.facts = facts;
    this.labels.element.hidden = !facts.reads_text;
    this.labels.presets = facts.presets;
    for (const button of this.buttons) {
      button.disabled = facts.lacking.includes(button.dataset.value);
      button.title = button.disabled ? say(LACKS[button.dataset.value]) : "";
    }
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
    this.shapes = select("Shape after", SHAPES, (shape) => this.ask(this.#sized(Number(this.size.element.value), shape)));
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
    const asked = { height: this.view.height ?? shape[0], width: this.view.width ?? shape[1] };
    const side = Math.max(asked.height, asked.width);
    this.shapes.set(Object.keys(SHAPES).find((name) => String(Object.values(this.#sized(side, name))) === String(Object.values(asked))));
    this.size.set(side);
    this.sizeWords.textContent = say("After: {width} × {height} pixels", { width: String(asked.width), height: String(asked.height) });
  }

  /** {height, width} of an input whose longer side has `side` pixels. shape: one of SHAPES. */
  #sized(side, shape = this.shapes.element.value) {
    const { multiple, shape: own } = this.facts;
    const other = [this.view.height ?? own[0], this.view.width ?? own[1]];
    const whole = { own, square: [1, 1], wide: [1, 2], tall: [2, 1], other }[shape];
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
    this.cosine = make("canvas", { role: "img", label: "Features changed, 1 − cosine" });
    this.tables = [make("canvas"), make("canvas")];
    this.under = [make("span"), make("span"), make("span")];
    const names = [make("span", { say: "1 − cosine" }), make("span", { say: "Table" }), make("span", { say: "As fed" })];
    const figures = [this.cosine, ...this.tables].map((canvas, index) => make("figure", {}, canvas, make("figcaption", {}, names[index], this.under[index])));
    this.tableFigures = figures.slice(1);
    return card("Features and table", make(".pl-tables", {}, ...figures));
  }

  /** tab: see `sentences` in surgery_words.js; `seconds` of the pass besides. */
  draw({ done, block, head, seconds, pair }) {
    const { facts, arrays } = done;
    const percent = (share) => `${fixed(100 * share, 1)}\u00a0%`;
    this.figures.set({
      moved: `${number(100 * facts.moved[block], 2)}\u00a0%`,
      far: facts.distances && say("{before} → {after} px", { before: number(facts.distances[0][block], 3), after: number(facts.distances[1][block], 3) }),
      cls: facts.cls === null ? null : fixed(facts.cls, 3), patches: fixed(facts.patches, 3), lowest: fixed(facts.lowest, 3),
      seconds: say("{seconds} s", { seconds: number(seconds, 2) }),
    });
    this.matrix.draw(arrays.moved, { block, head, heads: facts.heads });
    this.#drawPictures(arrays, Math.max(0, 1 - facts.lowest));
    this.cosine.style.aspectRatio = `${pair.stages[1].aspect}`;
    this.#drawAnswers(facts.shares, percent);
  }

  /** Where features changed, over their own range, and the table before and after it was resized. */
  #drawPictures({ cosine, table, resized }, most) {
    stamp(this.cosine, painted(cosine.map((value) => 1 - value), cosine.shape, { low: 0, high: most, colours: "magma" }));
    this.under[0].textContent = say("0 to {most}", { most: number(most, 2) });
    this.tableFigures.forEach((figure) => (figure.hidden = !table));
    if (!table) return;
    [table, resized].forEach((bytes, index) => {
      stamp(this.tables[index], coloured(bytes, bytes.shape));
      this.under[index + 1].textContent = bytes.shape.slice(0, 2).join(" × ");
    });
  }

  #drawAnswers(shares, percent) {
    this.shareCard.hidden = !shares.length;
    const head = make("tr", {}, make("td"), make("th", { say: "before" }), make("th", { say: "after" }));
    const cell = (share, kind) => make(`td.${kind}`, { style: `--share: ${100 * share}%` }, percent(share));
    this.shares.replaceChildren(head, ...shares.map(({ name, before, after }) => make("tr", {}, make("th", {}, make("bdi", {}, name)), cell(before, "pl-was"), cell(after, "pl-own"))));
  }
}
