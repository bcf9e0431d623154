// The positions tab: every position against every other, drawn from what came once. Nothing here asks the server.

import { Absent } from "./absent.js";
import { Part } from "./affinity.js";
import { Board, coloured, exportBoard, painted, stamp } from "./board.js";
import { gradient } from "./colours.js";
import { cellOf, middle, noPlace, stepped } from "./places.js";
import { Side } from "./positions_side.js";
import { sentences } from "./positions_words.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { make, number, onLanguage, say } from "./words.js";

const FIGURES = { similarity: "Similarity", components: "PCA as RGB", norms: "Norms", spectrum: "Spectrum" };
const MOST_TILES = 12;

export class Tab {
  constructor({ defaults, asked }) {
    this.defaults = defaults;
    this.view = { ...defaults, ...asked };
    this.absent = new Absent();
    this.pointed = null;
    this.token = 0;
    this.side = new Side((changes) => this.ask(changes));
    this.#build();
    onLanguage(() => this.#words());
  }

  show(bundle) {
    this.facts = bundle.facts;
    this.parts = bundle.facts.parts.map((_, index) => new Part(bundle, index));
    this.element.classList.add("pl-filled");
    this.side.kinds(this);
    this.#fit();
    this.ask({});
    return this.absent.news();
  }

  /** The view's changes, from any control. */
  ask(changes) {
    Object.assign(this.view, changes);
    this.absent.forget(changes);
    if (!this.parts) return;
    const { view, part } = this;
    if (!has(part, view.figure)) view.figure = "similarity";
    if (view.component >= part.heads.length) view.component = null;
    this.place = cellOf(view.place, part.grid) ?? middle(part.grid);
    this.draw();
    const place = String(this.place) === String(middle(part.grid)) ? "" : this.place.join(",");
    remember({ ...view, place, ...this.absent.asked, checkpoint: null }, { ...this.defaults, checkpoint: null });
  }

  /** What was asked stays, as far as this network has it. */
  #fit() {
    const { view, absent, parts } = this;
    absent.restore(view);
    if (!(view.part < parts.length))
      absent.replace(view, "part", 0, { said: "Part {asked} was asked for, but the positions of this network have parts 0 to {last}; the first one is shown instead.", last: parts.length - 1 });
    const { heads, grid } = this.part;
    if (!has(this.part, view.figure))
      absent.replace(view, "figure", "similarity", { said: "The figure {asked} was asked for, but positions of this kind have none; their similarity is shown instead." });
    if (view.component !== null && view.component >= heads.length)
      absent.replace(view, "component", null, { said: "Head or band {asked} was asked for, but here they go from 0 to {last}; their mean is shown instead, choose one in the strip.", last: heads.length - 1 });
    if (view.place && !cellOf(view.place, grid)) absent.replace(view, "place", "", noPlace(grid, middle(grid)));
  }

  get part() {
    return this.parts[this.view.part];
  }

