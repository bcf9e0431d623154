// The positions tab: every position against every other, drawn from what came once; only tables to compare with are asked for.

import { Part } from "./affinity.js";
import { exportBoard } from "./board.js";
import { fetchBundle } from "./bundle.js";
import { GridTab } from "./grid_tab.js";
import { middle } from "./places.js";
import { Boards } from "./positions_boards.js";
import { Film } from "./positions_film.js";
import { Side } from "./positions_side.js";
import { sentences } from "./positions_words.js";
import { remember } from "./state.js";
import { Strip } from "./strips.js";
import { make, number, onLanguage, say } from "./words.js";

const MOST_IN_A_ROW = 20; // bands: half of them turn with rows, half with columns, so two rows of them read well

export class Tab extends GridTab {
  constructor(given) {
    super(given);
    Object.assign(this, { token: 0, others: new Map() });
    this.side = new Side((changes) => this.ask(changes));
    this.#build();
    onLanguage(() => this.#words());
  }

  async show(bundle) {
    Object.assign(this, { parts: bundle.facts.parts.map((_, index) => new Part(bundle, index)), others: new Map() });
    this.facts = bundle.facts;
    this.#fit();
    this.element.classList.add("pl-filled");
    this.side.kinds(this);
    await this.ask({});
    return this.absent.news();
  }

  /** What was asked stays, as far as this network has it. */
  #fit() {
    const { view, absent, parts } = this;
    absent.restore(view, this.facts.checkpoint);
    if (!(view.part < parts.length))
      absent.replace(view, "part", 0, { said: "Part {asked} was asked for, but the positions of this network have parts 1 to {last}; the first one is shown instead.", asked: view.part + 1, last: parts.length });
    const part = parts[view.part];
    if (!has(part, view.figure))
      absent.replace(view, "figure", "similarity", { said: "The figure {asked} was asked for, but positions of this kind have none; their similarity is shown instead." });
    if (view.component !== null && view.component >= part.heads.length)
      absent.replace(view, "component", null, { said: "Head or band {asked} was asked for, but here they go from 1 to {last}; their mean is shown instead, choose one in the strip.", asked: view.component + 1, last: part.heads.length });
    this.fitPlace("place", part.grid);
  }

  /** The view's changes, from any control. */
  async ask(changes) {
    this.absent.forget(changes);
    Object.assign(this.view, changes);
    if (!this.facts) return;
    const { view } = this;
    if (!this.parts[view.part].table) view.table = "own";
    if (view.table === "own" || this.others.has(this.#key)) {
      this.turns.end("other");
      return this.#shown();
    }
    await this.turns.latest("other", async (turn) => {
      const other = await turn(fetchBundle(this.facts.others, { part: view.part, table: view.table }, turn.signal));
      this.others.set(this.#key, new Part(other, 0, view.part));
      this.#shown();
    }, (busy) => this.element.classList.toggle("pl-busy", busy));
  }

  /** What the view asks is here: fitted to it, drawn, and kept in the address. */
  #shown() {
    const { view, part } = this;
    if (!has(part, view.figure)) view.figure = "similarity";
    if (view.component >= part.heads.length) view.component = null;
    this.place = this.placeOf("place", part.grid);
    this.draw();
    const place = String(this.place) === String(middle(part.grid)) ? "" : this.place.join(",");
    const { checkpoint, ...own } = view; // that is the desk's
    remember({ ...own, place, ...this.absent.asked }, this.defaults);
  }

  /** Of a table of the same shape to compare with, which is asked for once. */
  get #key() {
    return `${this.view.part} ${this.view.table}`;
  }

