// The patches tab: the picture under its grid, one patch, the filters that read it, and what attention costs.

import { coloured, exportBoard, stamp } from "./board.js";
import { Stage } from "./canvas.js";
import { factTable } from "./controls.js";
import { GridTab } from "./grid_tab.js";
import { Calculator, cost } from "./patches_calculator.js";
import { sentences } from "./patches_words.js";
import { remember } from "./state.js";
import { make, number, onLanguage, say } from "./words.js";

export { cost };

export class Tab extends GridTab {
  constructor(given) {
    super(given);
    this.calculator = new Calculator({ ask: (changes) => this.ask(changes), measure: (button) => this.measure(button, { kernel: this.view.kernel }) });
    this.#build();
    onLanguage(() => this.draw());
  }

  show({ facts, arrays }) {
    Object.assign(this, { facts, arrays, measured: null });
    const fed = document.createElement("canvas");
    stamp(fed, coloured(arrays.rgb, arrays.rgb.shape));
    this.fed = fed;
    this.stage.setPicture(fed, facts.shape[1] / facts.shape[0]);
    this.element.classList.add("pl-filled");
    this.#drawFilters();
    this.absent.restore(this.view, facts.checkpoint);
    this.fitPlace("patch_at", facts.grid);
    this.ask({});
    return this.absent.news();
  }

  ask(changes) {
    Object.assign(this.view, changes);
    this.absent.forget(changes);
    if (!this.facts) return;
    this.place = this.placeOf("patch_at", this.facts.grid);
    const { checkpoint, side, fit, ...own } = { ...this.view, ...this.absent.asked }; // those are the desk's
    remember(own, this.defaults);
    this.draw();
  }

  resize() {
    if (this.stage.fit()) this.draw();
  }

  key(event) {
    const step = this.step(event);
    if (step) this.ask({ patch_at: this.walked("patch_at", step, this.facts.grid) });
  }

  async exportPicture() {
    if (this.facts) return exportBoard(this.stage.sheet(), this.said.join(" "), null, "patchlight-patches.png");
  }

  get numbers() {
    const { checkpoint, side, fit, ...own } = this.view; // those are the desk's
    return this.addressOf({ ...own, patch_at: this.place.join(",") });
  }

  get configuration() {
    return this.calculator.configure(this.facts.own, this.view);
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  frame() {
    const { grid } = this.facts;
    this.stage.drawMap(null, grid, {});
    this.stage.drawMarks(grid, { query: this.place, pointer: this.pointed });
    this.#drawGrid();
    this.#drawPatch();
    this.calculator.configure(this.facts.own, this.view);
    this.calculator.draw(this.measured);
    this.says(sentences(this));
  }

  /** The grid, faint where patches are small. */
  #drawGrid() {
    const { marks, density } = this.stage;
    const [rows, columns] = this.facts.grid;
    const context = marks.getContext("2d");
    const step = marks.width / columns;
    context.globalCompositeOperation = "destination-over";
    context.strokeStyle = `rgba(255, 255, 255, ${step < 10 * density ? 0.3 : 0.55})`;
    context.lineWidth = step < 10 * density ? 0.6 * density : density;
    context.beginPath();
    for (let row = 1; row < rows; row++) [context.moveTo(0, (row * marks.height) / rows), context.lineTo(marks.width, (row * marks.height) / rows)];
    for (let column = 1; column < columns; column++) [context.moveTo(column * step, 0), context.lineTo(column * step, marks.height)];
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }

  #drawPatch() {
    const { facts, arrays } = this;
    const [row, column] = this.pointed ?? this.place;
    const side = facts.patch;
    const bytes = new Uint8Array(3 * side * side);
    for (let line = 0; line < side; line++) {
      const start = 3 * ((row * side + line) * facts.shape[1] + column * side);
      bytes.set(arrays.rgb.subarray(start, start + 3 * side), 3 * line * side);
    }
    stamp(this.patch, coloured(bytes, [side, side]));
    this.patchHead.textContent = say(this.pointed ? "Pointer: row {row}, column {column}" : "Patch: row {row}, column {column}", { row: row + 1, column: column + 1 });
    this.figures.set({
      token: number(facts.prefix + row * facts.grid[1] + column),
      pixels: `${side} × ${side} × 3`,
      channels: number(facts.channels),
      tokens: facts.prefix ? `${facts.prefix} + ${number(facts.grid[0] * facts.grid[1])}` : number(facts.tokens),
    });
  }

  #drawFilters() {
    const { filters } = this.arrays;
    this.filterRow.hidden = !filters;
    if (!filters) return;
    const [count, side] = filters.shape;
    this.film.style.setProperty("--across", Math.ceil(count / 2));
    this.film.replaceChildren(...Array.from({ length: count }, (_, index) => {
      const canvas = make("canvas.pl-filter", { "aria-hidden": "true" });
      stamp(canvas, coloured(filters.subarray(index * 3 * side * side, (index + 1) * 3 * side * side), [side, side]));
      return canvas;
    }));
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  #point(event) {
    this.point(event && this.facts ? this.stage.cell(event, this.facts.grid) : null);
  }

  #build() {
    this.stage = new Stage("Picture with its patches");
    this.film = make(".pl-film.pl-filters");
    this.filterRow = make(".pl-strip", { hidden: true }, make("span.pl-strip-name", { say: "Filters" }), this.film);
    const room = make(".pl-room", {}, this.stage.element);
    const first = make(".pl-first", {}, make("figure.pl-figure-box", {}, room), make(".pl-progress"), this.caption, make(".pl-strips", {}, this.filterRow));
    this.element = make(".pl-tab.pl-patches", {}, make("section.pl-middle", {}, first), this.#side());
    this.stage.element.addEventListener("pointermove", (event) => this.#point(event));
    this.stage.element.addEventListener("pointerleave", () => this.#point(null));
    this.stage.element.addEventListener("click", (event) => {
      const cell = this.facts && this.stage.cell(event, this.facts.grid);
      if (cell) this.ask({ patch_at: cell.join(",") });
    });
    new ResizeObserver(() => this.resize()).observe(room);
  }

  #side() {
    this.patchHead = make("h2");
    this.patch = make("canvas.pl-patch", { role: "img", label: "Pixels of the patch" });
    this.figures = factTable({ token: "Token", pixels: "Numbers", channels: "Channels", tokens: "Tokens" });
    return make("aside.pl-side", { label: "Question" },
      make("section.pl-card", {}, this.patchHead, make(".pl-patch-box", {}, this.patch, this.figures.element)),
      this.calculator.element,
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), make("p.pl-note", { say: "A fused kernel multiplies as often as one that writes its matrices; it saves memory and the time to move it." })),
    );
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("positions.css", import.meta.url).href }));
