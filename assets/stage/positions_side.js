// The right side of the positions tab: the kind of position, its structure in numbers, the clicked place.

import { painted, stamp } from "./board.js";
import { card, factTable, segmented, select } from "./controls.js";
import { fixed, make, number, say } from "./words.js";

const MEASURES = { cosine: "Cosine", dot: "Dot", distance: "Distance" };
const COLOURS = { viridis: "Viridis", magma: "Magma", diverging: "Diverging" };
const EXPLAINED = { offset: "Offset", distance: "Distance", row: "Row", column: "Column" };

const CAUTIONS = {
  table: "A table is added once, before the first block. How much of it later blocks still use, this picture does not say. Surgery does.",
  rotary: "The kernel holds for equal queries and keys. Real ones weight the bands as the picture asks.",
  bias: "A bias is added to logits of the picture's own making. Alone it is no attention. It follows from the signed offset by construction: what the offset without its sign leaves unexplained is how far left differs from right.",
};

export class Side {
  /** ask(changes). */
  constructor(ask) {
    this.ask = ask;
    this.kind = make("p.pl-kind");
    this.kindBox = make(".pl-segmented.pl-kinds", { role: "radiogroup", label: "Kind of position" });
    this.about = factTable({ grid: "Places", where: "Acts", channels: "Channels", turn: "Turn a step, rad" });
    this.measures = segmented("Measure", MEASURES, (measure) => ask({ measure }));
    this.colours = select("Colour table", COLOURS, (colours) => ask({ colours }));
    this.structure = make("table.pl-table", { label: "Structure" });
    this.placeHead = make("h2");
    this.here = factTable({ value: "Value", norm: "Norm", prefix: "Cosine with prefix" });
    this.preview = make("canvas.pl-pointer-map", { "aria-hidden": "true", hidden: true });
    this.hint = make("p.pl-note", { say: "Point at a position to see its own map; click to keep it." });
    this.caution = make("p.pl-note");
    this.element = make("aside.pl-side", { label: "Question" },
      card("How it knows where", this.kind, this.kindBox, this.about.element, make(".pl-line", {}, this.measures.element, this.colours.element)),
      card("Variance explained, R²", this.structure),
      make("section.pl-card.pl-pointer", {}, this.placeHead, this.here.element, this.hint, this.preview),
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), this.caution),
    );
  }

  /** tab: the positions tab. */
  draw(tab) {
    this.tab = tab;
    const { part, view, facts } = tab;
    this.measures.element.hidden = !part.table;
    this.measures.set(view.measure);
    this.colours.set(view.colours);
    this.kind.textContent = say(facts.titles[part.rival ?? part.kind]);
    const kinds = [...new Set(tab.parts.map(({ kind }) => kind))];
    this.kindButtons.forEach((button) => button.setAttribute("aria-checked", kinds[button.dataset.kind] === part.kind));
    this.about.set({
      grid: part.scope === "window" ? say("{rows} × {columns}, one window", { rows: part.grid[0], columns: part.grid[1] }) : part.grid.join(" × "),
      where: part.table ? say("before block 1") : part.block === null ? say("in every block") : say("in block {block}", { block: part.block + 1 }),
      channels: part.table ? number(part.tableValues.shape[1]) : null,
      turn: part.turns && view.component !== null ? turned(part.turns[view.component]) : null,
    });
    this.structure.replaceChildren(...this.#structure());
    this.#drawPlace();
    this.caution.textContent = say(CAUTIONS[part.table ? "table" : part.kind === "rotary" ? "rotary" : "bias"]);
  }

  /** Rows of R²: this network's, then what other tables of the shape have; a head shows that table in every picture. */
  #structure() {
    const { part, parts, view } = this.tab;
    const own = parts[view.part];
    const columns = [["own", "here", own.structure], ...Object.entries(own.rivals ?? {}).map(([name, found]) => [name, name, found])];
    const button = (name, text) => make("button.pl-link", { type: "button", "aria-pressed": name === view.table, onclick: () => this.ask({ table: name }) }, say(text));
    const heads = columns.map(([name, text]) => make("th", {}, columns.length > 1 ? button(name, text) : say(text)));
    const cell = (name, share) => make(name === view.table ? "td.pl-own" : "td", {}, share === null ? "–" : fixed(share, 3));
    const rows = Object.entries(EXPLAINED).map(([share, text]) => make("tr", {}, make("th", { say: text }), ...columns.map(([name, , found]) => cell(name, found[share]))));
    return [make("tr", {}, make("td"), ...heads), ...rows];
  }

  #drawPlace() {
    const { part, place, pointed, view, values, scale } = this.tab;
    const cell = pointed ?? place;
    const at = cell[0] * part.grid[1] + cell[1];
    this.placeHead.textContent = say(pointed ? "Pointer: row {row}, column {column}" : "Position: row {row}, column {column}", { row: cell[0] + 1, column: cell[1] + 1 });
    const value = view.figure === "similarity" && values ? values[at] : null;
    this.here.set({
      value: value === null ? null : number(value, 3),
      norm: part.table ? number(part.normsValues[at], 3) : null,
      prefix: part.prefixValues ? part.prefixCosines(cell).map((cosine) => number(cosine, 2)).slice(0, 5).join(", ") : null,
    });
    this.preview.hidden = !pointed;
    if (pointed) {
      stamp(this.preview, painted(part.map(pointed, view.measure, view.component), part.grid, { ...scale, ...this.tab.pairs() }));
      this.preview.style.aspectRatio = `${part.grid[1] / part.grid[0]}`;
    }
    this.hint.hidden = Boolean(pointed);
  }

  /** One button for each kind of position that the network has. */
  kinds(tab) {
    const kinds = [...new Set(tab.parts.map(({ kind }) => kind))];
    this.kindButtons = kinds.map((kind, index) =>
      make("button", { type: "button", role: "radio", "data-kind": index, onclick: () => this.ask({ part: tab.parts.findIndex((part) => part.kind === kind), component: null }) }, say(tab.facts.titles[kind])),
    );
    this.kindBox.replaceChildren(...this.kindButtons);
    this.kindBox.hidden = kinds.length < 2;
  }
}

/** Radians by which one step down and one step right turn a band. */
const turned = ([down, right]) => say("{down} down, {right} right", { down: number(down, 3), right: number(right, 3) });