  /** The kind of position in front: the network's, or what stands beside it. */
  get part() {
    return this.others.get(this.#key) ?? this.parts[this.view.part];
  }

  resize() {
    this.draw();
  }

  key(event) {
    const step = this.step(event);
    if (step) this.ask({ place: this.walked("place", step, this.part.grid) });
  }

  async exportPicture() {
    if (!this.facts) return;
    const { low, high, colours } = this.scale;
    const scale = this.view.figure === "components" ? null : { low: number(low, 3), high: number(high, 3), colours };
    return exportBoard(this.boards.large.canvas, this.said.join(" "), scale, "patchlight-positions.png");
  }

  get numbers() {
    const { part, table, measure, component } = this.view;
    return this.addressOf({ part, table, measure, component, place: this.place.join(",") });
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  /** Everything that the view tells, at once. */
  frame() {
    const { figure } = this.view;
    this.scale = this.scaleOf();
    this.values = figure === "components" ? null : this.figure(figure, this.token);
    this.boards.draw(this);
    this.film.draw(this);
    this.#drawStrips();
    this.side.draw(this);
    this.says(sentences(this));
  }

  /** Numbers of one figure: (cells). */
  figure(figure, token) {
    const { part, view } = this;
    if (figure === "prefix") return part.prefixMap(token);
    return figure === "similarity" ? part.map(this.place, view.measure, view.component) : part[`${figure}Values`];
  }

  /** Colours' ends: of all pairs, or of the one picture of norms or spectrum, where a difference that three digits cannot tell is none. */
  scaleOf(figure = this.view.figure, token = this.token) {
    const { view } = this;
    if (figure === "similarity" || figure === "components") return { ...this.pairs(), colours: view.colours };
    const values = this.figure(figure, token);
    const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    const alike = high - low < 1e-3 * Math.max(Math.abs(low), Math.abs(high));
    return { low, high: alike ? low : high, colours: view.colours === "diverging" ? "viridis" : view.colours };
  }

  /** {low, high} of all pairs; as far below zero as above where colours diverge. */
  pairs(component = this.view.component) {
    const [low, high] = this.part.span(this.view.measure, component);
    const edge = Math.max(-low, high);
    return this.view.colours === "diverging" ? { low: -edge, high: edge } : { low, high };
  }

  #drawStrips() {
    const { part, view } = this;
    const same = this.parts.filter(({ kind }) => kind === part.kind);
    this.blocks.element.hidden = same.length < 2;
    if (same.length > 1) this.blocks.draw(same.map((one) => this.#small(one, null)), same.indexOf(part));
    const count = part.heads.length;
    this.heads.element.hidden = count < 2;
    this.headName.textContent = say((this.headName.dataset.say = part.word === "band" ? "Band" : "Head"));
    this.heads.film.classList.toggle("pl-two-rows", count > MOST_IN_A_ROW);
    this.heads.film.style.setProperty("--across", Math.ceil(count / 2));
    if (count > 1) this.heads.draw(part.heads.map((head) => this.#small(part, head)), view.component);
    this.mean.setAttribute("aria-pressed", view.component === null);
  }

  #small(part, component) {
    const [low, high] = part.span(this.view.measure, component);
    const values = part.map(part === this.part ? this.place : middle(part.grid), this.view.measure, component).map((value) => value - low);
    return { values, grid: part.grid, scale: high - low, table: this.scale?.colours ?? this.view.colours, aspect: part.grid[1] / part.grid[0] };
  }

  // -- smaller things --------------------------------------------------------------------------------------------------

  #words() {
    this.blocks.words();
    this.heads.words();
    if (this.facts) this.side.kinds(this);
    this.draw();
  }

  #build() {
    this.boards = new Boards({
      point: (cell) => this.facts && this.point(this.view.figure === "spectrum" ? null : cell),
      choose: (cell) => this.facts && this.ask({ place: cell.join(","), figure: this.view.figure === "spectrum" ? "similarity" : this.view.figure }),
    });
    this.film = new Film((figure, token) => ((this.token = token), this.ask({ figure })));
    this.blocks = new Strip("Block", "Block {number}", (index) => this.ask({ part: this.parts.indexOf(this.parts.filter(({ kind }) => kind === this.part.kind)[index]) }));
    this.heads = new Strip("Head", "Head or band {number}", (component) => this.ask({ component }));
    this.headName = this.heads.element.firstChild;
    this.mean = make("button.pl-mean", { type: "button", say: "mean of all", onclick: () => this.ask({ component: null }) });
    this.heads.end.append(this.mean);
    const strips = make(".pl-strips", {}, this.film.element, this.blocks.element, this.heads.element);
    const first = make(".pl-first", {}, this.boards.element, make(".pl-progress"), this.caption, strips);
    this.element = make(".pl-tab.pl-positions", {}, make("section.pl-middle", {}, first), this.side.element);
    new ResizeObserver(() => this.draw()).observe(this.boards.element);
  }
}

/** Whether positions of this kind have a figure. */
const has = (part, figure) => figure === "similarity" || Boolean(part.table && (figure !== "prefix" || part.prefixValues));

document.head.append(make("link", { rel: "stylesheet", href: new URL("positions.css", import.meta.url).href }));
