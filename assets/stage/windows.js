// The windows tab: a Swin's windows on the picture, their roll and mask, and what a token can have seen.

import { Absent } from "./absent.js";
import { fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { themed } from "./colours.js";
import { cellOf, middle, noPlace, stepped } from "./places.js";
import { large } from "./quantities.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { edges, reached } from "./windows_geometry.js";
import { Side } from "./windows_side.js";
import { make, onLanguage, say } from "./words.js";

export class Tab {
  constructor({ defaults, asked, tell }) {
    this.defaults = defaults;
    this.tell = tell;
    this.view = { ...defaults, ...asked };
    this.absent = new Absent();
    this.side = new Side({ lens: (lens) => this.ask({ lens }), measure: () => this.#measure() });
    this.pointed = null;
    this.#build();
    onLanguage(() => this.#words());
  }

  async show({ facts, arrays }) {
    const image = new Image();
    image.src = new URL(facts.photograph, document.baseURI).href;
    await image.decode();
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
    if (!this.facts) return;
    const { block, token, lens } = this.view;
    this.place = cellOf(token, this.about.grid) ?? middle(this.about.grid);
    remember({ block, token, lens, ...this.absent.asked }, this.defaults);
    this.draw();
  }

  /** What was asked stays, as far as this network and picture have it. */
  #fit() {
    const { view, absent } = this;
    absent.restore(view);
    const last = this.facts.windows.length - 1;
    if (view.block < 0) view.block = last;
    if (view.block > last) absent.replace(view, "block", last, { said: "Block {asked} was asked for, but this network has blocks 0 to {last}; the last one is shown instead, choose any other in the strip.", last });
    const { grid } = this.about;
    if (view.token && !cellOf(view.token, grid)) absent.replace(view, "token", "", noPlace(grid, middle(grid)));
  }

  get about() {
    return this.facts.windows[this.view.block];
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

  /** The token where the picture has the focus, else the block. */
  key(event) {
    if (!this.facts || event.ctrlKey || event.metaKey || event.altKey) return;
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (down === undefined || event.target.matches("input, select, textarea, button[role=radio], dialog *")) return;
    event.preventDefault();
    if (document.activeElement !== this.stage.element) return this.#block(this.view.block + right + down);
    this.ask({ token: stepped(this.place, [down, right], this.about.grid).join(",") });
  }

  async exportPicture() {
    if (!this.facts) return;
    const { exportBoard } = await import("./board.js");
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [this.stage.picture.width, this.stage.picture.height];
    for (const canvas of [this.stage.picture, this.stage.map, this.stage.marks]) sheet.getContext("2d").drawImage(canvas, 0, 0);
    await exportBoard(sheet, this.said.join(" "), null, "patchlight-windows.png");
  }

  get numbers() {
    const url = new URL(this.facts.numbers, document.baseURI);
    for (const [name, value] of Object.entries({ block: this.view.block, token: this.place.join(","), lens: this.view.lens })) url.searchParams.set(name, value);
    return url.href;
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { view, about, arrays } = this;
    const order = view.lens === "rolled" ? arrays[`rolled.${view.block}`] : null;
    this.#drawPicture(order);
    const regions = arrays[`regions.${view.block}`];
    const at = this.place[0] * about.grid[1] + this.place[1];
    this.inside = view.lens === "field" ? this.#field(view.block) : regions.map((region) => Number(region === regions[at]));
    const shown = order ? Array.from(order, (token) => this.inside[token]) : this.inside;
    const grid = view.lens === "field" ? this.facts.windows[0].grid : about.grid;
    this.stage.drawMap(null, grid, {});
    this.stage.drawMarks(grid, { window: shown, query: view.lens === "field" ? null : this.#shownCell(at, order), pointer: view.lens === "field" ? null : this.pointed });
    if (view.lens === "field") this.#drawOrigin();
    this.#drawLines(order);
    this.blocks.draw(this.facts.windows.map((_, block) => this.#frame(block)), view.block);
    this.side.draw(this);
    this.#drawWords();
    this.side.lenses.set(view.lens);
  }

  /** The photograph, rolled as the block rolls its tokens. */
  #drawPicture(order) {
    const { picture } = this.stage;
    const context = picture.getContext("2d");
    const [down, right] = order ? this.about.shift : [0, 0];
    const [high, wide] = [picture.height / this.about.grid[0], picture.width / this.about.grid[1]];
    for (const top of [0, 1])
      for (const left of [0, 1]) context.drawImage(this.image, left * picture.width - right * wide, top * picture.height - down * high, picture.width, picture.height);
  }

  /** The token itself, on its own block's coarser grid. */
  #drawOrigin() {
    const { marks, density } = this.stage;
    const [high, wide] = [marks.height / this.about.grid[0], marks.width / this.about.grid[1]];
    const context = marks.getContext("2d");
    [context.strokeStyle, context.lineWidth] = [themed("accent"), 2.4 * density];
    context.strokeRect(this.place[1] * wide, this.place[0] * high, wide, high);
  }

  /** Windows' edges; the mask's edges dashed where a window holds parts that are kept apart. */
  #drawLines(order) {
    const { about, arrays, view, stage } = this;
    if (view.lens === "field") return;
    const context = stage.marks.getContext("2d");
    const windows = arrays[`windows.${view.block}`];
    const regions = arrays[`regions.${view.block}`];
    const read = (values) => (order ? Array.from(order, (token) => values[token]) : values);
    edges(context, about.grid, read(windows), stage, "rgba(255, 255, 255, 0.85)", 1.4, []);
    edges(context, about.grid, order ? read(regions) : regions, stage, themed("accent"), 1.6, [6, 5], read(windows));
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
  #frame(block) {
    const { grid, window, shift } = this.facts.windows[block];
    if (this.view.lens === "field") return { values: this.#field(block), grid: this.facts.windows[0].grid, scale: 1.4, table: "magma", aspect: this.stage.aspect };
    const values = Float32Array.from({ length: grid[0] * grid[1] }, (_, token) => {
      const [row, column] = [Math.floor(token / grid[1]) + window[0] - shift[0], (token % grid[1]) + window[1] - shift[1]];
      return ((Math.floor(row / window[0]) + Math.floor(column / window[1])) % 2) + 0.25;
    });
    return { values, grid, scale: 2, table: "magma", aspect: this.stage.aspect };
  }

  #drawWords() {
    const { facts, about, view } = this;
    const words = facts.sentences;
    const seen = this.inside.reduce((sum, one) => sum + one, 0);
    const tokens = this.inside.length;
    const where = { block: view.block + 1, blocks: facts.windows.length, stage: about.stage + 1, high: about.window[0], wide: about.window[1], down: about.shift[0], right: about.shift[1] };
    const { place } = this;
    const token = { block: view.block + 1, row: place[0] + 1, column: place[1] + 1, seen, reached: seen, tokens };
    const cut = new Set(this.arrays[`regions.${view.block}`]).size > about.windows;
    this.said = [
      say(words[about.shift.some(Boolean) ? "shifted" : "plain"], where),
      say(words[view.lens === "field" ? "field" : "token"], token),
      ...(view.lens === "rolled" || (view.lens === "picture" && cut) ? [say(words[view.lens])] : []),
      ...(about.stage ? [say(words.merged)] : []),
      say(words.cost, { windowed: large(about.windowed), whole: large(about.whole) }),
      say(words.network, { title: facts.title, revision: facts.revision, width: String(facts.shape[1]), height: String(facts.shape[0]) }),
      ...(facts.random ? [say(words.random)] : []),
    ];
    this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  /** Another block; the token stays at its place of the picture. */
  #block(block) {
    const next = Math.min(this.facts.windows.length - 1, Math.max(0, block));
    const grid = this.facts.windows[next].grid;
    const token = this.place.map((place, axis) => Math.min(grid[axis] - 1, Math.floor(((place + 0.5) * grid[axis]) / this.about.grid[axis]))).join(",");
    this.ask({ block: next, token });
    this.blocks.follow(next);
  }

  #cell(event) {
    const cell = this.facts && this.stage.cell(event, this.about.grid);
    if (!cell || this.view.lens !== "rolled") return cell;
    const token = this.arrays[`rolled.${this.view.block}`][cell[0] * this.about.grid[1] + cell[1]];
    return [Math.floor(token / this.about.grid[1]), token % this.about.grid[1]];
  }

  #point(event) {
    const cell = event && this.facts ? this.stage.cell(event, this.about.grid) : null;
    if (String(cell) === String(this.pointed)) return;
    this.pointed = cell;
    this.draw();
  }

  async #measure() {
    this.side.count.disabled = true;
    try {
      this.measured = (await fetchBundle(this.facts.measure)).facts;
    } catch (wrong) {
      if (wrong.gone) return this.onGone?.();
      this.tell(wrong.fault);
    } finally {
      this.side.count.disabled = false;
    }
    this.draw();
  }

  #words() {
    this.blocks.words();
    this.draw();
  }

  #build() {
    this.stage = new Stage("Picture with windows");
    this.blocks = new Strip("Block", "Block {number}", (block) => this.#block(block));
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    const room = make(".pl-room", {}, this.stage.element);
    const first = make(".pl-first", {}, make("figure.pl-figure-box", {}, room), make(".pl-progress"), this.caption, make(".pl-strips", {}, this.blocks.element));
    this.element = make(".pl-tab.pl-windows", {}, make("main.pl-middle", {}, first), this.side.element);
    this.stage.element.addEventListener("pointermove", (event) => this.#point(event));
    this.stage.element.addEventListener("pointerleave", () => this.#point(null));
    this.stage.element.addEventListener("click", (event) => this.#cell(event) && this.ask({ token: this.#cell(event).join(",") }));
    new ResizeObserver(() => this.resize()).observe(room);
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("positions.css", import.meta.url).href }));
