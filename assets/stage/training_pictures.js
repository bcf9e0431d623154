// The middle of the Train tab: what the network makes of the same pictures at one step, large, over a strip of all steps.

import { Frames } from "./training_frames.js";
import { attended, ends, masked, matrix, mosaic, paint, picture, rebuilt } from "./training_tiles.js";
import { segmented } from "./controls.js";
import { gradient, themed } from "./colours.js";
import { ask } from "./training_server.js";
import { make, number, onLanguage, say } from "./words.js";

const KINDS = { similarity: "Similarity", teacher: "Teacher", reconstruction: "Reconstruction", attention: "Attention", positions: "Positions", views: "Views" };
const SAID = {
  similarity: "How alike the network finds {count} things of one fixed batch, each with each. Pairs that belong together are framed.",
  teacher: "What the teacher answers to {count} fixed pictures, a row each. Equal rows are collapse.",
  reconstruction: "Above what the network is shown, in the middle what it rebuilds, below the picture.",
  prefix: "Where CLS looks in the last block, mean of heads. Each map has its own scale.",
  pool: "Where the attention pool looks, mean of heads. Each map has its own scale.",
  mean: "Where patches look on average in the last block, mean of heads. Each map has its own scale.",
  positions: "Every position's likeness to all others, each in its own place, before any picture ({kind}).",
  views: "The fixed pictures, and what the network is shown of them while it learns.",
};
const WRITTEN = ["similarity", "teacher"]; // by the objective itself, beside its snapshots
const FEWEST = 4; // pictures that are shown at least
const GAIN = 1.12; // so much larger must tiles become for fewer pictures to be worth it
const GAP = 6;
const MAGNITUDES = "magma";
const RELATIONS = "viridis";