  draw() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (this.parts) this.frame();
    });
  }

  resize() {
    this.draw();
  }

  /** Arrow keys walk the position where the map has the focus; else heads and blocks. */
  key(event) {
    if (!this.parts || event.ctrlKey || event.metaKey || event.altKey) return;
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (down === undefined || event.target.matches("input, select, textarea, dialog *")) return;
    event.preventDefault();
    this.ask({ place: stepped(this.place, [down, right], this.part.grid).join(",") });
  }

  async exportPicture() {
    if (!this.parts) return;
    const { low, high, colours } = this.scale;
    const scale = this.view.figure === "components" ? null : { low: number(low, 3), high: number(high, 3), colours };
    await exportBoard(this.large.canvas, this.said.join(" "), scale, "patchlight-positions.png");
  }

  get numbers() {
    const url = new URL(this.facts.numbers, document.baseURI);
    const { part, measure, component } = this.view;
    for (const [name, value] of Object.entries({ part, measure, component, place: this.place.join(",") })) if (value !== null) url.searchParams.set(name, value);
    return url.href;
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  /** Everything that the view tells, at once. */
  frame() {
    this.#drawLarge();
    this.#drawFilm();
    this.#drawTiles();
    this.#drawStrips();
    this.side.draw(this);
    this.#drawWords();
  }

  #drawLarge() {
    const { part, view } = this;
    if (!this.large.fit(part.grid[1] / part.grid[0])) return;
    const boxes = [{ cell: this.place, colour: "accent" }];
    if (this.pointed) boxes.push({ cell: this.pointed, colour: "pointer" });
    this.scale = this.#scale();
    if (view.figure === "components") return this.large.drawOne(coloured(part.componentsValues, part.grid), boxes);
    this.values = this.#figure(view.figure, this.token);
    this.large.drawOne(painted(this.values, part.grid, this.scale), view.figure === "spectrum" ? [] : boxes);
  }

  /** Numbers of one figure: (cells). */
  #figure(figure, token) {
    const { part, view } = this;
    if (figure === "prefix") return part.prefixMap(token);
    return figure === "similarity" ? part.map(this.place, view.measure, view.component) : part[`${figure}Values`];
  }

  /** Colours' ends: of all pairs, or of the one picture of norms or spectrum. */
  #scale(figure = this.view.figure, token = this.token) {
    const { part, view } = this;
    const own = figure !== "similarity" && figure !== "components";
    const values = own ? this.#figure(figure, token) : null;
    let [low, high] = own ? [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] : part.span(view.measure, view.component);
    if (view.colours === "diverging" && !own) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
    return { low, high, colours: view.colours === "diverging" && own ? "viridis" : view.colours };
  }

  /** What a table looks like in other ways: small pictures that are the choice. */
  #drawFilm() {
    const { part, view } = this;
    const prefix = part.prefixValues ? part.prefixValues.shape[0] : 0;
    const wanted = part.table ? [...Object.keys(FIGURES).map((figure) => [figure, 0]), ...Array.from({ length: Math.min(prefix, 5) }, (_, token) => ["prefix", token])] : [];
    if (this.filmOf !== wanted.join(" ")) {
      this.filmOf = wanted.join(" ");
      this.frames = wanted.map(([figure, token]) => {
        const canvas = make("canvas", { "aria-hidden": "true" });
        const name = figure === "prefix" ? make("span", {}, say(this.facts.names[token])) : make("span", { say: FIGURES[figure] });
        const frame = make("button.pl-figure-frame", { type: "button", role: "radio", onclick: () => this.#show(figure, token) }, canvas, name);
        return { figure, token, canvas, frame };
      });
      this.film.replaceChildren(...this.frames.map(({ frame }) => frame));
    }
    const key = [this.facts.checkpoint, part.index, view.colours].join(" ");
    for (const { figure, token, canvas, frame } of this.frames) {
      frame.setAttribute("aria-checked", figure === view.figure && (figure !== "prefix" || token === this.token));
      if (canvas.kept === key) continue;
      if (figure !== "similarity") canvas.kept = key;
      const image = figure === "components" ? coloured(part.componentsValues, part.grid) : painted(figure === view.figure && figure === "similarity" ? this.values : this.#figure(figure, token), part.grid, this.#scale(figure, token));
      stamp(canvas, image);
    }
    this.filmRow.hidden = !wanted.length;
  }

  #drawTiles() {
    const { part, view } = this;
    this.step = Math.ceil(Math.max(...part.grid) / MOST_TILES);
    const [rows, columns] = part.grid.map((side) => Math.ceil(side / this.step));
    if (!this.tiles.fit(columns / rows)) return;
    const key = [this.facts.checkpoint, this.facts.title, part.index, view.measure, view.component, view.colours, columns, this.tiles.canvas.width].join(" ");
    const [low, high] = part.span(view.measure, view.component);
    const edge = Math.max(-low, high);
    const scale = view.colours === "diverging" ? { low: -edge, high: edge, colours: view.colours } : { low, high, colours: view.colours };
    if (key !== this.keptTiles) {
      this.tiles.keepTiles([rows, columns], (row, column) => painted(part.map([row * this.step, column * this.step], view.measure, view.component), part.grid, scale));
      this.keptTiles = key;
    }
    const boxes = [{ cell: this.place.map((at) => Math.floor(at / this.step)), colour: "accent" }];
    if (this.pointed) boxes.push({ cell: this.pointed.map((at) => Math.floor(at / this.step)), colour: "pointer" });
    this.tiles.drawTiles(boxes);
  }

  #drawStrips() {
    const { part, view } = this;
    const same = this.parts.filter(({ kind }) => kind === part.kind);
    this.blocks.element.hidden = same.length < 2;
    if (same.length > 1) this.blocks.draw(same.map((one) => this.#frame(one, null)), same.indexOf(part));
    this.heads.element.hidden = part.heads.length < 2;
    this.headName.dataset.say = part.word === "band" ? "Band" : "Head";
    this.headName.textContent = say(this.headName.dataset.say);
    if (part.heads.length > 1) this.heads.draw(part.heads.map((head) => this.#frame(part, head)), view.component);
    this.mean.setAttribute("aria-pressed", view.component === null);
  }

  #frame(part, component) {
    const [low, high] = part.span(this.view.measure, component);
    const middle = part.grid.map((side) => Math.floor(side / 2));
    const values = part.map(part === this.part ? this.place : middle, this.view.measure, component).map((value) => value - low);
    return { values, grid: part.grid, scale: high - low, table: this.scale?.colours ?? this.view.colours, aspect: part.grid[1] / part.grid[0] };
  }

  #drawWords() {
    this.said = sentences(this);
    this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
    this.bar.style.background = gradient(this.scale.colours, "to top");
    this.barBox.style.height = this.large.canvas.style.height;
    this.barBox.style.visibility = this.view.figure === "components" ? "hidden" : "";
    [this.top.textContent, this.bottom.textContent] = [this.scale.high, this.scale.low].map((end) => number(end, 3));
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  #show(figure, token) {
    this.token = token;
    this.ask({ figure });
  }

  #point(cell, step) {
    const next = cell && cell.map((at, axis) => Math.min(this.part.grid[axis] - 1, at * step));
    if (!this.parts || String(next) === String(this.pointed)) return;
    this.pointed = next;
    this.draw();
  }

  #choose(cell, step) {
    if (this.parts) this.ask({ place: cell.map((at, axis) => Math.min(this.part.grid[axis] - 1, at * step)).join(","), figure: this.view.figure === "spectrum" ? "similarity" : this.view.figure });
  }

  #words() {
    this.blocks.words();
    this.heads.words();
    if (this.parts) this.side.kinds(this);
    this.draw();
  }

  #build() {
    this.large = new Board("Map of one position", { point: (cell) => this.parts && this.#point(this.view.figure === "spectrum" ? null : cell, 1), choose: (cell) => this.#choose(cell, 1) });
    this.tiles = new Board("A small map of each position", { point: (cell) => this.parts && this.#point(cell, this.step), choose: (cell) => this.#choose(cell, this.step) });
    this.blocks = new Strip("Block", "Block {number}", (index) => this.ask({ part: this.parts.indexOf(this.parts.filter(({ kind }) => kind === this.part.kind)[index]) }));
    this.heads = new Strip("Head", "Head or band {number}", (component) => this.ask({ component }));
    this.headName = this.heads.element.firstChild;
    this.mean = make("button.pl-mean", { type: "button", say: "mean of all", onclick: () => this.ask({ component: null }) });
    this.heads.end.append(this.mean);
    [this.bar, this.top, this.bottom] = [make("span.pl-bar"), make("span"), make("span")];
    this.barBox = make(".pl-scale", { "aria-hidden": "true" }, this.top, this.bar, this.bottom);
    this.caption = make("figcaption.pl-caption", { "aria-live": "polite" });
    const boards = make(".pl-boards", {}, this.large.element, this.barBox, this.tiles.element);
    this.film = make(".pl-film", { role: "radiogroup", label: "Figure" });
    this.filmRow = make(".pl-strip", { hidden: true }, make("span.pl-strip-name", { say: "Table" }), this.film);
    const strips = make(".pl-strips", {}, this.filmRow, this.blocks.element, this.heads.element);
    const first = make(".pl-first", {}, boards, make(".pl-progress"), this.caption, strips);
    this.element = make(".pl-tab.pl-positions", {}, make("main.pl-middle", {}, first), this.side.element);
    new ResizeObserver(() => this.draw()).observe(boards);
  }

}

/** Whether positions of this kind have a figure. */
const has = (part, figure) => figure === "similarity" || Boolean(part.table && (figure !== "prefix" || part.prefixValues));

const link = make("link", { rel: "stylesheet", href: new URL("positions.css", import.meta.url).href });
document.head.append(link);
