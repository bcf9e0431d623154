// The mask lab: paints masks here, asks the server what the network makes of them, shows it in four panels.

import { Told, fetchBundle } from "./bundle.js";
import { Brush } from "./mask_brush.js";
import { Curve } from "./mask_curve.js";
import { MaskView } from "./mask_view.js";
import { hiddenCount, maskOf, read, written } from "./mask_orders.js";
import { Side } from "./mask_side.js";
import { exportPanels } from "./mask_export.js";
import { save } from "./export.js";
import { remember, setDesk } from "./state.js";
import { make, onLanguage, say } from "./words.js";

const REST = 120; // milliseconds that a mask rests before the network is asked
const RATIOS = Array.from({ length: 19 }, (_, step) => Math.round(5 * (step + 1)) / 100);
const SEEDS = 4; // masks a ratio where the address asks for none
const NUMBERED = ["kind", "ratio", "seed", "statistics", "against"];
const NOTHING = "The mask hides {hidden} of {patches} patches, but a masked autoencoder fills in hidden patches from visible ones; hide at least one and leave at least one.";

export class Tab {
  constructor({ defaults, asked, tell }) {
    Object.assign(this, { defaults, tell, turn: 0, running: {} });
    this.view = { ...defaults, ...asked };
    this.brush = new Brush({ painted: () => this.#painted(), finished: () => this.#rest(), pointed: (patch) => this.#point(patch) });
    this.side = new Side({ ask: (changes) => this.ask(changes), act: (name) => this.#act(name), choose: (row, column) => this.#choose(row * this.grid[1] + column) });
    this.drawn = new MaskView({ brush: this.brush, pointed: (patch) => this.#point(patch), chosen: (patch) => this.#choose(patch) });
    this.curve = new Curve();
    this.refused = make(".pl-mask-refused", { hidden: true });
    this.element = make(".pl-tab.pl-mask-tab", {}, make("main.pl-middle", {}, this.drawn.element, this.curve.element), this.side.element);
    this.drawn.element.prepend(this.refused);
    onLanguage(() => this.#words());
  }

  get grid() {
    return this.brush.grid;
  }

  async show(bundle) {
    Object.assign(this, { facts: bundle.facts, answered: null });
    this.stop();
    this.#refuse(bundle.facts);
    if (bundle.facts.refused) return;
    this.side.setNetwork(bundle.facts);
    if (!bundle.facts.able.some(({ id }) => id === this.view.against && id !== bundle.facts.checkpoint)) this.view.against = "";
    this.own = { grid: bundle.facts.grid, image: bundle.arrays.image };
    await this.#place();
  }

  /** The view's changes, from any control. */
  async ask(changes) {
    const before = { ...this.view };
    Object.assign(this.view, changes);
    if (!this.own) return;
    if (changes.against !== undefined && changes.against !== before.against) return this.#place();
    if ("mask" in changes) this.#remake();
    if ("masks" in changes) this.#foresee();
    this.draw();
    this.#remember();
    if ("mask" in changes || "statistics" in changes) this.#rest();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.own && this.drawn.kept) this.#draw(); // the second network's picture may still be on its way
    });
  }

  resize() {
    this.draw();
  }

  key(event) {
    if (!this.own || event.target.matches("input, select, textarea, dialog *")) return;
    const meta = event.ctrlKey || event.metaKey;
    const act = meta && event.key.toLowerCase() === "z" ? "undo" : meta || event.altKey ? null : { i: "invert", I: "invert", Delete: "clear" }[event.key];
    if (act) this.#act(act);
    else if (meta || event.altKey || document.activeElement !== this.drawn.masked.canvas || !this.brush.key(event)) return;
    event.preventDefault();
  }

  async exportPicture() {
    if (this.own) await exportPanels(this.drawn, [...this.drawn.said].join(" "));
  }

  get numbers() {
    return this.#url("numbers", this.#question()).href;
  }

  stop() {
    for (const name of Object.keys(this.running)) this.running[name] = null;
    ["doubt", "curve"].forEach((name) => this.side.setRunning(name, null));
  }

  // -- masks -----------------------------------------------------------------------------------------------------------

  /** The picture and grid that fit this network, and the second one where there is one. */
  async #place() {
    let { grid, image } = this.own;
    if (this.view.against) {
      const both = await this.#fetch("common", { against: this.view.against });
      if (both) ({ facts: { grid }, arrays: { image } } = both);
      else this.view.against = "";
    }
    const painted = this.view.mask ? read(this.view.mask, grid) : null;
    if (this.view.mask && !painted) this.view.mask = "";
    this.drawn.setPicture(image);
    Object.assign(this, { answered: null, doubt: null, sources: null });
    this.brush.set(painted ?? this.#made(grid), grid, false);
    this.#foresee();
    this.draw();
    this.#remember();
    await this.#answer();
  }

  #made(grid) {
    const { kind, ratio, seed } = this.view;
    return maskOf(["block", "grid"].includes(kind) ? kind : "random", grid, hiddenCount(ratio, grid[0] * grid[1]), seed);
  }

  /** By kind, ratio and seed, as the controls say; painting makes a mask of its own. */
  #remake() {
    if (!["random", "block", "grid"].includes(this.view.kind)) this.view.kind = "random";
    this.brush.set(this.#made(this.grid), this.grid);
    this.#foresee();
  }

  #painted() {
    this.view.mask = written(this.brush.mask, this.grid);
    this.draw();
  }

  #act(name) {
    const rules = { invert: (value) => 1 - value, clear: () => 0, all: () => 1 };
    if (rules[name]) this.brush.every(rules[name]);
    else if (name === "undo") this.brush.undo();
    else if (name === "film") save(this.#url("film", this.#question()).href, "patchlight-masks.gif");
    else if (name === "doubt" || name === "curve") this.running[name] ? this.stop() : this[`run_${name}`]();
    else this.#object(name);
  }

  async #object(name) {
    const found = await this.#fetch("object", { against: this.view.against });
    if (!found) return;
    this.brush.set(found.arrays.mask.map((value) => (name === "object" ? value : 1 - value)), this.grid);
    this.#painted();
    this.finder = { title: found.facts.title, mask: this.view.mask };
    this.#rest();
  }

  // -- answers ---------------------------------------------------------------------------------------------------------

  #rest() {
    clearTimeout(this.soon);
    this.#remember();
    this.soon = setTimeout(() => this.#answer(), REST);
  }

  /** Ask the network; a newer mask makes an older answer unimportant. */
  async #answer() {
    const turn = ++this.turn;
    const hidden = this.#hidden();
    if (!hidden || hidden === this.brush.mask.length) {
      this.tell({ template: NOTHING, facts: { hidden, patches: this.brush.mask.length } });
      return this.draw();
    }
    const found = await this.#fetch("answer", this.#question());
    if (!found || turn !== this.turn) return;
    this.answered = { facts: found.facts, arrays: found.arrays, mask: written(Uint8Array.from(found.arrays.mask), found.facts.grid) };
    this.drawn.setAnswer(found);
    this.side.setResult(found.facts);
    this.sources = null;
    this.draw();
  }

  #question() {
    const values = { mask: written(this.brush.mask, this.grid) };
    for (const name of NUMBERED) if (this.view[name] !== null && this.view[name] !== "") values[name] = this.view[name];
    return values;
  }

