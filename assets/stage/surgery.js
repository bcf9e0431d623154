// The surgery tab: the same picture before and after its patches were told other places, or fed at another size.

import { exportBoard } from "./board.js";
import { fetchBundle } from "./bundle.js";
import { GridTab } from "./grid_tab.js";
import { cellOf, isToken, noPlace, spoken, tokenThere } from "./places.js";
import { picture } from "./server.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { Pair } from "./surgery_pair.js";
import { Side } from "./surgery_side.js";
import { sentences } from "./surgery_words.js";
import { make, number, onLanguage } from "./words.js";

const SIDES = ["before", "after"];
const PART = "|"; // between labels in the page's address, as the zero-shot tab writes them

export class Tab extends GridTab {
  keys = { "← →": "The block before or after" };

  constructor(given) {
    super(given);
    Object.assign(this, { pick: "first", head: null });
    this.view.labels = split(this.view.labels);
    this.side = new Side({ ask: (changes) => this.ask(changes), choose: (block, head) => this.#choose(block, head), list: (set, signal) => fetchBundle(this.facts.list, { set }, signal), tell: this.tell, turns: this.turns });
    this.#build();
    onLanguage(() => this.#words());
  }

  async show({ facts }, turn) {
    const photograph = await turn(picture(facts.photograph, turn.signal));
    Object.assign(this, { facts, photograph, pointed: null, done: null, block: null, head: null });
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
    absent.restore(view, this.facts.checkpoint);
    if (this.facts.lacking.includes(view.change))
      absent.replace(view, "change", defaults.change, { said: "The change {asked} was asked for, but this network cannot have it with this picture; another one is shown instead." });
    for (const name of view.change === "swap" ? ["first", "second"] : [])
      if (!cellOf(view[name], layer.grid)) absent.replace(view, name, defaults[name], noPlace(view[name], layer.grid, defaults[name]));
    if (isToken(view.query) && !tokenThere(view.query, layer))
      absent.replace(view, "query", "auto", { said: "The query {asked} was asked for, but this picture has no such token; the read-out is followed instead, click any patch to follow it.", asked: spoken(view.query) });
  }

  /** A change of the question; asks for one pass and keeps the old pictures, dimmed, meanwhile. */
  async ask(changes) {
    if (changes.labels) changes.labels = split(changes.labels);
    Object.assign(this.view, changes);
    this.absent.forget(changes);
    if (!this.facts) return;
    this.side.controls(this.view, this.pick);
    this.#remember();
    const started = performance.now();
    await this.turns.latest("operate", async (turn) => {
      const done = await turn(fetchBundle(this.facts.operate, this.#values(), turn.signal));
      this.#take(done, (performance.now() - started) / 1000);
      this.draw();
    }, (busy) => this.element.classList.toggle("pl-busy", busy));
  }

  get shows() {
    return Boolean(this.done);
  }

  resize() {
    if (this.pair.fit()) this.draw();
  }

  /** Blocks by the arrow keys. */
  key(event) {
    const step = this.done && ["ArrowLeft", "ArrowRight"].includes(event.key) && this.step(event, "input, select, textarea, button[role=radio], dialog *");
    if (step) this.#choose(Math.min(this.done.facts.moved.length - 1, Math.max(0, this.block + step[1])), this.head);
  }

  async exportPicture() {
    if (this.done) return exportBoard(this.pair.sheet(), this.said.join(" "), { low: "0", high: number(this.peak, 2), colours: "magma" }, "patchlight-surgery.png", { smooth: true });
  }

  get numbers() {
    return this.addressOf(this.#values());
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
    this.pair.setPictures(done, this.facts, this.photograph);
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  frame() {
    if (!this.done) return;
    const { facts } = this.done;
    const maps = SIDES.map((name) => this.#map(name, this.block));
    this.peak = Math.max(...maps.map(({ values }) => values.reduce((most, value) => Math.max(most, value), 0)));
    this.pair.draw(maps, this.peak, (side) => this.#marks(side));
    [this.beforeStrip, this.afterStrip].forEach((strip, side) => strip.draw(facts.moved.map((_, block) => this.#small(side, block)), this.block));
    this.side.draw(this);
    this.says(sentences(this));
  }

  /** The query, or the two patches that are swapped. */
  #marks(side) {
    const { facts } = this.done;
    const pointer = this.pointed?.side === side ? this.pointed.cell : null;
    if (facts.change === "swap") {
      const [first, second] = [facts.first, facts.second].map((text) => text.split(",").map(Number));
      return { query: first, pointer: pointer ?? second };
    }
    const query = facts.query.startsWith("patch ") ? facts.query.slice(6).split(",").map(Number) : null;
    return { query: query && onto(query, this.#own, facts.grids[side]), pointer };
  }

  #small(side, block) {
    const { values, grid } = this.#map(SIDES[side], block);
    const scale = values.reduce((most, value) => Math.max(most, value), 0);
    return { values, grid, scale, table: "magma", aspect: this.pair.stages[side].aspect };
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

  // -- smaller things --------------------------------------------------------------------------------------------------

  #choose(block, head) {
    Object.assign(this, { block, head });
    this.draw();
  }

  /** A patch becomes the query, or one of the two to be swapped. */
  #click(side, cell) {
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

  #point(side, cell) {
    if (String(cell) === String(this.pointed?.cell ?? null)) return;
    this.pointed = cell && { side, cell };
    this.draw();
  }

  #words() {
    this.beforeStrip.words();
    this.afterStrip.words();
    if (this.facts) this.side.controls(this.view, this.pick);
    this.draw();
  }

  #build() {
    this.pair = new Pair({ click: (side, cell) => this.#click(side, cell), point: (side, cell) => this.#point(side, cell) });
    this.beforeStrip = new Strip("Before", "Before, block {number}", (block) => this.#choose(block, this.head));
    this.afterStrip = new Strip("After", "After, block {number}", (block) => this.#choose(block, this.head));
    const strips = make(".pl-strips", {}, this.beforeStrip.element, this.afterStrip.element);
    const first = make(".pl-first", {}, this.pair.element, make(".pl-progress"), this.caption, strips);
    this.element = make(".pl-tab.pl-surgery", {}, make("section.pl-middle", {}, first), this.side.element);
    new ResizeObserver(() => this.resize()).observe(this.pair.element);
  }
}

const split = (labels) => labels.flatMap((label) => label.split(PART)).map((label) => label.trim()).filter(Boolean);

/** A cell of one grid as the cell of another over the same picture that holds its middle. */
const onto = (cell, from, to) => cell.map((at, axis) => Math.min(to[axis] - 1, Math.floor(((at + 0.5) * to[axis]) / from[axis])));

for (const name of ["positions.css", "zero_shot.css"]) document.head.append(make("link", { rel: "stylesheet", href: new URL(name, import.meta.url).href }));