export class Pictures {
  /** ask({drawn}); choose(step or null for the newest); explore(step). */
  constructor({ ask: change, choose, explore }) {
    Object.assign(this, { change, choose, explore, index: 0, run: null, views: null, shown: "" });
    this.frames = new Frames({ arrived: () => this.draw(), refused: () => this.draw() });
    this.kinds = segmented("What is drawn", KINDS, (drawn) => change({ drawn }), ".pl-train-kinds");
    this.when = make("strong.pl-train-when");
    this.open = make("button.pl-button.pl-train-explore", { type: "button", say: "Open in the explorers", hint: "Every tab then shows this network", onclick: () => this.explore(this.step) });
    this.hero = make(".pl-train-hero", { role: "img" });
    this.caption = make("figcaption.pl-caption.pl-train-caption");
    this.film = make(".pl-film.pl-train-film", { role: "radiogroup", label: "Snapshots" });
    const bar = make(".pl-train-bar", {}, this.kinds.element, this.when, this.open);
    this.element = make("figure.pl-train-show", { hidden: true }, bar, this.hero, this.caption, this.film);
    this.strip = new Map();
    new ResizeObserver(() => this.#again()).observe(this.hero);
    onLanguage(() => this.#again());
  }

  /** job: as the server tells it. kinds: what it can show. shown: steps with what the objective writes. drawn: the kind asked for or "". step: or null. */
  show({ job, kinds, shown, drawn, step }) {
    if (job.name !== this.run) this.#begin(job.name);
    this.job = job;
    this.available = kinds;
    this.kind = kinds.includes(drawn) ? drawn : kinds[0];
    this.filmKind = this.kind === "views" ? kinds.find((kind) => kind !== "views") : this.kind;
    this.steps = WRITTEN.includes(this.filmKind) ? shown : job.kept;
    this.step = this.steps.includes(step) ? step : (this.steps.at(-1) ?? null);
    if (!this.views && job.kept.length) this.#fetchViews();
    this.element.hidden = !job.kept.length;
    const rest = [...this.steps].reverse().filter((one) => one !== this.step && one !== 0);
    this.frames.want([this.step, 0, ...rest].filter((one, place, all) => this.steps.includes(one) && all.indexOf(one) === place), this.filmKind);
    this.draw();
  }

  stop() {
    this.frames.stop();
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.job && this.views) this.#draw();
    });
  }

  /** Step by step through the strip; at its end the newest is followed again. */
  walk(by) {
    const steps = this.steps ?? [];
    if (!steps.length) return;
    const next = Math.min(steps.length - 1, Math.max(0, steps.indexOf(this.step) + by));
    this.choose(next === steps.length - 1 ? null : steps[next]);
  }

  /** What is drawn large, on one canvas, for export; null where there is nothing. */
  sheet() {
    const drawn = [...this.hero.querySelectorAll("canvas")];
    if (!drawn.length) return null;
    const boxes = drawn.map((canvas) => canvas.getBoundingClientRect());
    const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
    const [right, bottom] = [Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [2 * (right - left), 2 * (bottom - top)];
    const context = sheet.getContext("2d");
    context.imageSmoothingEnabled = false;
    drawn.forEach((canvas, index) => context.drawImage(canvas, 2 * (boxes[index].left - left), 2 * (boxes[index].top - top), 2 * boxes[index].width, 2 * boxes[index].height));
    return sheet;
  }

  #begin(run) {
    Object.assign(this, { run, views: null, index: 0, shown: "" });
    this.frames.open(run);
    this.strip = new Map();
    this.film.replaceChildren();
    this.hero.replaceChildren();
  }

  async #fetchViews() {
    const { run } = this;
    if (this.fetching === run) return;
    this.fetching = run;
    try {
      const found = await ask("views", { run });
      if (run === this.run && found.arrays) this.views = found;
    } catch {
      // not written yet, or the server is away: the next look asks again
    } finally {
      this.fetching = null;
      this.draw();
    }
  }

  #again() {
    this.shown = "";
    this.draw();
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    this.kinds.set(this.kind);
    this.kinds.buttons.forEach((button) => (button.hidden = !this.available.includes(button.dataset.value)));
    this.when.textContent = this.step === 0 ? say("Untrained") : say("Step {step}", { step: this.step });
    this.#drawHero();
    this.#drawFilm();
  }

  #drawHero() {
    const frame = this.kind === "views" ? this.views : this.frames.get(this.step, this.kind);
    const why = this.frames.why(this.kind);
    if (why) return this.#refuse(why);
    this.element.classList.toggle("pl-busy", !frame);
    const key = [this.run, this.kind, this.step, this.hero.clientWidth, this.hero.clientHeight, this.index, document.body.className].join(" ");
    if (!frame || key === this.shown) return;
    this.shown = key;
    const columns = { reconstruction: () => this.#rebuilt(frame), attention: () => this.#attended(frame), views: () => this.#viewed() }[this.kind];
    if (columns) this.#lay(columns());
    else this.#large(frame);
    Object.assign(this.hero.dataset, { step: this.step, kind: this.kind });
    this.caption.textContent = this.said = this.#said(frame);
    this.hero.setAttribute("aria-label", this.caption.textContent);
  }

  #refuse(fault) {
    this.shown = "";
    this.hero.replaceChildren(make("p.pl-train-refused", {}, say(fault.template, fault.facts)));
    this.caption.textContent = "";
  }

  #said(frame) {
    const name = this.kind === "attention" ? frame.facts.query : this.kind;
    const when = this.step === 0 ? say("Random weights, before the first step.") : say("After {step} steps.", { step: this.step });
    const count = frame.arrays.map?.shape[0] ?? 0;
    return `${say(SAID[name], { count, kind: say(frame.facts.kind ?? "") })} ${this.kind === "views" ? "" : when}`.trim();
  }

  get #stack() {
    return this.views.arrays.pictures;
  }

  /** A column of images for each picture. */
  #attended(frame) {
    return this.#each((index) => [attended(this.#stack, frame, index, MAGNITUDES)]);
  }

  #rebuilt(frame) {
    return this.#each((index) => [masked(this.#stack, frame, index), rebuilt(this.#stack, frame, index), picture(this.#stack, index)]);
  }

  #viewed() {
    const count = this.#stack.shape[0];
    const stacks = Object.entries(this.views.arrays).filter(([name]) => name.startsWith("views/")).map(([, stack]) => stack);
    return this.#each((index) => [picture(this.#stack, index), ...stacks.flatMap((stack) => Array.from({ length: Math.floor(stack.shape[0] / count) }, (_, turn) => picture(stack, turn * count + index)))]);
  }

  #each(make) {
    return Array.from({ length: this.#stack.shape[0] }, (_, index) => make(index));
  }

  /** Columns of tiles as large as the room allows; fewer pictures where that makes them much larger. */
  #lay(columns) {
    const [wide, high] = [this.hero.clientWidth, this.hero.clientHeight];
    const { size, count, across } = arranged(columns.length, columns[0].length, wide, high);
    const groups = columns.slice(0, count).map((images, index) => {
      const tiles = images.map((image) => {
        const canvas = make("canvas.pl-train-tile", { "aria-hidden": "true" });
        paint(canvas, image);
        return canvas;
      });
      return make("button.pl-train-column", { type: "button", "aria-pressed": index === this.index, label: "Show this picture in the strip", onclick: () => this.#pick(index) }, ...tiles);
    });
    this.hero.style.setProperty("--tile", `${size}px`);
    this.hero.style.setProperty("--across", across);
    this.hero.className = "pl-train-hero pl-train-grid";
    this.hero.replaceChildren(...groups);
  }

  /** One matrix, as large as the room, with the pairs that belong together framed and its scale beside it. */
  #large(frame) {
    const { map } = frame.arrays;
    const image = this.#matrix(frame);
    const room = Math.min(this.hero.clientHeight, this.hero.clientWidth - 80);
    const aspect = image.width / image.height;
    const density = window.devicePixelRatio || 1;
    const canvas = make("canvas.pl-train-matrix", { "aria-hidden": "true" });
    const [width, height] = aspect > 1 ? [Math.min(this.hero.clientWidth - 80, room * aspect), 0] : [room * aspect, room];
    Object.assign(canvas.style, { width: `${width}px`, height: `${height || width / aspect}px` });
    [canvas.width, canvas.height] = [Math.round(width * density), Math.round((height || width / aspect) * density)];
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = image.width > canvas.width;
    context.drawImage(bitmap(image), 0, 0, canvas.width, canvas.height);
    if (frame.arrays.same) frameUp(context, frame.arrays.same, canvas);
    if (this.kind === "similarity") this.#pointed(canvas, frame);
    const [low, high] = ends(map);
    const bar = make(".pl-bar", { style: `background: ${gradient(RELATIONS, "to top")}` });
    const scale = make(".pl-scale.pl-train-scale", {}, make("span", {}, number(high, 2)), bar, make("span", {}, number(low, 2)));
    this.hero.className = "pl-train-hero pl-train-one";
    this.hero.replaceChildren(canvas, scale);
  }

  /** The pair under the pointer, in the caption's place. */
  #pointed(canvas, { arrays: { map } }) {
    const [rows, columns] = map.shape;
    canvas.onpointermove = ({ offsetX, offsetY }) => {
      const row = Math.min(rows - 1, Math.floor((rows * offsetY) / canvas.clientHeight));
      const column = Math.min(columns - 1, Math.floor((columns * offsetX) / canvas.clientWidth));
      const text = this.views.facts.captions[column];
      const facts = { row: row + 1, column: column + 1, value: number(map[row * columns + column], 2) };
      this.caption.textContent = columns === rows && text && ["clip", "siglip"].includes(this.job.recipe.objective) ? say("Picture {row} with “{text}”: {value}.", { ...facts, text }) : say("Row {row}, column {column}: {value}.", facts);
    };
    canvas.onpointerleave = () => (this.caption.textContent = this.said);
  }

  #matrix(frame) {
    return this.kind === "positions" ? mosaic(frame.arrays.map, frame.facts.grid, RELATIONS) : matrix(frame.arrays.map, RELATIONS);
  }

  #pick(index) {
    this.index = index;
    this.strip.forEach((one) => (one.painted = ""));
    this.#again();
  }

  // -- strip -----------------------------------------------------------------------------------------------------------

  #drawFilm() {
    if (this.steps.join() !== [...this.strip.keys()].join()) this.#cut(this.steps);
    for (const [step, one] of this.strip) {
      one.frame.setAttribute("aria-checked", step === this.step);
      one.frame.tabIndex = step === this.step ? 0 : -1;
      const found = this.frames.get(step, this.filmKind);
      const key = `${this.filmKind} ${this.index}`;
      if (!found || one.painted === key) continue;
      one.painted = key;
      one.frame.dataset.painted = key;
      paint(one.canvas, this.#stamp(found));
    }
    if (this.seen !== this.step) this.#scroll();
    this.seen = this.step;
  }

  #stamp(frame) {
    if (this.filmKind === "attention") return attended(this.#stack, frame, this.index, MAGNITUDES);
    if (this.filmKind === "reconstruction") return rebuilt(this.#stack, frame, this.index);
    return this.filmKind === "positions" ? mosaic(frame.arrays.map, frame.facts.grid, RELATIONS) : matrix(frame.arrays.map, RELATIONS);
  }

  #cut(steps) {
    const before = this.strip;
    this.strip = new Map(steps.map((step) => [step, before.get(step) ?? this.#frame(step)]));
    this.film.replaceChildren(...[...this.strip.values()].map(({ frame }) => frame));
    const last = steps.at(-1);
    for (const [step, { frame }] of this.strip) frame.onclick = () => this.choose(step === last ? null : step);
  }

  #frame(step) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    const name = make("span.pl-train-step", {}, step === 0 ? say("untrained") : number(step));
    const frame = make("button.pl-frame.pl-train-frame", { type: "button", role: "radio", "data-step": step, "aria-label": say("Step {step}", { step }) }, canvas, name);
    return { frame, canvas, painted: "" };
  }

  #scroll() {
    const { frame } = this.strip.get(this.step) ?? {};
    if (frame) this.film.scrollTo({ left: frame.offsetLeft - (this.film.clientWidth - frame.offsetWidth) / 2, behavior: "smooth" });
  }
}

