// The windows tab: a Swin's windows on the picture, their roll and mask, and what a token can have seen.

import { painted, stamp } from "./board.js";
import { fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { gradient, themed } from "./colours.js";
import { card, factTable, segmented } from "./controls.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { make, number, onLanguage, say } from "./words.js";

const LENSES = { picture: "Windows", rolled: "Rolled", field: "Receptive field" };

const CAUTIONS = {
  picture: "A window cut by the picture's edge goes on at the opposite edge. The mask parts the two exactly only where the grid is a multiple of the window: padding moves the seam.",
  rolled: "The roll is a trick of computing: it makes shifted windows whole, and the mask takes back what it joined.",
  field: "What can have been seen is not what was used: attention may give most of it next to nothing.",
};

export class Tab {
  constructor({ defaults, asked, tell }) {
    this.defaults = defaults;
    this.tell = tell;
    this.view = { ...defaults, ...asked };
    this.head = 0;
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
    this.ask(this.view);
  }

  ask(changes) {
    Object.assign(this.view, changes);
    if (!this.facts) return;
    const { view, facts } = this;
    const last = facts.windows.length - 1;
    view.block = view.block < 0 ? last : Math.min(view.block, last);
    const [rows, columns] = this.about.grid;
    const [row, column] = (view.token || "").split(",").map(Number);
    this.place = view.token && row < rows && column < columns ? [row, column] : [Math.floor(rows / 2), Math.floor(columns / 2)];
    this.head = Math.min(this.head, this.about.heads - 1);
    remember({ block: view.block, token: view.token, lens: view.lens }, this.defaults);
    this.draw();
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
    const [rows, columns] = this.about.grid;
    this.ask({ token: [Math.min(rows - 1, Math.max(0, this.place[0] + down)), Math.min(columns - 1, Math.max(0, this.place[1] + right))].join(",") });
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
    this.#drawSide(regions, at);
    this.#drawWords();
    this.lenses.set(view.lens);
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

  /** Patches that can have reached a block's token at the clicked place: (patches of the first block) of 0 and 1. */
  #field(end) {
    const { windows } = this.facts;
    const key = `${this.place.join(",")} ${this.view.block}`;
    if (this.fields?.key !== key) this.fields = { key };
    if (this.fields[end]) return this.fields[end];
    let grid = windows[end].grid;
    const [row, column] = this.place.map((place, axis) => Math.min(grid[axis] - 1, Math.floor(((place + 0.5) * grid[axis]) / this.about.grid[axis])));
    let reached = new Uint8Array(grid[0] * grid[1]);
    reached[row * grid[1] + column] = 1;
    for (let block = end; block >= 0; block--) {
      const now = windows[block].grid;
      if (String(now) !== String(grid)) reached = unmerged(reached, grid, now);
      grid = now;
      const regions = this.arrays[`regions.${block}`];
      const open = new Set(regions.filter((_, token) => reached[token]));
      reached = Uint8Array.from(regions, (region) => Number(open.has(region)));
    }
    return (this.fields[end] = reached);
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

  #drawSide(regions, at) {
    const { about, view } = this;
    const seen = this.inside.reduce((sum, one) => sum + one, 0);
    const [rows, columns] = about.grid;
    this.figures.set({
      stage: say("{stage}, blocks {first} to {last}", this.#stage()),
      grid: `${columns} × ${rows} = ${number(rows * columns)}`,
      window: `${about.window.join(" × ")} × ${number(about.windows)}`,
      shift: about.shift.join(", "),
      token: `${this.place[0] + 1}, ${this.place[1] + 1}`,
      seen: say("{seen} of {tokens}", { seen, tokens: this.inside.length }),
    });
    this.costs.replaceChildren(...this.#costs());
    this.#drawBias(regions, at);
    this.caution.textContent = say(CAUTIONS[view.lens]);
  }

  #stage() {
    const stages = this.facts.windows.map(({ stage }) => stage);
    const own = this.about.stage;
    return { stage: own + 1, first: stages.indexOf(own) + 1, last: stages.lastIndexOf(own) + 1 };
  }

  #costs() {
    const { about, measured } = this;
    const row = (text, ...cells) => make("tr", {}, make("th", { say: text }), ...cells.map((cell) => make("td", {}, cell)));
    const head = make("tr", {}, make("td"), make("th", { say: "windows" }), make("th", { say: "global" }));
    const rows = [head, row("Multiplied", large(about.windowed), large(about.whole)), row("Matrices, B", large(about["windowed bytes"]), large(about["whole bytes"]))];
    if (!measured) return rows;
    const second = make("tr", {}, make("td"), make("th", { say: "predicted" }), make("th", { say: "counted" }));
    return [...rows, second, row("All blocks", large(measured.predicted.attention), large(measured.counted.attention)), row("All matrices, B", large(measured.predicted.matrices), large(measured.counted.matrices))];
  }

  /** The bias that the clicked token adds, laid out over its own window, for each head. */
  #drawBias(regions, at) {
    const { view, about, arrays } = this;
    const kernel = arrays[`kernel.${view.block}`];
    this.biasCard.hidden = !kernel || view.lens === "field";
    if (this.biasCard.hidden) return;
    const [high, wide] = about.window;
    const [row, column] = this.place.map((place, axis) => (((place - about.shift[axis]) % about.window[axis]) + about.window[axis]) % about.window[axis]);
    const map = (head) => Float32Array.from({ length: high * wide }, (_, key) => {
      const [down, right] = [Math.floor(key / wide) - row + high - 1, (key % wide) - column + wide - 1];
      return kernel[(head * (2 * high - 1) + down) * (2 * wide - 1) + right];
    });
    const edge = kernel.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    stamp(this.bias, painted(map(this.head), about.window, { low: -edge, high: edge, colours: "diverging" }));
    this.biasHeads.replaceChildren(...Array.from({ length: about.heads }, (_, head) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      stamp(canvas, painted(map(head), about.window, { low: -edge, high: edge, colours: "diverging" }));
      return make("button", { type: "button", role: "radio", "aria-checked": head === this.head, "aria-label": say("Head {number}", { number: head + 1 }), onclick: () => ((this.head = head), this.draw()) }, canvas);
    }));
    this.biasScale.style.background = gradient("diverging");
    this.biasEnds.forEach((end, index) => (end.textContent = number(index ? edge : -edge, 2)));
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
    this.count.disabled = true;
    try {
      this.measured = (await fetchBundle(this.facts.measure)).facts;
    } catch (wrong) {
      if (wrong.gone) return this.onGone?.();
      this.tell(wrong.fault);
    } finally {
      this.count.disabled = false;
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
    this.element = make(".pl-tab.pl-windows", {}, make("main.pl-middle", {}, first), this.#side());
    this.stage.element.addEventListener("pointermove", (event) => this.#point(event));
    this.stage.element.addEventListener("pointerleave", () => this.#point(null));
    this.stage.element.addEventListener("click", (event) => this.#cell(event) && this.ask({ token: this.#cell(event).join(",") }));
    new ResizeObserver(() => this.resize()).observe(room);
  }

  #side() {
    this.lenses = segmented("Lens", LENSES, (lens) => this.ask({ lens }), ".pl-views.pl-lenses");
    this.figures = factTable({ stage: "Stage", grid: "Tokens", window: "Windows", shift: "Shift", token: "Token", seen: "Sees" });
    this.costs = make("table.pl-table", { label: "Cost" });
    this.count = make("button.pl-button", { type: "button", say: "Count in one pass", onclick: () => this.#measure() });
    this.bias = make("canvas.pl-bias", { role: "img", label: "Bias of the token over its window" });
    this.biasHeads = make(".pl-bias-heads", { role: "radiogroup", label: "Head" });
    [this.biasScale, this.biasEnds] = [make("span.pl-table-scale"), [make("span"), make("span")]];
    this.biasCard = card("Bias over its window", make(".pl-bias-box", {}, this.bias, this.biasHeads), make(".pl-line.pl-ends", {}, this.biasEnds[0], this.biasScale, this.biasEnds[1]));
    this.caution = make("p.pl-note");
    return make("aside.pl-side", { label: "Question" },
      this.lenses.element,
      card("Block", this.figures.element),
      this.biasCard,
      card("Cost of attention, this block", this.costs, this.count),
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), this.caution),
    );
  }
}

/** The finer grid that a merged one was made of. */
function unmerged(reached, grid, now) {
  const step = now.map((side, axis) => Math.ceil(side / grid[axis]));
  return Uint8Array.from({ length: now[0] * now[1] }, (_, token) => {
    const [row, column] = [Math.floor(Math.floor(token / now[1]) / step[0]), Math.floor((token % now[1]) / step[1])];
    return reached[row * grid[1] + column];
  });
}

/** Lines where neighbours differ in `values`; with `within`, only where they agree in that. */
function edges(context, [rows, columns], values, stage, colour, width, dash, within = null) {
  const [high, wide] = [stage.marks.height / rows, stage.marks.width / columns];
  const apart = (a, b) => values[a] !== values[b] && (!within || within[a] === within[b]);
  context.beginPath();
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const here = row * columns + column;
      if (column + 1 < columns && apart(here, here + 1)) segment(context, (column + 1) * wide, row * high, 0, high);
      if (row + 1 < rows && apart(here, here + columns)) segment(context, column * wide, (row + 1) * high, wide, 0);
    }
  context.save();
  context.setLineDash(dash.map((length) => length * stage.density));
  [context.strokeStyle, context.lineWidth] = [colour, width * stage.density];
  context.stroke();
  context.restore();
}

function segment(context, x, y, along, down) {
  context.moveTo(x, y);
  context.lineTo(x + along, y + down);
}

/** A large count as people read it: 22.1 M. */
export function large(value) {
  const [factor, unit] = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]].find(([size]) => value >= size) ?? [1, ""];
  return `${number(value / factor, 3)}${unit && ` ${unit}`}`;
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("positions.css", import.meta.url).href }));
