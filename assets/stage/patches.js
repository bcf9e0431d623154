// The patches tab: the picture under its grid, one patch, the filters that read it, and what attention costs.

import { coloured, stamp } from "./board.js";
import { fetchBundle } from "./bundle.js";
import { Stage } from "./canvas.js";
import { card, factTable, select } from "./controls.js";
import { remember } from "./state.js";
import { large } from "./windows.js";
import { make, number, onLanguage, say } from "./words.js";

const FIELDS = { height: "Height", width: "Width", patch: "Patch side", prefix: "Prefix tokens", channels: "Channels", heads: "Heads", layers: "Layers" };
const PRECISIONS = { fp32: "fp32", fp16: "fp16", bf16: "bf16", int8: "int8" };
const KERNELS = { materialised: "Materialised", fused: "Fused" };
const NUMBER_BYTES = { fp32: 4, fp16: 2, bf16: 2, int8: 1 };

/** Configurations that a lecture asks about. */
const PRESETS = {
  own: ["This network", null],
  large: ["Lecture, 512 × 512 pixels", { height: 512, width: 512, patch: 1, prefix: 0, channels: 1024, heads: 16, layers: 48 }],
  small: ["Lecture, 32 × 32 pixels", { height: 32, width: 32, patch: 1, prefix: 0, channels: 1024, heads: 16, layers: 48 }],
};

/** What models/attention_cost.py says of a configuration. */
export function cost({ height, width, patch, prefix, channels, heads, layers, window, precision, kernel }) {
  const tokens = prefix + Math.floor(height / patch) * Math.floor(width / patch);
  const reach = window ? Math.min(window * window, tokens) : tokens;
  const entries = heads * tokens * reach;
  const layer = kernel === "materialised" ? entries * NUMBER_BYTES[precision] : heads * tokens * NUMBER_BYTES.fp32;
  return { tokens, reach, entries, layer, bytes: layers * layer, multiplications: layers * 2 * tokens * reach * channels, projections: layers * 4 * tokens * channels ** 2 };
}

export class Tab {
  constructor({ defaults, asked, tell }) {
    this.defaults = defaults;
    this.tell = tell;
    this.view = { ...defaults, ...asked };
    this.pointed = null;
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
    this.ask(this.view);
  }

