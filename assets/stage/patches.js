// The patches tab: the picture under its grid, one patch, the filters that read it, and what attention costs.

import { Absent } from "./absent.js";
import { coloured, stamp } from "./board.js";
import { fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { factTable } from "./controls.js";
import { Calculator, cost } from "./patches_calculator.js";
import { cellOf, middle, noPlace, stepped } from "./places.js";
import { large } from "./quantities.js";
import { remember } from "./state.js";
import { make, number, onLanguage, say } from "./words.js";

export { cost };

export class Tab {
  constructor({ defaults, asked, tell }) {
    this.defaults = defaults;
    this.tell = tell;
    this.view = { ...defaults, ...asked };
    this.absent = new Absent();
    this.pointed = null;
    this.calculator = new Calculator({ ask: (changes) => this.ask(changes), measure: () => this.#measure() });
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
    const { view, absent } = this;
    absent.restore(view);
    if (view.patch_at && !cellOf(view.patch_at, facts.grid)) absent.replace(view, "patch_at", "", noPlace(facts.grid, middle(facts.grid)));
    this.ask({});
    return absent.news();
  }

  ask(changes) {
    Object.assign(this.view, changes);
    this.absent.forget(changes);
    if (!this.facts) return;
    this.place = cellOf(this.view.patch_at, this.facts.grid) ?? middle(this.facts.grid);
    remember({ ...this.view, ...this.absent.asked, checkpoint: null, side: null, fit: null }, this.defaults);
    this.draw();
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.facts) this.#draw();
    });
  }

  resize() {
    if (this.stage.fit()) this.draw();
  }

  key(event) {
    if (!this.facts || event.ctrlKey || event.metaKey || event.altKey) return;
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (down === undefined || event.target.matches("input, select, textarea, dialog *")) return;
    event.preventDefault();
    this.ask({ patch_at: stepped(this.place, [down, right], this.facts.grid).join(",") });
  }

  async exportPicture() {
    if (!this.facts) return;
    const { exportBoard } = await import("./board.js");
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [this.stage.picture.width, this.stage.picture.height];
    for (const canvas of [this.stage.picture, this.stage.marks]) sheet.getContext("2d").drawImage(canvas, 0, 0);
    await exportBoard(sheet, this.said.join(" "), null, "patchlight-patches.png");
  }

  get numbers() {
    const url = new URL(this.facts.numbers, document.baseURI);
    for (const [name, value] of Object.entries({ ...this.view, patch_at: this.place.join(",") }))
      if (value !== null && value !== "" && !["checkpoint", "side", "fit"].includes(name)) url.searchParams.set(name, value);
    return url.href;
  }

  get configuration() {
    return this.calculator.configure(this.facts.own, this.view);
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { grid } = this.facts;
    this.stage.drawMap(null, grid, {});
    this.stage.drawMarks(grid, { query: this.place, pointer: this.pointed });
    this.#drawGrid();
    this.#drawPatch();
    this.calculator.configure(this.facts.own, this.view);
    this.calculator.draw(this.measured);
    this.#drawWords();
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
      pixels: `${side} × ${side} × 3 = ${number(3 * side * side)}`,
      channels: number(facts.channels),
      tokens: facts.prefix ? `${facts.prefix} + ${number(facts.grid[0] * facts.grid[1])} = ${number(facts.tokens)}` : number(facts.tokens),
    });
  }

  #drawFilters() {
    const { filters } = this.arrays;
    this.filterRow.hidden = !filters;
    if (!filters) return;
    const [count, side] = filters.shape;
    this.film.replaceChildren(...Array.from({ length: count }, (_, index) => {
      const canvas = make("canvas.pl-filter", { "aria-hidden": "true" });
      stamp(canvas, coloured(filters.subarray(index * 3 * side * side, (index + 1) * 3 * side * side), [side, side]));
      return canvas;
    }));
  }

  #drawWords() {
    const { facts, place } = this;
    const words = facts.sentences;
    const [rows, columns] = facts.grid;
    const asked = this.configuration;
    const found = cost(asked);
    const told = facts.filters;
    const sides = { width: String(facts.shape[1]), height: String(facts.shape[0]) };
    const sequence = { prefix: facts.prefix, tokens: facts.tokens, channels: facts.channels };
    const explained = told?.explained && number(100 * told.explained.reduce((sum, share) => sum + share, 0), 3);
    this.said = [
      say(words.grid, { ...sides, rows, columns, patches: rows * columns, patch: facts.patch }),
      say(words[facts.prefix ? "prefix" : "no prefix"], sequence),
      say(words.patch, { row: place[0] + 1, column: place[1] + 1, numbers: 3 * facts.patch ** 2, channels: facts.channels }),
      told ? say(words[explained ? "principal" : "filters"], { ...told, explained }) : say(words["no filters"]),
      say(words.cost, { ...asked, height: String(asked.height), width: String(asked.width), ...found, entries: large(found.entries), bytes: large(found.bytes), multiplications: large(found.multiplications) }),
      say(words.network, { title: facts.title, revision: facts.revision, ...sides }),
      ...(facts.random ? [say(words.random)] : []),
    ];
    this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  #point(event) {
    const cell = event && this.facts ? this.stage.cell(event, this.facts.grid) : null;
    if (String(cell) === String(this.pointed)) return;
    this.pointed = cell;
    this.draw();
  }

  async #measure() {
    this.calculator.count.disabled = true;
    try {
      this.measured = (await fetchBundle(this.facts.measure, { kernel: this.view.kernel })).facts;
    } catch (wrong) {
      if (wrong.gone) return this.onGone?.();
      this.tell(wrong.fault);
    } finally {
      this.calculator.count.disabled = false;
    }
    this.draw();
  }

  #build() {
    this.stage = new Stage("Picture with its patches");
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    this.film = make(".pl-film.pl-filters");
    this.filterRow = make(".pl-strip", { hidden: true }, make("span.pl-strip-name", { say: "Filters" }), this.film);
    const room = make(".pl-room", {}, this.stage.element);
    const first = make(".pl-first", {}, make("figure.pl-figure-box", {}, room), make(".pl-progress"), this.caption, make(".pl-strips", {}, this.filterRow));
    this.element = make(".pl-tab.pl-patches", {}, make("main.pl-middle", {}, first), this.#side());
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