/** How many pictures, in how many columns, at which size: groups of `high` tiles in a room. */
function arranged(most, deep, width, height) {
  let best = { size: 0, count: 0, across: 1 };
  for (let count = most; count >= Math.min(FEWEST, most); count--)
    for (let across = 1; across <= count; across++) {
      const rows = Math.ceil(count / across);
      const size = Math.floor(Math.min((width - GAP * (across - 1)) / across, (height - GAP * (rows - 1) - 2 * rows * (deep - 1)) / (rows * deep)));
      if (size > best.size * (count < best.count ? GAIN : 1)) best = { size, count, across };
    }
  return { ...best, size: Math.max(16, best.size) };
}

/** A frame around every pair that belongs together. */
function frameUp(context, same, canvas) {
  const [rows, columns] = same.shape;
  const [wide, high] = [canvas.width / columns, canvas.height / rows];
  context.strokeStyle = themed("accent");
  context.lineWidth = Math.max(1, wide * 0.12);
  for (let cell = 0; cell < same.length; cell++) if (same[cell]) context.strokeRect((cell % columns) * wide, Math.floor(cell / columns) * high, wide, high);
}

function bitmap(image) {
  const sheet = new OffscreenCanvas(image.width, image.height);
  sheet.getContext("2d").putImageData(image, 0, 0);
  return sheet;
}
