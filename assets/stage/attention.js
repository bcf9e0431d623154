// The attention tab: keeps what is asked, fetches what is not here, draws. Scrubbing never leaves the page.

import { Absent } from "./absent.js";
import { Answers } from "./answers.js";
import { fit } from "./attention_fit.js";
import { Hand } from "./attention_hand.js";
import { AttentionView } from "./attention_view.js";
import { tokenName } from "./caption.js";
import { Compared } from "./compared.js";
import { exportPicture } from "./export.js";
import { Maps } from "./maps.js";
import { isToken } from "./places.js";
import { Away, Gone, Told, picture } from "./server.js";
import { remember } from "./state.js";
import { onLanguage, say } from "./words.js";

const NUMBERED = ["view", "layer", "head", "fusion", "query", "share", "mark", "discard", "target", "text", "scaling"];

export class Attention {
  keys = { "← →": "The head before or after", "↑ ↓": "The block before or after", "← ↑ → ↓": "On the picture: the asking patch, one further" };

  /** defaults: the declared parameters' own. asked: those of the page's address. tell(fault): the page's sentence.
   *  turns: of all that is asked here, ended when another picture or network comes. */
  constructor({ defaults, asked, tell, turns }) {
    Object.assign(this, { defaults, tell, turns });
    this.state = { maps: null, answers: null, view: { ...defaults, ...asked }, pointed: null, waiting: false };
    this.absent = new Absent();
    this.drawn = new AttentionView((changes) => this.ask(changes), new Compared(() => this.#drawNow()));
    this.compared = this.drawn.compared;
    this.element = this.drawn.element;
    this.hand = new Hand(this);
    new ResizeObserver(() => this.resize()).observe(this.drawn.room);
    onLanguage(() => this.#words());
  }

  /** A new picture or network has arrived; what was asked stays, as far as it exists here. Returns what does not. */
  async show(bundle, turn) {
    const maps = new Maps(bundle);
    const image = await turn(picture(maps.facts.addresses.picture, turn.signal));
    const view = { ...this.state.view, ...this.#plain() };
    this.absent.restore(view, maps.facts.checkpoint);
    fit(view, maps, this.absent);
    Object.assign(this.state, { maps, view, answers: new Answers(maps), pointed: null });
    this.drawn.setPicture(image, maps.facts.shape);
    this.drawn.charts.fetch(maps.facts.addresses.figures, this.turns);
    await this.ask({});
    return this.absent.news();
  }

  /** The view's changes, from any control; draws what is here and fetches what is not. */
  async ask(changes) {
    const { view, maps } = this.state;
    if (!maps) return void Object.assign(view, changes);
    if (changes.layer !== undefined && view.head >= maps.layers[changes.layer].heads) changes.head = null;
    if (changes.query === "pool") changes.layer = maps.blocks - 1;
    if (changes.view === "to" && !isToken(view.query)) changes.query = maps.central();
    this.absent.forget(changes);
    Object.assign(view, changes);
    this.draw();
    this.#remember();
    await this.#arrive();
  }

  /** Draw soon, at most once a frame. */
  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#drawNow();
    });
  }

  #drawNow() {
    if (this.state.maps) this.drawn.draw(this.state);
  }

  resize() {
    if (this.drawn.stage.fit()) this.draw();
  }

  key(event) {
    this.hand.key(event);
  }

  async exportPicture() {
    const { stage, said, scale } = this.drawn;
    if (this.state.maps) return exportPicture(stage, said.join(" "), { scale, table: this.state.view.table });
  }

  /** Whether something is shown that could be exported. */
  get shows() {
    const { maps, answers, view } = this.state;
    return Boolean(maps && !maps.facts.refused[view.view] && answers.current(view));
  }

  /** The address of the numbers behind what is shown. */
  get numbers() {
    const { maps, view } = this.state;
    const url = new URL(maps.facts.addresses.numbers, document.baseURI);
    for (const name of NUMBERED) if (view[name] !== null && view[name] !== "") url.searchParams.set(name, view[name]);
    return url.href;
  }

  /** Fetch what the view needs and is not here. */
  async #arrive() {
    const { answers, view } = this.state;
    const fetching = answers.needed(view);
    this.turns.end("map");
    if (fetching) await this.turns.latest("map", (turn) => this.#fetched(fetching, turn), (waiting) => this.#wait(waiting));
  }

  async #fetched(fetching, turn) {
    try {
      await turn(fetching(turn.signal));
      this.drawn.question.setClasses(this.state.answers.classes);
    } catch (wrong) {
      if (!this.#takesBack(wrong)) throw wrong;
      this.tell(wrong.fault);
      this.#arrive();
    }
  }

  /** A class that the network does not have gives way to its best. */
  #takesBack(wrong) {
    const { view } = this.state;
    const refused = wrong instanceof Told && !(wrong instanceof Gone || wrong instanceof Away);
    if (!refused || view.view !== "class" || view.target === null) return false;
    this.absent.keep(view, "target", null);
    return true;
  }

  #wait(waiting) {
    this.state.waiting = waiting;
    this.element.classList.toggle("pl-busy", waiting);
    this.draw();
  }

  // -- words and address -----------------------------------------------------------------------------------------------

  /** [value, words] of everything that can be asked by name, and the patch that is. */
  #queries() {
    const { maps, view } = this.state;
    const words = { mean: say("mean over patches"), pool: say("attention pool") };
    const named = maps.facts.names.map((name, index) => [`prefix ${index}`, tokenName(name)]);
    const special = Object.keys(maps.facts.rows).filter((query) => query in words).map((query) => [query, words[query]]);
    const cell = maps.cell(0, view.query);
    const patch = cell ? [[view.query, say("patch {row}, {column}", { row: cell[0] + 1, column: cell[1] + 1 })]] : [];
    return [...named, ...(view.view === "to" ? [] : special), ...patch];
  }

  /** What is written where the view is the network's own choice, so that it is the next network's too. */
  #plain() {
    const { maps, view } = this.state;
    return maps && { layer: view.layer === maps.blocks - 1 ? -1 : view.layer, query: view.query === maps.facts.query ? "auto" : view.query };
  }

  #remember() {
    const { checkpoint, side, fit, ...own } = this.state.view; // those are the desk's
    remember({ ...own, ...this.#plain(), ...this.absent.asked }, this.defaults);
    this.drawn.question.setQueries(this.#queries());
  }

  #words() {
    this.drawn.words();
    if (this.state.maps) this.#remember();
    this.draw();
  }
}
