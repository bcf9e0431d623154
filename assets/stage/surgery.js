// The surgery tab: the same picture before and after its patches were told other places. Each change is one pass.

import { coloured, painted, stamp } from "./board.js";
import { Told, fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { gradient } from "./colours.js";
import { card, factTable, labelled, slider } from "./controls.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { make, number, onLanguage, say } from "./words.js";

const CHANGES = { identity: "As it is", zero: "Take away", shuffle: "Shuffle", transpose: "Transpose", mirror: "Mirror", swap: "Swap two", noise: "Noise" };
const TEXTS = "a photo of a cat\na photo of a dog\na cup of coffee";

export class Tab {
  constructor({ defaults, asked, tell }) {
    this.defaults = defaults;
    this.tell = tell;
    this.view = { ...defaults, ...asked };
    this.pick = "first";
    this.pointed = null;
    this.#build();
    onLanguage(() => this.#words());
  }

  async show(bundle) {
    this.facts = bundle.facts;
    const image = new Image();
    image.src = new URL(this.facts.photograph, document.baseURI).href;
    await image.decode();
    const aspect = this.facts.shape[1] / this.facts.shape[0];
    for (const stage of [this.before, this.after]) stage.setPicture(image, aspect);
    this.done = null;
    this.block = null;
    this.element.classList.add("pl-filled");
    this.textBox.hidden = !this.facts.reads_text;
    await this.ask(this.view);
  }

  /** A change of positions; asks for one pass and keeps the old pictures, dimmed, meanwhile. */
  async ask(changes) {
    Object.assign(this.view, changes);
    this.#drawControls();
    if (!this.facts) return;
    remember({ ...this.view, checkpoint: null, side: null, fit: null, texts: null }, this.defaults);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.element.classList.add("pl-busy");
    const started = performance.now();
    try {
      const done = await fetchBundle(this.facts.operate, this.#values());
      if (turn !== this.turn) return;
      this.done = done;
      this.seconds = (performance.now() - started) / 1000;
      this.block ??= done.facts.moved.length - 1;
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
    this.#choose(Math.min(this.done.facts.moved.length - 1, Math.max(0, this.block + step)));
  }

  async exportPicture() {
    if (!this.done) return;
    const { exportBoard } = await import("./board.js");
    const sheet = document.createElement("canvas");
    const { width, height } = this.before.picture;
    [sheet.width, sheet.height] = [2 * width + 20, height];
    const context = sheet.getContext("2d");
    [this.before, this.after].forEach((stage, side) => [stage.picture, stage.map, stage.marks].forEach((canvas) => context.drawImage(canvas, side * (width + 20), 0)));
    await exportBoard(sheet, this.said.join(" "), { low: "0", high: number(this.peak, 2), colours: "magma" }, "patchlight-surgery.png");
  }

  get numbers() {
    const url = new URL(this.facts.numbers, document.baseURI);
    for (const [name, value] of Object.entries(this.#values())) url.searchParams.set(name, value);
    return url.href;
  }

  #values() {
    const { change, strength, seed, first, second, texts } = this.view;
    return { change, strength, seed, first, second, ...(this.facts.reads_text && texts.length ? { texts } : {}) };
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { arrays, facts } = this.done;
    const [before, after] = [arrays[`before.${this.block}`], arrays[`after.${this.block}`]];
    const grid = before.shape;
    this.peak = Math.max(...before, ...after);
    const drawn = { scale: this.peak, table: "magma", opacity: 0.85, smooth: true, mask: null };
    this.before.drawMap(before, grid, drawn);
    this.after.drawMap(after, grid, drawn);
    const first = this.facts.layers[0].grid;
    const cells = facts.change === "swap" ? [facts.first, facts.second].map((text) => text.split(",").map(Number)) : [];
    for (const stage of [this.before, this.after]) stage.drawMarks(first, { query: cells[0], pointer: this.pointed ?? cells[1] });
    const strip = (name, scale) => facts.moved.map((_, block) => {
      const values = arrays[`${name}.${block}`];
      return { values, grid: values.shape, scale: scale ?? Math.max(...values), table: "magma", aspect: this.before.aspect };
    });
    this.beforeStrip.draw(strip("before"), this.block);
    this.afterStrip.draw(strip("after"), this.block);
    stamp(this.cosine, this.#cosine());
    this.cosine.style.aspectRatio = `${this.before.aspect}`;
    this.#drawFacts();
    this.#drawTables();
    this.#drawWords();
  }

  /** 1 − cosine of each patch's features: black where they stayed, bright where nothing is left. */
  #cosine() {
    const { cosine } = this.done.arrays;
    return painted(cosine.map((value) => 1 - value), cosine.shape, { low: 0, high: 1, colours: "magma" });
  }

  #drawFacts() {
    const { facts } = this.done;
    const percent = (share) => `${number(100 * share, 3)} %`;
    this.figures.set({
      moved: percent(facts.moved[this.block]),
      cls: facts.cls === null ? null : number(facts.cls, 3),
      patches: number(facts.patches, 3),
      lowest: number(facts.lowest, 3),
      seconds: say("{seconds} s", { seconds: number(this.seconds, 2) }),
    });
    this.shareCard.hidden = !facts.shares.length;
    const head = make("tr", {}, make("td"), make("th", { say: "before" }), make("th", { say: "after" }));
    this.shares.replaceChildren(head, ...facts.shares.map(({ name, before, after }) => make("tr", {}, make("th", {}, name), make("td", {}, percent(before)), make("td.pl-own", {}, percent(after)))));
  }

  #drawWords() {
    const { facts } = this.done;
    const words = this.facts.sentences;
    const patch = (text) => text.split(",").map((at) => Number(at) + 1).join(", ");
    const resized = facts.resized && { from: facts.resized.from.join(" × "), to: facts.resized.to.join(" × "), before: facts.resized["offset before"].toFixed(3), after: facts.resized["offset after"].toFixed(3) };
    const blocks = facts.moved.length;
    this.said = [
      say(words[facts.change], { seed: String(facts.seed), strength: facts.strength, first: patch(facts.first), second: patch(facts.second) }),
      say(words.looks, { query: facts.query === "mean" ? say("mean over patches") : say(facts.query), block: this.block + 1, blocks }),
      say(words.moved, { moved: number(100 * facts.moved[this.block], 3) }),
      say(words.features, { patches: facts.patches.toFixed(3) }),
      ...(facts.cls === null ? [] : [say(words.cls, { cls: facts.cls.toFixed(3) })]),
      say(words.scale, { peak: number(this.peak, 2) }),
      ...(resized ? [say(words[resized.from === resized.to ? "as trained" : "resized"], resized)] : []),
      say(words.network, { title: facts.title, revision: facts.revision, width: String(facts.shape[1]), height: String(facts.shape[0]) }),
      ...(facts.random ? [say(words.random)] : []),
    ];
    this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
    this.bar.style.background = gradient("magma", "to top");
    this.scale.style.height = this.before.element.style.height;
    this.top.textContent = number(this.peak, 2);
  }

  #drawTables() {
    const { table, resized } = this.done.arrays;
    this.tableCard.hidden = !table;
    if (!table) return;
    for (const [canvas, bytes] of [[this.tables[0], table], [this.tables[1], resized]]) stamp(canvas, coloured(bytes, bytes.shape));
    this.grids.forEach((grid, index) => (grid.textContent = [table, resized][index].shape.slice(0, 2).join(" × ")));
  }

  #drawControls() {
    const { view } = this;
    this.changes.forEach((button) => button.setAttribute("aria-checked", button.dataset.value === view.change));
    this.strength.set(view.strength);
    this.strengthBox.hidden = view.change !== "noise";
    this.again.hidden = view.change !== "noise" && view.change !== "shuffle";
    this.strengthWords.textContent = say("Strength {strength}", { strength: view.strength });
    this.swapNote.hidden = view.change !== "swap";
    this.swapNote.textContent = say(this.pick === "first" ? "Click the first of two patches." : "Now click the second patch.");
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  #choose(block) {
    this.block = block;
    this.draw();
  }

  #click(stage, event) {
    const cell = this.facts && stage.cell(event, this.facts.layers[0].grid);
    if (!cell || this.view.change !== "swap") return;
    const picked = this.pick;
    this.pick = picked === "first" ? "second" : "first";
    if (picked === "second") return this.ask({ second: cell.join(",") });
    this.view.first = cell.join(",");
    this.#drawControls();
  }

  #point(stage, event) {
    const cell = event && this.facts ? stage.cell(event, this.facts.layers[0].grid) : null;
    if (String(cell) === String(this.pointed)) return;
    this.pointed = this.view.change === "swap" ? cell : null;
    this.draw();
  }

  #words() {
    this.beforeStrip.words();
    this.afterStrip.words();
    this.#drawControls();
    this.draw();
  }

  #build() {
    [this.before, this.after] = ["Before", "After"].map((label) => new Stage(label));
    for (const stage of [this.before, this.after]) {
      stage.element.addEventListener("click", (event) => this.#click(stage, event));
      stage.element.addEventListener("pointermove", (event) => this.#point(stage, event));
      stage.element.addEventListener("pointerleave", () => this.#point(stage, null));
    }
    this.beforeStrip = new Strip("Before", "Before, block {number}", (block) => this.#choose(block));
    this.afterStrip = new Strip("After", "After, block {number}", (block) => this.#choose(block));
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    [this.bar, this.top] = [make("span.pl-bar"), make("span")];
    this.scale = make(".pl-scale", { "aria-hidden": "true" }, this.top, this.bar, make("span", {}, "0"));
    const side = (stage, name) => make("figure.pl-half", {}, make("figcaption", { say: name }), make(".pl-board-room.pl-half-room", {}, stage.element));
    const pair = make(".pl-pair", {}, side(this.before, "Before"), side(this.after, "After"), this.scale);
    const strips = make(".pl-strips", {}, this.beforeStrip.element, this.afterStrip.element);
    const first = make(".pl-first", {}, pair, make(".pl-progress"), this.caption, strips);
    this.element = make(".pl-tab.pl-surgery", {}, make("main.pl-middle", {}, first), this.#side());
    new ResizeObserver(() => this.resize()).observe(pair);
  }

  #side() {
    this.changes = Object.entries(CHANGES).map(([value, text]) => make("button", { type: "button", role: "radio", say: text, "data-value": value, onclick: () => this.ask({ change: value }) }));
    this.again = make("button.pl-button", { type: "button", say: "Draw again", onclick: () => this.ask({ seed: this.view.seed + 1 }) });
    this.strengthWords = make("h3");
    this.strength = slider("Strength", { min: 0, max: 3, step: 0.05 }, (strength) => ((this.view.strength = strength), this.#drawControls()), (strength) => this.ask({ strength }));
    this.strengthBox = labelled(this.strengthWords, this.strength);
    this.swapNote = make("p.pl-note");
    this.figures = factTable({ moved: "Attention moved", cls: "Cosine of CLS", patches: "Cosine of patches", lowest: "Least alike patch", seconds: "This pass" });
    this.cosine = make("canvas.pl-pointer-map", { role: "img", label: "Features changed, 1 − cosine, 0 to 1" });
    this.shares = make("table.pl-table", { label: "Answers" });
    this.texts = make("textarea.pl-text", { rows: 3, label: "Texts", onchange: () => this.ask({ texts: this.#lines() }) });
    this.texts.value = TEXTS;
    this.textBox = make("div", { hidden: true }, this.texts, make("button.pl-button", { type: "button", say: "Score texts", onclick: () => this.ask({ texts: this.#lines() }) }));
    this.shareCard = card("Answers", this.shares);
    this.tables = [make("canvas"), make("canvas")];
    this.grids = [make("span"), make("span")];
    this.tableCard = card("Table, as trained and as fed", make(".pl-tables", {}, ...this.tables.map((canvas, index) => make("figure", {}, canvas, make("figcaption", {}, this.grids[index])))), make("p.pl-note", { say: "First three components as RGB, resized by the network's own code." }));
    const note = make("p.pl-note", { say: "The network never saw such pictures of places: what breaks shows what it had come to rely on, not what it could learn to do without." });
    return make("aside.pl-side", { label: "Question" },
      card("Change of positions", make(".pl-changes", { role: "radiogroup", label: "Change of positions" }, ...this.changes), this.strengthBox, this.again, this.swapNote),
      card("What it does", this.figures.element, make("h2", { say: "Features changed, 1 − cosine, 0 to 1" }), this.cosine),
      this.shareCard, this.textBox,
      this.tableCard,
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), note),
    );
  }

  #lines() {
    return this.texts.value.split("\n").map((line) => line.trim()).filter(Boolean);
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("positions.css", import.meta.url).href }));
