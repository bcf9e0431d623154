// The zero-shot tab: cosines come once for each label; temperature, bias, both read-outs and the order are made here.

import { fetchBundle } from "./bundle.js";
import { exportBoard } from "./board.js";
import { remember, setDesk } from "./state.js";
import { make, number, onLanguage, say } from "./words.js";
import { Bars } from "./zero_shot_bars.js";
import { Heat } from "./zero_shot_heat.js";
import { Labels } from "./zero_shot_labels.js";
import { fixed, ranked, readOuts } from "./zero_shot_read_outs.js";
import { Side } from "./zero_shot_side.js";

const SLICE = 100; // labels of one request at most
const TEXTS = 800; // texts, that is labels × templates, of one request at most
const LETTERS = 5000;
const PART = "|"; // between labels in the page's address

export class Tab {
  constructor({ defaults, asked, tell }) {
    Object.assign(this, { defaults, tell, known: new Map(), selected: null, turn: 0 });
    this.view = { ...defaults, ...asked };
    this.view.labels = this.view.labels.flatMap((label) => label.split(PART)).map((label) => label.trim()).filter(Boolean);
    this.view.templates = this.view.templates.flatMap((template) => template.split(PART));
    this.heat = new Heat({ choose: (patches) => this.ask({ patches }), tell, drawn: () => this.draw() });
    this.bars = new Bars({ select: (label) => this.#select(label), order: (order) => this.ask({ order }) });
    this.labels = new Labels({ change: (labels) => this.ask({ labels }), say: tell });
    this.side = new Side({ scale: (scale) => this.#move({ scale }), bias: (bias) => this.#move({ bias }), reset: () => this.#reset(), templates: (changes) => this.ask(changes) });
    this.refused = make(".pl-zero-refused", { hidden: true });
    this.caption = make("p.pl-caption", { "aria-live": "polite" });
    this.first = make(".pl-first", {},
      this.refused,
      make(".pl-zero-boards", {}, this.heat.element, this.bars.element),
      this.caption, make(".pl-progress"), this.heat.strips,
    );
    this.element = make(".pl-tab.pl-zero", {}, make("main.pl-middle", {}, this.first), make("aside.pl-side", { label: "Question" }, this.labels.element, ...this.side.elements));
    onLanguage(() => this.#words());
  }

  async show(bundle) {
    const { facts } = bundle;
    Object.assign(this, { facts, known: new Map() });
    this.#refuse(facts);
    if (facts.refused) return;
    const learned = `${facts.checkpoint} ${facts.scale} ${facts.bias}`;
    if (learned !== this.learned) Object.assign(this, { learned, scale: facts.scale, bias: facts.bias });
    this.labels.presets = facts.presets;
    this.side.imagenet = facts.imagenet;
    this.heat.setPicture(bundle.arrays.image, facts);
    this.element.classList.add("pl-filled");
    await this.#ready();
  }

  /** The view's changes, from any control. */
  async ask(changes) {
    if (typeof changes.labels?.[0] === "string") changes.labels = changes.labels.flatMap((label) => label.split(PART)).map((label) => label.trim()).filter(Boolean);
    const { templates, ensemble } = this.view;
    Object.assign(this.view, changes);
    if (String(templates) !== String(this.view.templates) || ensemble !== this.view.ensemble) this.known.clear();
    if (!this.facts || this.facts.refused) return;
    await this.#ready();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.answer) this.#draw();
    });
  }

  resize() {
    this.heat.fit();
    this.draw();
  }

  async exportPicture() {
    if (!this.answer) return;
    const { map } = this.heat;
    const scale = map && { low: number(map.low, 3), high: number(map.high, 3), colours: "magma" };
    await exportBoard(this.heat.flat(), this.said.join(" "), scale, "patchlight-zero-shot.png");
  }

  get numbers() {
    const { labels, templates, ensemble, patches } = this.view;
    const url = new URL(this.facts.numbers, document.baseURI);
    const label = labels.indexOf(this.selected);
    const values = { labels: labels.join("\n"), templates: templates.join("\n"), ensemble, patches, ...(label < 0 ? {} : { label }) };
    for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
    return url.href;
  }

  // -- answers ---------------------------------------------------------------------------------------------------------

  /** Ask for the labels that are new, then show all of them. */
  async #ready() {
    const turn = ++this.turn;
    this.labels.set(this.view.labels);
    this.side.setTemplates(this.view);
    const missing = [...new Set(this.view.labels)].filter((label) => !this.known.has(label));
    let done = this.view.labels.length - missing.length;
    this.element.classList.toggle("pl-busy", missing.length > 0);
    for (const slice of this.#slices(missing)) {
      const found = await this.#fetch(slice);
      if (turn !== this.turn) return;
      if (!found) break;
      slice.forEach((label, at) => this.known.set(label, { cosine: found.cosine[at], each: column(found.each, at), without: column(found.left_out, at) }));
      done += slice.length;
      if (done < this.view.labels.length) this.labels.progress(done, this.view.labels.length);
    }
    this.element.classList.remove("pl-busy");
    this.labels.progress(null);
    this.#remember();
    const labels = this.view.labels.filter((label) => this.known.has(label));
    this.answer = labels.length ? { labels, scores: labels.map((label) => this.known.get(label)) } : null;
    this.bars.clear(!this.answer);
    if (!this.answer) return this.#empty();
    this.order = ranked(this.answer.scores);
    const first = labels[this.order[0]];
    if (!labels.includes(this.selected) || this.followed) Object.assign(this, { selected: first, followed: true });
    this.#heat();
    this.draw();
  }

  #empty() {
    this.caption.textContent = say("There are no labels; type one at the right, or choose a list.");
    this.heat.wanted(null);
  }

  #slices(labels) {
    const most = Math.max(1, Math.min(SLICE, Math.floor(TEXTS / this.templates)));
    const slices = [];
    for (const label of labels) {
      const last = slices.at(-1);
      if (!last || last.length >= most || last.join("").length > LETTERS) slices.push([label]);
      else last.push(label);
    }
    return slices;
  }

