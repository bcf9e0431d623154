// The mask lab: paints masks here, asks the server what the network makes of them, shows it in panels.

import { Asked, FOUND } from "./mask_asked.js";
import { Asks } from "./mask_asks.js";
import { Brush } from "./mask_brush.js";
import { Curve } from "./mask_curve.js";
import { exportPanels } from "./mask_export.js";
import { Hand } from "./mask_hand.js";
import { written } from "./mask_orders.js";
import { Refused } from "./refused.js";
import { Rows } from "./mask_rows.js";
import { Runs } from "./mask_runs.js";
import { Side } from "./mask_side.js";
import { MaskView } from "./mask_view.js";
import { make, onLanguage, say } from "./words.js";

const REST = 120; // milliseconds that a mask rests before the network is asked
const COUNT = 200; // milliseconds between two counts while one paints: a line of text costs as much as the square itself

export class Tab {
  keys = { "← ↑ → ↓": "On the picture: the next square", "Space, Enter": "On the picture: hide or show the square", I: "Invert the mask", Delete: "Show everything", "Ctrl+Z": "Undo" };

  constructor({ defaults, asked, tell, turns }) {
    Object.assign(this, { tell, turns });
    this.asks = new Asks({ turns, busy: (on) => this.element.classList.toggle("pl-mask-busy", on) });
    this.brush = new Brush({ painted: (patches) => this.#painted(patches), finished: () => this.#finished(), pointed: (patch) => this.#point(patch) });
    this.asked = new Asked({ defaults, asked, brush: this.brush });
    this.side = new Side({ ask: (changes) => this.ask(changes), act: (name) => this.hand.act(name), choose: (row, column) => this.#clicked(() => this.rows.chooseFine(row, column)), compare: (key) => this.#compare(key) });
    this.drawn = new MaskView({ brush: this.brush, pointed: (patch) => this.#point(patch), chosen: (patch) => this.#clicked(() => this.rows.choose(patch)), block: (block) => this.#clicked(() => this.rows.block(block)) });
    this.rows = new Rows({ asks: this.asks, asked: this.asked, drawn: this.drawn });
    this.curve = new Curve();
    this.runs = new Runs({ asks: this.asks, more: this.side.more, curve: this.curve, doubted: (found) => this.#doubted(found), asked: this.asked });
    this.hand = new Hand({ brush: this.brush, asked: this.asked, asks: this.asks, canvas: this.drawn.masked.canvas, run: (name) => this.runs.toggle(name), remade: () => this.#remade() });
    this.refused = new Refused("pl-mask-refused");
    this.element = make(".pl-tab.pl-mask-tab", {}, make("section.pl-middle", {}, this.drawn.element, this.curve.element), this.side.element);
    this.drawn.element.prepend(this.refused.element);
    onLanguage(() => this.#words());
  }

  async show(bundle) {
    this.facts = bundle.facts;
    this.runs.forgetAll();
    this.side.element.inert = Boolean(bundle.facts.refused);
    this.refused.show(bundle.facts);
    this.element.classList.toggle("pl-mask-none", Boolean(bundle.facts.refused));
    this.own = null;
    if (bundle.facts.refused) return;
    this.asks.addresses = bundle.facts.addresses;
    this.side.setNetwork(bundle.facts);
    this.asked.fit(bundle.facts);
    this.own = { grid: bundle.facts.grid, image: bundle.arrays.image };
    await this.#place();
    return this.asked.absent.news();
  }

  /** The view's changes, from any control. */
  async ask(changes) {
    const { against } = this.asked.view;
    this.asked.change(changes);
    if (!this.own) return;
    if (changes.against !== undefined && changes.against !== against) {
      await this.#place();
      const news = this.asked.absent.news();
      return void (news.length && this.tell(...news));
    }
    if ("mask" in changes) this.asked.remake();
    if ("masks" in changes) this.runs.foresee();
    this.#tellMask();
    this.asked.remember();
    if ("mask" in changes) this.#remade();
    else if ("statistics" in changes) this.#rest();
  }

  resize = () => this.draw();

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.own && this.drawn.kept) this.#draw(); // another network's picture may still be on its way
    });
  }

  key(event) {
    if (this.own) this.hand.key(event);
  }

  async exportPicture() {
    if (this.own) return exportPanels(this.drawn, this.drawn.spoken);
  }

  get shows() {
    return Boolean(this.own && this.drawn.kept?.facts);
  }

  get numbers() {
    const patch = this.rows.place ? { patch: this.rows.place.join(",") } : {};
    return this.asks.url("numbers", { ...this.asked.question(), ...this.runs.shown, ...patch }).href;
  }

  // -- masks -----------------------------------------------------------------------------------------------------------

  /** The picture and grid that fit this network, and the others where there are some. */
  async #place() {
    let { grid, image } = this.own;
    const { view } = this.asked;
    if (view.against) {
      const { against } = view;
      view.against = ""; // unless there is a common grid
      const ended = await this.asks.latest("common", { against }, ({ facts, arrays }) => {
        [grid, image] = [facts.grid, arrays.image];
        view.against = against;
      });
      if (!ended) return;
    }
    this.runs.fit();
    this.drawn.setPicture(image);
    this.drawn.compare(this.asked.others[0] ?? null);
    this.rows.clear();
    this.asked.begin(grid);
    this.draw();
    if (FOUND.includes(view.kind) && !view.mask) return this.hand.object(view.kind);
    this.runs.foresee();
    this.asked.remember();
    await this.#answer();
  }

  /** Only what a stroke has changed is drawn at once, so that its work is the same on every grid. */
  #painted(patches) {
    this.#wait();
    this.drawn.touch(patches);
    this.counting ??= setTimeout(() => {
      this.counting = null;
      this.side.setCount(this.asked.hidden, this.asked.patches);
      this.drawn.setNothing(this.asked.nothing);
    }, COUNT);
  }

  #finished() {
    this.asked.painted();
    this.#rest();
  }

  /** A mask that was not painted: by kind, ratio and seed, or where the object is. */
  #remade() {
    this.drawn.remask();
    this.#rest();
  }

  /** What the right side says of the mask. */
  #tellMask() {
    this.side.setMask({ ...this.asked.view, painted: Boolean(this.asked.view.mask) }, this.asked.hidden, this.asked.patches);
  }

  // -- answers ---------------------------------------------------------------------------------------------------------

  /** One paints: an answer on its way is that of an older mask, and nothing is asked. */
  #wait() {
    this.turns.end("answer");
    clearTimeout(this.soon);
    this.runs.wait();
    if (this.element.dataset.fresh) this.element.dataset.fresh = "";
  }

  /** A mask that rests for a moment is asked about. */
  #rest() {
    this.#wait();
    this.#tellMask();
    this.soon = setTimeout(() => {
      this.asked.remember();
      this.runs.foresee();
      this.#answer();
    }, REST);
  }

