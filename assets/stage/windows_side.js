// The right side of the windows tab: the block in numbers, its bias over the clicked token's window, its cost.

import { painted, stamp } from "./board.js";
import { gradient } from "./colours.js";
import { card, factTable, segmented } from "./controls.js";
import { large } from "./quantities.js";
import { biasOf } from "./windows_bias.js";
import { make, number, say } from "./words.js";

const LENSES = { picture: "Windows", rolled: "Rolled", field: "Receptive field" };

const CAUTIONS = {
  picture: "A window cut by the picture's edge goes on at the opposite edge. The mask parts the two exactly only where the grid is a multiple of the window: padding moves the seam.",
  rolled: "The roll is a trick of computing: it makes shifted windows whole, and the mask takes back what it joined.",
  field: "What can have been seen is not what was used: attention may give most of it next to nothing.",
};

export class Side {
  /** lens(name), measure(). */
  constructor({ lens, measure }) {
    this.head = 0;
    this.lenses = segmented("Lens", LENSES, lens, ".pl-views.pl-lenses");
    this.figures = factTable({ stage: "Stage", grid: "Tokens", window: "Windows", shift: "Shift", token: "Token", seen: "Sees" });
    this.costs = make("table.pl-table", { label: "Cost" });
    this.count = make("button.pl-button", { type: "button", say: "Count in one pass", onclick: () => measure(this.count) });
    this.bias = make("canvas.pl-bias", { role: "img", label: "Bias of the token over its window" });
    this.biasHeads = make(".pl-bias-heads", { role: "radiogroup", label: "Head" });
    [this.biasScale, this.biasEnds] = [make("span.pl-table-scale"), [make("span"), make("span")]];
    this.biasCard = card("Bias over its window", make(".pl-bias-box", {}, this.bias, this.biasHeads), make(".pl-line.pl-ends", {}, this.biasEnds[0], this.biasScale, this.biasEnds[1]));
    this.caution = make("p.pl-note");
    this.element = make("aside.pl-side", { label: "Question" },
      this.lenses.element,
      card("Block", this.figures.element),
      this.biasCard,
      card("Cost of attention, this block", this.costs, this.count),
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), this.caution),
    );
  }

  /** tab: the windows tab. */
  draw(tab) {
    Object.assign(this, { tab });
    const { about, view } = tab;
    const seen = tab.inside.reduce((sum, one) => sum + one, 0);
    const [rows, columns] = about.grid;
    this.figures.set({
      stage: say("{stage}, blocks {first} to {last}", this.#stage()),
      grid: `${columns} × ${rows} = ${number(rows * columns)}`,
      window: `${about.window.join(" × ")} × ${number(about.windows)}`,
      shift: about.shift.join(", "),
      token: `${tab.place[0] + 1}, ${tab.place[1] + 1}`,
      seen: say("{seen} of {tokens}", { seen, tokens: tab.inside.length }),
    });
    this.costs.replaceChildren(...this.#costs());
    this.#drawBias();
    this.caution.textContent = say(CAUTIONS[view.lens]);
    this.lenses.set(view.lens);
  }

  #stage() {
    const stages = this.tab.facts.windows.map(({ stage }) => stage);
    const own = this.tab.about.stage;
    return { stage: own + 1, first: stages.indexOf(own) + 1, last: stages.lastIndexOf(own) + 1 };
  }

  /** Predicted for windows and for the whole grid; beside it, once asked for, what running both was counted to do. */
  #costs() {
    const { about, measured, view } = this.tab;
    const row = (text, ...cells) => make("tr", {}, make("th", { say: text }), ...cells.map((cell) => make("td", {}, cell)));
    const head = (...names) => make("tr", {}, make("td"), ...names.map((name) => make("th", { say: name })));
    const rows = [head("windows", "global"), row("Multiplied", large(about.windowed), large(about.whole)), row("Matrices, B", large(about["windowed bytes"]), large(about["whole bytes"]))];
    if (measured?.block === view.block) {
      const both = (read) => [measured.windowed, measured.whole].map((taken) => (taken ? read(taken) : "–"));
      rows.push(row("Counted", ...both((taken) => large(taken.multiplications))), row("Counted, B", ...both((taken) => large(taken.matrices))));
      rows.push(row("Time, ms", ...both((taken) => number(1000 * taken.seconds, 2))));
    }
    if (!measured) return rows;
    rows.push(head("predicted", "counted"), row("All blocks", large(measured.predicted.attention), large(measured.counted.attention)));
    return [...rows, row("All matrices, B", large(measured.predicted.matrices), large(measured.counted.matrices))];
  }

  /** The bias that the clicked token adds, laid out over its own window, for each head. */
  #drawBias() {
    const { view, about, arrays, place } = this.tab;
    this.head = Math.min(this.head, about.heads - 1);
    const kernel = arrays[`kernel.${view.block}`];
    this.biasCard.hidden = !kernel || view.lens === "field";
    if (this.biasCard.hidden) return;
    const bias = (head) => biasOf(kernel, about, place, head);
    const shown = bias(this.head);
    stamp(this.bias, painted(shown.values, about.window, shown));
    this.biasHeads.replaceChildren(...Array.from({ length: about.heads }, (_, head) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      stamp(canvas, painted(bias(head).values, about.window, shown));
      return make("button", { type: "button", role: "radio", "aria-checked": head === this.head, "aria-label": say("Head {number}", { number: head + 1 }), onclick: () => ((this.head = head), this.#drawBias()) }, canvas);
    }));
    this.biasScale.style.background = gradient(shown.colours);
    this.biasEnds.forEach((end, index) => (end.textContent = number(index ? shown.high : shown.low, 2)));
  }
}