  ask(changes) {
    Object.assign(this.view, changes);
    if (!this.facts) return;
    const [rows, columns] = this.facts.grid;
    const [row, column] = (this.view.patch_at || "").split(",").map(Number);
    this.place = this.view.patch_at && row < rows && column < columns ? [row, column] : [Math.floor(rows / 2), Math.floor(columns / 2)];
    remember({ ...this.view, checkpoint: null, side: null, fit: null }, this.defaults);
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
    const [rows, columns] = this.facts.grid;
    this.ask({ patch_at: [Math.min(rows - 1, Math.max(0, this.place[0] + down)), Math.min(columns - 1, Math.max(0, this.place[1] + right))].join(",") });
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

  /** The calculator's configuration: the network's own, with what was asked otherwise. */
  get configuration() {
    const asked = Object.fromEntries(Object.keys(FIELDS).filter((name) => this.view[name] !== null && this.view[name] !== "").map((name) => [name, this.view[name]]));
    return { ...this.facts.own, ...asked, precision: this.view.precision, kernel: this.view.kernel };
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { grid } = this.facts;
    this.stage.drawMap(null, grid, {});
    this.stage.drawMarks(grid, { query: this.place, pointer: this.pointed });
    this.#drawGrid();
    this.#drawPatch();
    this.#drawCost();
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

  #drawCost() {
    const asked = this.configuration;
    const found = cost(asked);
    for (const [name, input] of Object.entries(this.inputs)) if (document.activeElement !== input) input.value = asked[name];
    this.precision.set(asked.precision);
    this.kernel.set(asked.kernel);
    const formulas = [
      ["Tokens n", `⌊H/P⌋⌊W/P⌋ + ${asked.prefix}`, number(found.tokens)],
      ["Numbers", asked.window ? `h·n·${asked.window}²` : "h·n²", large(found.entries)],
      ["One layer", asked.kernel === "fused" ? "h·n·4 B" : `× ${NUMBER_BYTES[asked.precision]} B`, bytes(found.layer)],
      ["All layers", "× L", bytes(found.bytes)],
      ["Scores, sum", asked.window ? `2Ln·${asked.window}²·C` : "2Ln²C", large(found.multiplications)],
      ["Projections", "4LnC²", large(found.projections)],
    ];
    const rows = formulas.map(([name, formula, value]) => make("tr", {}, make("th", { colspan: 2 }, make("span", { say: name }), " ", make("span.pl-formula", {}, formula)), make("td.pl-own", {}, value)));
    if (this.measured) rows.push(...this.#measuredRows());
    this.costs.replaceChildren(...rows);
  }

  #measuredRows() {
    const { predicted, counted, kernel } = this.measured;
    return [
      make("tr", {}, make("th", { say: "This network" }), make("th", { say: "predicted" }), make("th", { say: "counted" })),
      make("tr", {}, make("th", { say: "Scores, sum" }), make("td", {}, large(predicted.attention)), make("td.pl-own", {}, large(counted.attention))),
      make("tr", {}, make("th", {}, say(KERNELS[kernel])), make("td", {}, bytes(predicted.matrices)), make("td.pl-own", {}, bytes(counted.matrices))),
      make("tr", {}, make("th", { say: "With weights" }), make("td", {}, large(predicted.weights)), make("td.pl-own", {}, large(counted.weights))),
    ];
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

  #preset(values) {
    const none = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, null]));
    this.ask({ ...none, ...values });
  }

  async #measure() {
    this.count.disabled = true;
    try {
      this.measured = (await fetchBundle(this.facts.measure, { kernel: this.view.kernel })).facts;
    } catch (wrong) {
      if (wrong.gone) return this.onGone?.();
      this.tell(wrong.fault);
    } finally {
      this.count.disabled = false;
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
    this.inputs = Object.fromEntries(Object.entries(FIELDS).map(([name, text]) => [name, make("input.pl-number-input", { type: "number", min: name === "prefix" ? 0 : 1, max: 65536, label: text, oninput: (event) => this.#typed(name, event.target) })]));
    this.precision = select("Precision", PRECISIONS, (precision) => this.ask({ precision }));
    this.kernel = select("Kernel", KERNELS, (kernel) => this.ask({ kernel }));
    const fields = Object.entries(FIELDS).map(([name, text]) => make("label.pl-field", {}, make("span", { say: text }), this.inputs[name]));
    const presets = Object.values(PRESETS).map(([text, values]) => make("button.pl-link", { type: "button", say: text, onclick: () => this.#preset(values) }));
    this.costs = make("table.pl-table.pl-costs", { label: "Cost" });
    this.count = make("button.pl-button", { type: "button", say: "Count in one pass", onclick: () => this.#measure() });
    return make("aside.pl-side", { label: "Question" },
      make("section.pl-card", {}, this.patchHead, make(".pl-patch-box", {}, this.patch, this.figures.element)),
      card("What attention costs", make(".pl-presets", {}, ...presets), make(".pl-fields", {}, ...fields, make("label.pl-field", {}, make("span", { say: "Precision" }), this.precision.element), make("label.pl-field", {}, make("span", { say: "Kernel" }), this.kernel.element)), this.costs, this.count),
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), make("p.pl-note", { say: "A fused kernel multiplies as often as one that writes its matrices; it saves memory and the time to move it." })),
    );
  }

  /** A number as it is typed; what cannot be calculated is left until it can. */
  #typed(name, input) {
    const value = Number(input.value);
    if (input.value === "") return this.ask({ [name]: null });
    const asked = { ...this.configuration, [name]: value };
    if (input.checkValidity() && Number.isInteger(value) && Math.min(asked.height, asked.width) >= asked.patch) this.ask({ [name]: value });
  }
}

/** Bytes as people read them: 192 TiB. */
function bytes(value) {
  const [factor, unit] = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]].find(([size]) => value >= size) ?? [1, "B"];
  return `${number(value / factor, 3)} ${unit}`;
}
