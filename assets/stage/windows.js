// The windows tab: a Swin's windows on the picture, their roll and mask, and what a token can have seen.

import { exportBoard } from "./board.js";
import { Stage } from "./canvas.js";
import { GridTab } from "./grid_tab.js";
import { Refused } from "./refused.js";
import { picture } from "./server.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { biasOf } from "./windows_bias.js";
import { reached } from "./windows_geometry.js";
import { Side } from "./windows_side.js";
import { drawEdges, drawRolled, drawToken } from "./windows_stage.js";
import { sentences } from "./windows_words.js";
import { make, onLanguage } from "./words.js";

export class Tab extends GridTab {
  keys = { "← ↑ → ↓": "The block before or after, and on the picture the chosen token" };

  constructor(given) {
    super(given);
    this.refused = new Refused("pl-refusal");
    this.side = new Side({ lens: (lens) => this.ask({ lens }), measure: (button) => this.measure(button, { block: this.view.block }) });
    this.#build();
    onLanguage(() => this.#words());
  }

  async show({ facts, arrays }, turn) {
    this.refused.show(facts);
    this.element.classList.toggle("pl-none", Boolean(facts.refused));
    if (facts.refused) return void (this.facts = facts);
    const image = await turn(picture(facts.photograph, turn.signal));
    Object.assign(this, { facts, arrays, image, fields: null, measured: null });
    this.stage.setPicture(image, facts.shape[1] / facts.shape[0]);
    this.element.classList.add("pl-filled");
    this.#fit();
    this.ask({});
    return this.absent.news();
  }

  ask(changes) {
    Object.assign(this.view, changes);
    this.absent.forget(changes);
    if (!this.shows) return;
    const { block, token, lens } = this.view;
    this.place = this.placeOf("token", this.about.grid);
    remember({ block, token, lens, ...this.absent.asked }, this.defaults);
    this.draw();
  }

  /** What was asked stays, as far as this network and picture have it. */
  #fit() {
    const { view, absent } = this;
    absent.restore(view, this.facts.checkpoint);
    const last = this.facts.windows.length - 1;
    if (view.block < 0) view.block = last;
    if (view.block > last) absent.replace(view, "block", last, { said: "Block {asked} was asked for, but this network has blocks 1 to {last}; the last one is shown instead, choose any other in the strip.", asked: view.block + 1, last: last + 1 });
    this.fitPlace("token", this.about.grid);
  }

  get about() {
    return this.facts.windows[this.view.block];
  }

  resize() {
    if (this.stage.fit()) this.draw();
  }

  /** The token where the picture has the focus, else the block. */
  key(event) {
    const step = this.step(event, "input, select, textarea, button[role=radio], dialog *");
    if (!step) return;
    if (document.activeElement === this.stage.element) this.ask({ token: this.walked("token", step, this.about.grid) });
    else this.#block(this.view.block + step[0] + step[1]);
  }

  async exportPicture() {
    if (this.shows) return exportBoard(this.stage.sheet(), this.said.join(" "), null, "patchlight-windows.png");
  }