  async #foresee() {
    clearTimeout(this.later);
    this.later = setTimeout(async () => {
      const masks = this.view.masks || 16;
      const told = await this.#fetch("foreseen", { ...this.#made_of(), masks });
      if (told) this.side.setForeseen({ ...told.facts, masks });
    }, 300);
  }

  #made_of() {
    const { ratio, seed, statistics, against } = this.view;
    return { ratio, seed, statistics, ...(against ? { against } : {}) };
  }

  async run_doubt() {
    const mine = (this.running.doubt = {});
    const masks = this.view.masks || 16;
    this.side.setRunning("doubt", 0);
    for (let step = 0, done = 0; done < masks && this.running.doubt === mine; step++) {
      const found = await this.#fetch("doubt", { ...this.#made_of(), masks, step });
      if (!found || this.running.doubt !== mine) break;
      done = found.facts.done;
      this.side.setRunning("doubt", done / masks);
      if (done >= masks) this.#doubted(found);
    }
    if (this.running.doubt === mine) this.running.doubt = null;
    if (!this.running.doubt) this.side.setRunning("doubt", null);
  }

  #doubted(found) {
    this.doubt = found;
    this.drawn.setDoubt(found);
    this.drawn.choose("doubt");
    this.draw();
  }

  async run_curve() {
    const mine = (this.running.curve = {});
    const seeds = this.view.seeds || SEEDS;
    const kind = ["block", "grid"].includes(this.view.kind) ? this.view.kind : "random";
    this.curve.clear(seeds, { random: "Random", block: "Block", grid: "Grid" }[kind]);
    for (const [index, ratio] of RATIOS.entries()) {
      this.side.setRunning("curve", index / RATIOS.length);
      const found = await this.#fetch("curve", { ...this.#made_of(), kind, ratio, seeds });
      if (!found || this.running.curve !== mine) break;
      this.curve.add(ratio, found.facts);
      if (!index) this.curve.element.scrollIntoView({ block: "nearest" });
    }
    if (this.running.curve === mine) this.running.curve = null;
    if (!this.running.curve) this.side.setRunning("curve", null);
  }

  /** Where a square's answer comes from, by encoder and decoder. */
  async #choose(patch) {
    const hidden = this.#hidden();
    if (!this.facts.decodes || !hidden || hidden === this.brush.mask.length) return;
    const [rows, columns] = this.grid;
    const fine = this.answered?.facts.grid ?? this.grid;
    const place = [Math.floor((Math.floor(patch / columns) * fine[0]) / rows), Math.floor(((patch % columns) * fine[1]) / columns)];
    const found = await this.#fetch("sources", { ...this.#question(), patch: place.join(",") });
    if (!found) return;
    this.sources = { ...found, patch, hidden: Boolean(this.brush.mask[patch]) };
    this.drawn.setSources(this.sources);
    this.drawn.choose(this.sources.hidden ? "decoder" : "encoder");
    this.draw();
  }

  #url(name, values) {
    const url = new URL(this.facts.addresses[name], document.baseURI);
    for (const [key, value] of Object.entries(values)) url.searchParams.set(key, value);
    return url;
  }

  async #fetch(name, values) {
    this.#busy(1);
    try {
      return await fetchBundle(this.facts.addresses[name], values);
    } catch (wrong) {
      if (!(wrong instanceof Told)) throw wrong;
      if (wrong.gone) this.onGone?.();
      else this.tell(wrong.fault);
      return null;
    } finally {
      this.#busy(-1);
    }
  }

  /** A thin line while anything is asked. */
  #busy(change) {
    this.waiting = (this.waiting ?? 0) + change;
    this.element.classList.toggle("pl-mask-busy", this.waiting > 0);
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  #hidden() {
    return this.brush.mask.reduce((sum, value) => sum + value, 0);
  }

  #draw() {
    const { brush, grid, answered } = this;
    const fresh = answered && answered.mask === this.#fine(answered.facts.grid);
    this.drawn.draw({ mask: brush.mask, grid, cursor: brush.cursor, pointed: this.pointed ?? null, chosen: this.sources?.patch ?? null, fresh });
    this.side.setMask({ ...this.view, painted: Boolean(this.view.mask) }, this.#hidden(), brush.mask.length);
    this.drawn.setWords(this.#sentences(fresh));
    this.element.dataset.fresh = fresh ? answered.mask : "";
  }

  /** This mask on the network's own grid, which is finer where a second network's is coarser. */
  #fine([rows, columns]) {
    const [high, wide] = [rows / this.grid[0], columns / this.grid[1]];
    const fine = Uint8Array.from({ length: rows * columns }, (_, patch) => this.brush.mask[Math.floor(Math.floor(patch / columns) / high) * this.grid[1] + Math.floor((patch % columns) / wide)]);
    return written(fine, [rows, columns]);
  }

  #sentences(fresh) {
    if (!this.answered) return [];
    const said = fresh ? this.answered.facts.said : [];
    const object = fresh && this.finder?.mask === this.view.mask ? [{ template: this.facts.sentences.finder, facts: this.finder }] : [];
    return [...said, ...object, ...(this.doubt?.facts.said ?? [])].map(({ template, facts }) => say(template, facts));
  }

  #point(patch) {
    if (patch === this.pointed) return;
    this.pointed = patch;
    this.draw();
    if (!this.own || patch === null || patch === undefined) return this.side.setPatch(null, {});
    const [row, column] = [Math.floor(patch / this.grid[1]), patch % this.grid[1]];
    this.side.setPatch({ row: row + 1, column: column + 1 }, this.drawn.figures(patch, this.grid, this.brush.mask));
  }

  #refuse(facts) {
    this.refused.hidden = !facts.refused;
    this.element.classList.toggle("pl-mask-none", Boolean(facts.refused));
    if (!facts.refused) return;
    this.own = null;
    const offers = facts.able.map(({ id, title }) => make("button.pl-button", { type: "button", onclick: () => setDesk({ checkpoint: id, side: null }) }, title));
    this.refused.replaceChildren(make("p", {}, say(facts.fault.template, facts.fault.facts)), make(".pl-buttons", {}, ...offers));
  }

  #remember() {
    const { checkpoint, side, fit, patch, ...own } = this.view; // the first three are the desk's
    remember(own, this.defaults);
  }

  #words() {
    if (this.facts) this.#refuse(this.facts);
    this.drawn.words();
    this.draw();
  }
}

const link = make("link", { rel: "stylesheet", href: new URL("mask.css", import.meta.url).href });
document.head.append(link);