  get templates() {
    return this.view.ensemble === "imagenet" ? 80 : this.view.templates.length;
  }

  async #fetch(labels) {
    const { templates, ensemble } = this.view;
    try {
      return (await fetchBundle(this.facts.cosines, { labels: labels.join("\n"), templates: templates.join("\n"), ensemble })).arrays;
    } catch (wrong) {
      if (wrong.gone) this.onGone?.();
      this.tell(wrong.fault);
      return null;
    }
  }

  #select(label) {
    Object.assign(this, { selected: label, followed: false });
    this.#heat();
    this.draw();
  }

  #heat() {
    const { templates, ensemble, patches } = this.view;
    this.heat.wanted({ label: this.selected, templates: templates.join("\n"), ensemble, patches });
  }

  #move(changes) {
    Object.assign(this, changes);
    this.draw();
  }

  #reset() {
    this.#move({ scale: this.facts.scale, bias: this.facts.bias });
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { answer, facts, order, scale, bias } = this;
    const outs = readOuts(answer.scores, scale, bias);
    this.bars.draw({ ...answer, ...outs, order: this.view.order === "score" ? order : answer.labels.map((_, at) => at), own: facts.read_out, selected: this.selected, templates: this.templates, by: this.view.order });
    this.side.draw({ ...answer, ...outs, order, own: facts.read_out, scale, bias, learned: facts, selected: this.known.get(this.selected), templates: this.templates });
    this.heat.draw();
    this.#drawWords(outs);
  }

  #drawWords(outs) {
    const { facts, answer, order } = this;
    const { sentences: words, read_out: own } = facts;
    const told = (template, values = {}) => say(template, values);
    const [first, second] = order;
    const values = { label: answer.labels[first], labels: number(order.length), share: fixed(100 * outs[own][first], 1), cosine: fixed(answer.scores[first].cosine, 3), second: answer.labels[second], other: second === undefined ? "" : fixed(100 * outs[own][second], 1) };
    this.said = [told(words[order.length > 1 ? own : `${own} alone`], values)];
    this.said.push(this.templates > 1 ? told(words.ensemble, { templates: number(this.templates) }) : told(words.template, { template: this.view.templates[0] }));
    this.said.push(told(words[`${own} trained`], { scale: number(facts.scale, 4), bias: number(facts.bias, 4) }));
    if (this.scale !== facts.scale || this.bias !== facts.bias) this.said.push(told(words.moved, { scale: number(this.scale, 4), bias: number(this.bias, 4) }));
    const { map } = this.heat;
    if (map) this.said.push(told(words[map.patches], { label: map.label, low: number(map.low, 3), high: number(map.high, 3) }));
    this.said.push(told(words.network, { title: facts.title, revision: facts.revision, width: String(facts.shape[1]), height: String(facts.shape[0]) }));
    if (facts.random || map?.twin) this.said.push(told(words[map?.twin ? "twin" : "random"]));
    const text = this.said.join(" ");
    if (this.caption.textContent !== text) this.caption.replaceChildren(make("strong", {}, this.said[0]), ` ${this.said.slice(1).join(" ")}`);
  }

  #words() {
    if (this.facts) this.#refuse(this.facts);
    if (this.facts && !this.answer && !this.facts.refused) this.#empty();
    this.bars.words();
    this.draw();
  }

  /** A network without a text tower: one sentence, and networks that have one. */
  #refuse(facts) {
    this.first.classList.toggle("pl-zero-none", Boolean(facts.refused));
    this.refused.hidden = !facts.refused;
    if (!facts.refused) return;
    this.answer = null;
    const offers = facts.able.map(({ id, title }) => make("button.pl-button", { type: "button", onclick: () => setDesk({ checkpoint: id, side: null }) }, title));
    this.refused.replaceChildren(make("p", {}, say(facts.fault.template, facts.fault.facts)), make(".pl-buttons", {}, ...offers));
  }

  #remember() {
    const { labels, templates, ensemble, patches, order } = this.view;
    const written = { labels: labels.join(PART), templates: templates.join(PART), ensemble, patches, order };
    remember(written, { ...this.defaults, labels: this.defaults.labels.join(PART), templates: this.defaults.templates.join(PART) });
  }
}

/** One label's values over all templates, out of (templates, labels). */
function column(values, at) {
  const [templates, labels] = values.shape;
  return Float32Array.from({ length: templates }, (_, template) => values[template * labels + at]);
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("zero_shot.css", import.meta.url).href }));
