// The surgery tab: the same picture before and after its patches were told other places, or fed at another size.

import { Absent } from "./absent.js";
import { coloured, stamp } from "./board.js";
import { Told, fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { gradient } from "./colours.js";
import { cellOf, isToken, noPlace, tokenThere } from "./places.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { Side } from "./surgery_side.js";
import { sentences } from "./surgery_words.js";
import { make, number, onLanguage } from "./words.js";

const PART = "|"; // between labels in the page's address, as the zero-shot tab writes them

export class Tab {
  constructor({ defaults, asked, tell }) {
    Object.assign(this, { defaults, tell, pick: "first", pointed: null, head: null });
    this.view = { ...defaults, ...asked };
    this.absent = new Absent();
    this.view.labels = split(this.view.labels);
    this.side = new Side({ ask: (changes) => this.ask(changes), choose: (block, head) => this.#choose(block, head), tell });
    this.#build();
    onLanguage(() => this.#words());
  }

  async show(bundle) {
    this.facts = bundle.facts;
    this.photograph = new Image();
    this.photograph.src = new URL(this.facts.photograph, document.baseURI).href;
    await this.photograph.decode();
    Object.assign(this, { done: null, block: null, head: null });
    const shared = new URLSearchParams(location.search).get("labels");
    if (shared !== null) this.view.labels = split([shared]);
    this.element.classList.add("pl-filled");
    this.#fit();
    this.side.show(this.facts, this.view);
    await this.ask({});
    return this.absent.news();
  }

  /** What was asked stays, as far as this picture has it. */
  #fit() {
    const { view, absent, defaults } = this;
    const [layer] = this.facts.layers;
    absent.restore(view);
    for (const name of view.change === "swap" ? ["first", "second"] : [])
      if (!cellOf(view[name], layer.grid)) absent.replace(view, name, defaults[name], noPlace(layer.grid, defaults[name]));
    if (isToken(view.query) && !tokenThere(view.query, layer))
      absent.replace(view, "query", "auto", { said: "The query {asked} was asked for, but this picture has no such token; the read-out is followed instead, click any patch to follow it." });
  }

  /** A change of the question; asks for one pass and keeps the old pictures, dimmed, meanwhile. */
  async ask(changes) {
    if (changes.labels) changes.labels = split(changes.labels);
    Object.assign(this.view, changes);
    this.absent.forget(changes);
    if (!this.facts) return;
    this.side.controls(this.view, this.pick);
    this.#remember();
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.element.classList.add("pl-busy");
    const started = performance.now();
    try {
      const done = await fetchBundle(this.facts.operate, this.#values());
      if (turn !== this.turn) return;
      this.#take(done, (performance.now() - started) / 1000);
    } catch (wrong) {
      if (!(wrong instanceof Told)) throw wrong;
      if (turn !== this.turn) return;
      if (wrong.gone) return this.onGone?.();
      this.tell(wrong.fault);
    } finally {
      if (turn === this.turn) this.element.classList.remove("pl-busy");
    }
    this.draw();
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.done) this.#draw();
    });
  }

  resize() {
    const fitted = [this.before.fit(), this.after.fit()];
    if (fitted.some(Boolean)) this.draw();
  }

  /** Blocks by the arrow keys. */
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!this.done || !step || event.ctrlKey || event.metaKey || event.target.matches("input, select, textarea, button[role=radio], dialog *")) return;
    event.preventDefault();
    this.#choose(Math.min(this.done.facts.moved.length - 1, Math.max(0, this.block + step)), this.head);
  }

  async exportPicture() {
    if (!this.done) return;
    const { exportBoard } = await import("./board.js");
    const sheet = document.createElement("canvas");
    const sides = [this.before, this.after].map(({ picture }) => picture);
    [sheet.width, sheet.height] = [sides[0].width + sides[1].width + 20, Math.max(...sides.map(({ height }) => height))];
    const context = sheet.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    [this.before, this.after].forEach((stage, side) => [stage.picture, stage.map, stage.marks].forEach((canvas) => context.drawImage(canvas, side * (sides[0].width + 20), 0)));
    await exportBoard(sheet, this.said.join(" "), { low: "0", high: number(this.peak, 2), colours: "magma" }, "patchlight-surgery.png");
  }

  get numbers() {
    const url = new URL(this.facts.numbers, document.baseURI);
    for (const [name, value] of Object.entries(this.#values())) url.searchParams.set(name, value);
    return url.href;
  }

  #values() {
    const { change, strength, seed, first, second, height, width, query, labels, templates } = this.view;
    const texts = this.facts.reads_text ? { labels: labels.join("\n"), templates: templates.join("\n") } : {};
    const size = change === "resize" ? Object.fromEntries(Object.entries({ height, width }).filter(([, value]) => value)) : {};
    return { change, strength, seed, first, second, query, ...size, ...texts };
  }

  #remember() {
    const { checkpoint, side, fit, templates, labels, ...view } = this.view; // those are the desk's, and the zero-shot tab's
    remember({ ...view, ...this.absent.asked, ...(this.facts.reads_text ? { labels: labels.join(PART) } : {}) }, { ...this.defaults, labels: this.defaults.labels.join(PART) });
  }

  /** What came back; pictures as each side was fed, where sizes differ. */
  #take(done, seconds) {
    Object.assign(this, { done, seconds });
    const blocks = done.facts.moved.length;
    this.block = Math.min(this.block ?? blocks - 1, blocks - 1);
    if (this.head !== null && this.head >= done.facts.heads[this.block]) this.head = null;
    [this.before, this.after].forEach((stage, side) => {
      const [height, width] = done.facts.shapes[side];
      const fed = done.arrays[`${["before", "after"][side]}.rgb`];
      const key = fed ? `${this.facts.picture} ${height} ${width}` : this.facts.photograph;
      if (stage.key === key) return;
      stage.key = key;
      stage.setPicture(fed ? canvasOf(fed) : this.photograph, width / height);
    });
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { arrays, facts } = this.done;
    const maps = ["before", "after"].map((name) => this.#map(name, this.block));
    this.peak = Math.max(...maps.map(({ values }) => values.reduce((most, value) => Math.max(most, value), 0)));
    const query = this.#query();
    const swapped = facts.change === "swap" ? [facts.first, facts.second].map((text) => text.split(",").map(Number)) : [];
    [this.before, this.after].forEach((stage, side) => {
      stage.drawMap(maps[side].values, maps[side].grid, { scale: this.peak, table: "magma", opacity: 0.85, smooth: true, mask: null });
      stage.drawMarks(facts.grids[side], { query: swapped[0] ?? (query && onto(query, this.#own, facts.grids[side])), pointer: this.pointed?.side === side ? this.pointed.cell : swapped[1] });
    });
    [this.beforeStrip, this.afterStrip].forEach((strip, side) => strip.draw(facts.moved.map((_, block) => this.#frame(side, block)), this.block));
    this.side.draw(this);
    this.said = sentences(this);
    this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
    this.bar.style.background = gradient("magma", "to top");
    this.scale.style.height = this.before.element.style.height;
    this.top.textContent = number(this.peak, 2);
  }

  #frame(side, block) {
    const { values, grid } = this.#map(["before", "after"][side], block);
    const scale = values.reduce((most, value) => Math.max(most, value), 0);
    return { values, grid, scale, table: "magma", aspect: [this.before, this.after][side].aspect };
  }

  /** One head, or the mean of all: {values: (cells), grid}. A block with fewer heads shows its mean. */
  #map(name, block) {
    const heads = this.done.arrays[`${name}.${block}`];
    const [count, rows, columns] = heads.shape;
    const cells = rows * columns;
    if (this.head !== null && this.head < count) return { values: heads.subarray(this.head * cells, (this.head + 1) * cells), grid: [rows, columns] };
    const values = new Float32Array(cells);
    heads.forEach((value, at) => (values[at % cells] += value / count));
    return { values, grid: [rows, columns] };
  }

  get #own() {
    return this.facts.layers[0].grid;
  }

  /** [row, column] of the asked patch on the desk's grid, or null. */
  #query() {
    const { query } = this.done.facts;
    return query.startsWith("patch ") ? query.slice(6).split(",").map(Number) : null;
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  #choose(block, head) {
    Object.assign(this, { block, head });
    this.draw();
  }

  /** A patch becomes the query, or one of the two to be swapped. */
  #click(side, event) {
    const cell = this.done && this.#stages[side].cell(event, this.done.facts.grids[side]);
    if (!cell) return;
    if (this.view.change === "swap") return this.#swap(cell);
    const query = `patch ${onto(cell, this.done.facts.grids[side], this.#own).join(",")}`;
    this.ask({ query: query === this.view.query ? "auto" : query });
  }

  #swap(cell) {
    const picked = this.pick;
    this.pick = picked === "first" ? "second" : "first";
    if (picked === "second") return this.ask({ second: cell.join(",") });
    this.view.first = cell.join(",");
    this.side.controls(this.view, this.pick);
  }

  #point(side, event) {
    const cell = event && this.done ? this.#stages[side].cell(event, this.done.facts.grids[side]) : null;
    if (String(cell) === String(this.pointed?.cell)) return;
    this.pointed = cell && { side, cell };
    this.draw();
  }

  get #stages() {
    return [this.before, this.after];
  }

  #words() {
    this.beforeStrip.words();
    this.afterStrip.words();
    if (this.facts) this.side.controls(this.view, this.pick);
    this.draw();
  }

  #build() {
    [this.before, this.after] = ["Before", "After"].map((label) => new Stage(label));
    this.#stages.forEach((stage, side) => {
      stage.element.addEventListener("click", (event) => this.#click(side, event));
      stage.element.addEventListener("pointermove", (event) => this.#point(side, event));
      stage.element.addEventListener("pointerleave", () => this.#point(side, null));
    });
    this.beforeStrip = new Strip("Before", "Before, block {number}", (block) => this.#choose(block, this.head));
    this.afterStrip = new Strip("After", "After, block {number}", (block) => this.#choose(block, this.head));
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    [this.bar, this.top] = [make("span.pl-bar"), make("span")];
    this.scale = make(".pl-scale", { "aria-hidden": "true" }, this.top, this.bar, make("span", {}, "0"));
    const half = (stage, name) => make("figure.pl-half", {}, make(".pl-board-room.pl-half-room", {}, stage.element), make("figcaption", { say: name }));
    const pair = make(".pl-pair", {}, half(this.before, "Before"), half(this.after, "After"), this.scale);
    const strips = make(".pl-strips", {}, this.beforeStrip.element, this.afterStrip.element);
    const first = make(".pl-first", {}, pair, make(".pl-progress"), this.caption, strips);
    this.element = make(".pl-tab.pl-surgery", {}, make("main.pl-middle", {}, first), this.side.element);
    new ResizeObserver(() => this.resize()).observe(pair);
  }
}

const split = (labels) => labels.flatMap((label) => label.split(PART)).map((label) => label.trim()).filter(Boolean);

/** A cell of one grid as the cell of another over the same picture that holds its middle. */
const onto = (cell, from, to) => cell.map((at, axis) => Math.min(to[axis] - 1, Math.floor(((at + 0.5) * to[axis]) / from[axis])));

function canvasOf(rgb) {
  const canvas = document.createElement("canvas");
  stamp(canvas, coloured(rgb, rgb.shape));
  return canvas;
}

for (const name of ["positions.css", "zero_shot.css"]) document.head.append(make("link", { rel: "stylesheet", href: new URL(name, import.meta.url).href }));