  get numbers() {
    return this.addressOf({ block: this.view.block, token: this.place.join(","), lens: this.view.lens });
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  frame() {
    const { view, about, arrays, stage, facts } = this;
    const order = view.lens === "rolled" ? arrays[`rolled.${view.block}`] : null;
    const read = (values) => (order ? Array.from(order, (token) => values[token]) : values);
    const [windows, regions] = ["windows", "regions"].map((name) => arrays[`${name}.${view.block}`]);
    const at = this.place[0] * about.grid[1] + this.place[1];
    const field = view.lens === "field";
    this.inside = field ? this.#field(view.block) : regions.map((region) => Number(region === regions[at]));
    drawRolled(stage, this.image, about.grid, order ? about.shift : [0, 0]);
    stage.marked = null; // edges are drawn over the marks, so these cannot be kept
    stage.drawMarks(field ? facts.windows[0].grid : about.grid, { window: field ? this.inside : read(this.inside), pointer: field ? null : this.pointed });
    if (!field) drawEdges(stage, about.grid, read(windows), read(regions));
    drawToken(stage, about.grid, this.#shownCell(at, order), about.stage > 0);
    this.blocks.draw(facts.windows.map((_, block) => this.#small(block)), view.block);
    this.#drawBiases();
    this.side.draw(this);
    this.says(sentences(this));
  }

  /** The token's bias over its own window in every block, the mean of heads. */
  #drawBiases() {
    const { windows } = this.facts;
    this.biases.element.hidden = windows.some((_, block) => !this.arrays[`kernel.${block}`]);
    if (this.biases.element.hidden) return;
    this.biases.draw(windows.map((about, block) => {
      const { values, low, high, colours } = biasOf(this.arrays[`kernel.${block}`], about, this.#placeIn(block), null);
      return { values: values.map((value) => value - low), grid: about.window, scale: high - low, table: colours, aspect: about.window[1] / about.window[0] };
    }), this.view.block);
  }

  #shownCell(at, order) {
    const place = order ? order.indexOf(at) : at;
    return [Math.floor(place / this.about.grid[1]), place % this.about.grid[1]];
  }

  /** Kept for each block until another token is clicked. */
  #field(end) {
    const key = `${this.place.join(",")} ${this.view.block}`;
    if (this.fields?.key !== key) this.fields = { key };
    return (this.fields[end] ??= reached(this.facts.windows, this.arrays, end, this.place, this.view.block));
  }

  /** A block's windows as a small chessboard; parts that the mask cuts off a shade apart. */
  #small(block) {
    const { grid, window, shift } = this.facts.windows[block];
    if (this.view.lens === "field") return { values: this.#field(block), grid: this.facts.windows[0].grid, scale: 1.4, table: "magma", aspect: this.stage.aspect };
    const values = Float32Array.from({ length: grid[0] * grid[1] }, (_, token) => {
      const [row, column] = [Math.floor(token / grid[1]) + window[0] - shift[0], (token % grid[1]) + window[1] - shift[1]];
      return ((Math.floor(row / window[0]) + Math.floor(column / window[1])) % 2) + 0.25;
    });
    return { values, grid, scale: 2, table: "magma", aspect: this.stage.aspect };
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  /** Another block; the token stays at its place of the picture. */
  #block(block) {
    const next = Math.min(this.facts.windows.length - 1, Math.max(0, block));
    this.ask({ block: next, token: this.#placeIn(next).join(",") });
    this.blocks.follow(next);
  }

  /** The same place of the picture on another block's grid. */
  #placeIn(block) {
    const { grid } = this.facts.windows[block];
    return this.place.map((place, axis) => Math.min(grid[axis] - 1, Math.floor(((place + 0.5) * grid[axis]) / this.about.grid[axis])));
  }

  #cell(event) {
    const cell = this.shows && this.stage.cell(event, this.about.grid);
    if (!cell || this.view.lens !== "rolled") return cell;
    const token = this.arrays[`rolled.${this.view.block}`][cell[0] * this.about.grid[1] + cell[1]];
    return [Math.floor(token / this.about.grid[1]), token % this.about.grid[1]];
  }

  #point(event) {
    this.point(event && this.shows ? this.stage.cell(event, this.about.grid) : null);
  }

  #words() {
    this.blocks.words();
    this.biases.words();
    if (this.facts) this.refused.show(this.facts);
    this.draw();
  }

  #build() {
    this.stage = new Stage("Picture with windows");
    this.blocks = new Strip("Block", "Block {number}", (block) => this.#block(block));
    this.biases = new Strip("Bias", "Bias in block {number}", (block) => this.#block(block));
    const room = make(".pl-room", {}, this.stage.element, this.refused.element);
    const first = make(".pl-first", {}, make("figure.pl-figure-box", {}, room), make(".pl-progress"), this.caption, make(".pl-strips", {}, this.blocks.element, this.biases.element));
    this.element = make(".pl-tab.pl-windows", {}, make("section.pl-middle", {}, first), this.side.element);
    this.stage.element.addEventListener("pointermove", (event) => this.#point(event));
    this.stage.element.addEventListener("pointerleave", () => this.#point(null));
    this.stage.element.addEventListener("click", (event) => this.#cell(event) && this.ask({ token: this.#cell(event).join(",") }));
    new ResizeObserver(() => this.resize()).observe(room);
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("positions.css", import.meta.url).href }));