  /** Ask the network; a newer mask makes an older answer unimportant. */
  async #answer() {
    this.turns.end("answer");
    if (this.asked.empty) return this.draw();
    await this.asks.latest("answer", this.asked.question(), (found) => this.#answered(found));
  }

  #answered(found) {
    this.answered = written(Uint8Array.from(found.arrays.mask), found.facts.grid);
    this.runs.fit();
    this.rows.clear();
    this.drawn.kept.answer(found);
    this.drawn.changed();
    this.draw();
  }

  /** found: of all masks, or null where they were for another mask than this. */
  #doubted(found) {
    this.doubt = found?.facts;
    this.drawn.kept?.doubt(found);
    if (found) this.drawn.choose("doubt");
    else if (this.drawn.kept) this.drawn.changed();
    this.draw();
  }

  #compare(key) {
    this.drawn.compare(this.drawn.key === key ? null : key);
    this.draw();
  }

  /** Something about where a square's answer comes from; there is nothing to ask where nothing is painted. */
  async #clicked(act) {
    if (!this.facts.decodes || this.asked.empty) return;
    await act();
    this.draw();
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  #draw() {
    const { brush, drawn } = this;
    const { facts, others } = drawn.kept;
    const fresh = Boolean(facts) && this.answered === this.asked.fine(facts.grid);
    drawn.draw({ cursor: brush.cursor, pointed: this.pointed ?? null, chosen: this.rows.patch, fresh });
    this.#tellMask();
    this.side.setResult(facts, others, drawn.key);
    drawn.setWords(this.#sentences());
    drawn.setNothing(this.asked.nothing);
    this.element.dataset.fresh = fresh ? this.answered : "";
  }

  #sentences() {
    if (!this.drawn.kept.facts) return { warned: [], said: [] };
    const object = this.hand.found ? [{ template: this.facts.sentences.finder, facts: this.hand.found }] : [];
    const said = [...this.drawn.kept.facts.said, ...object, ...(this.doubt?.said ?? [])].map(({ template, facts }) => say(template, facts));
    const warned = said.splice(0, this.drawn.kept.facts.outside.length);
    return { warned, said, learnt: this.facts.learnt, inside: !warned.length };
  }

  /** A square under the pointer; a stroke shows itself, and needs no marks on all panels. */
  #point(under) {
    const patch = this.brush.down ? null : under;
    if (patch === this.pointed) return;
    this.pointed = patch;
    if (!this.own || !this.drawn.kept) return;
    this.drawn.mark({ cursor: this.brush.cursor, pointed: patch, chosen: this.rows.patch });
    if (this.brush.down) return;
    if (patch === null || patch === undefined) return this.side.setPatch(null, {});
    const [, columns] = this.asked.grid;
    const place = { row: Math.floor(patch / columns) + 1, column: (patch % columns) + 1 };
    this.side.setPatch(place, { ...this.drawn.figures(patch, this.side.rows), hidden: Boolean(this.brush.mask[patch]) });
  }

  #words() {
    if (this.facts) this.refused.show(this.facts);
    this.side.setPatch(null, {});
    if (!this.own) return;
    this.side.setNetwork(this.facts);
    this.runs.foresee();
    this.curve.draw();
    this.draw();
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("mask.css", import.meta.url).href }));
