// The zero-shot tab: cosines come once for each label; temperature, bias, both read-outs and the order are made here.

import { fetchBundle } from "./bundle.js";
import { exportBoard } from "./board.js";
import { segmented } from "./controls.js";
import { Refused } from "./refused.js";
import { make, onLanguage, say } from "./words.js";
import { fed } from "./caption.js";
import { outside, tellCaption } from "./outside.js";
import { Asked } from "./zero_shot_asked.js";
import { Bars } from "./zero_shot_bars.js";
import { networkSentences, readOutSentences, scoreSentences } from "./zero_shot_caption.js";
import { Curve } from "./zero_shot_curve.js";
import { Heat } from "./zero_shot_heat.js";
import { Known } from "./zero_shot_known.js";
import { Labels } from "./zero_shot_labels.js";
import { Matrix } from "./zero_shot_matrix.js";
import { ends, ranked, readOuts } from "./zero_shot_read_outs.js";
import { LabelledSet } from "./zero_shot_set.js";
import { Side } from "./zero_shot_side.js";
import { Wording } from "./zero_shot_wording.js";

const VIEWS = { scores: "Scores", wording: "Wording", matrix: "Matrix", set: "Labelled set" };

export class Tab {
  constructor({ defaults, asked, tell, turns }) {
    Object.assign(this, { tell, turns, selected: null, asked: new Asked({ defaults, asked }) });
    this.heat = new Heat({ choose: (patches) => this.ask({ patches }), turns, drawn: () => this.draw() });
    this.bars = new Bars({ select: (label) => this.#select(label), order: (order) => this.ask({ order }) });
    this.curve = new Curve();
    this.known = new Known({ far: (done, of) => this.labels.progress(done, of) });
    this.labels = new Labels({ change: (labels) => this.#choose({ labels }), fetch: (set, signal) => fetchBundle(this.facts.list, { set }, signal), say: tell, turns });
    this.side = new Side({ scale: (scale) => this.#move({ scale }), bias: (bias) => this.#move({ bias }), reset: () => this.#reset(), templates: (changes) => this.#choose(changes) });
    this.wording = new Wording({ select: (label) => this.#select(label), score: (labels, turn) => this.#scores(labels, turn), compare: (templates) => this.#choose({ templates, ensemble: "given" }), turns, settled: () => this.draw() });
    this.matrix = new Matrix({ change: (changes) => this.ask(changes), turns });
    this.set = new LabelledSet({ change: (changes, drawOnly) => (drawOnly ? this.draw() : this.ask(changes)), turns });
    this.#lay();
    onLanguage(() => this.#words());
  }

  #lay() {
    this.refused = new Refused("pl-zero-refused");
    this.caption = make("p.pl-caption", { "aria-live": "polite" });
    this.views = segmented("View", VIEWS, (panel) => this.ask({ panel }));
    this.boards = make(".pl-zero-boards", {}, this.heat.element, make(".pl-zero-right", {}, this.bars.element, this.curve.element));
    this.first = make(".pl-first", {},
      this.refused.element, make(".pl-zero-views", {}, this.views.element, this.bars.order.element),
      this.boards, this.wording.element, this.matrix.element, this.set.element,
      this.caption, make(".pl-progress"), this.heat.strips,
    );
    this.element = make(".pl-tab.pl-zero", {}, make("section.pl-middle", {}, this.first), make("aside.pl-side", { label: "Question" }, this.matrix.side, this.set.side, this.labels.element, ...this.side.elements));
    this.#turnTo();
  }

  async show(bundle) {
    const { facts } = bundle;
    this.facts = facts;
    this.known.clear();
    this.refused.show(facts);
    this.first.classList.toggle("pl-zero-none", Boolean(facts.refused));
    if (facts.refused) return void (this.answer = null);
    const learned = `${facts.checkpoint} ${facts.scale} ${facts.bias}`;
    if (learned !== this.learned) Object.assign(this, { learned, scale: facts.scale, bias: facts.bias });
    this.asked.begin(facts);
    this.labels.presets = facts.presets;
    this.labels.learnt = this.matrix.learnt = facts.learnt;
    this.side.imagenet = facts.imagenet;
    this.heat.setPicture(bundle.arrays.image, facts);
    this.element.classList.add("pl-filled");
    await this.#ready();
  }

  #choose(changes) {
    this.asked.chosen = true;
    return this.ask(changes);
  }

  /** The view's changes, from any control. */
  async ask(changes) {
    if (this.asked.change(changes)) this.known.clear();
    this.#turnTo();
    if (!this.facts || this.facts.refused) return;
    await this.#ready();
  }

  /** Only what belongs to the view is there. */
  #turnTo() {
    const { panel: view } = this.view;
    this.views.set(view);
    for (const [name, element] of Object.entries({ scores: this.boards, wording: this.wording.element, matrix: this.matrix.element, set: this.set.element })) element.hidden = name !== view;
    this.heat.strips.hidden = this.bars.order.element.hidden = view !== "scores";
    this.matrix.side.hidden = view !== "matrix";
    this.set.side.hidden = view !== "set";
    this.labels.element.hidden = view === "set" || (view === "matrix" && this.asked.matrix !== "own");
    this.element.dataset.view = view;
    if (view === "scores") this.heat.fit(); // it had no room while it was hidden
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.facts && !this.facts.refused && (this.answer || this.view.panel === "set")) this.paint();
    });
  }

  get view() {
    return this.asked.view;
  }

  resize() {
    this.heat.fit();
    this.draw();
  }

  async exportPicture() {
    const { panel: view } = this.view;
    if (!this.said?.length) return;
    if (view === "matrix" || view === "set") return exportBoard(this[view].flat(), this.said.join(" "), null, "patchlight-zero-shot.png");
    const { map } = this.heat;
    const [low, high] = map ? ends(map.low, map.high) : [];
    const scale = map && { low, high, colours: "magma" };
    return exportBoard(this.bars.beside(this.heat.flat()), this.said.join(" "), scale, "patchlight-zero-shot.png");
  }

  get shows() {
    return Boolean(this.said?.length) && !this.facts.refused;
  }

  get numbers() {
    return this.asked.numbers(this.facts.numbers, this.selected, this.matrix.added);
  }

  // -- answers ---------------------------------------------------------------------------------------------------------

  /** Ask for the labels that are new, then show all of them. */
  async #ready() {
    this.labels.set(this.view.labels);
    this.side.setTemplates(this.view);
    this.asked.remember();
    if (this.view.panel === "set") return this.#score();
    await this.turns.latest("labels", async (turn) => {
      try {
        await turn(this.#know(this.view.labels, turn));
      } finally {
        if (!turn.signal.aborted) await this.#answered(); // of what is known, where the rest was refused
      }
    }, (busy) => this.element.classList.toggle("pl-busy", busy && this.view.labels.some((label) => !this.known.has(label))));
  }

  /** Everything that is known of the labels is shown. */
  async #answered() {
    const labels = this.view.labels.filter((label) => this.known.has(label));
    this.answer = labels.length ? { labels, scores: labels.map((label) => this.known.get(label)) } : null;
    this.bars.clear(!this.answer);
    this.curve.element.hidden = !this.answer;
    if (!this.answer) return this.#empty();
    this.order = ranked(this.answer.scores);
    const first = labels[this.order[0]];
    if (!labels.includes(this.selected) || this.followed) Object.assign(this, { selected: first, followed: true });
    await this.#further();
    this.draw();
  }

  /** Read what is not known yet. */
  #know(labels, turn) {
    const { view: { templates, ensemble }, templates: { length: count } } = this.asked;
    return this.known.fetch(this.facts.cosines, labels, { templates, ensemble, count }, turn);
  }

  /** What the view in front asks beyond scores. */
  async #further() {
    const { panel: view } = this.view;
    if (view === "scores") this.#heat();
    if (view === "matrix") await this.#pair();
    if (view === "wording") this.#word();
  }

  async #pair() {
    const shown = this.matrix.show(this.facts.matrix, this.asked.pairing);
    this.draw();
    await shown;
  }

  #word() {
    const { labels } = this.answer;
    this.wording.show(this.facts, { label: this.selected, labels, templates: this.asked.templates, score: this.known.get(this.selected) });
  }

  #score() {
    this.turns.end("labels");
    this.set.show(this.facts, this.asked.scoring);
    this.draw();
  }

  /** Scores of any texts in the templates that are set; null for those that could not be read. */
  async #scores(labels, turn) {
    await turn(this.#know(labels, turn));
    return labels.map((label) => this.known.get(label));
  }

  #empty() {
    this.said = [];
    this.caption.told = null;
    this.caption.textContent = say("There are no labels; type one at the right, or choose a list.");
    this.heat.wanted(null);
  }

  #select(label) {
    Object.assign(this, { selected: label, followed: false });
    if (this.view.panel === "wording") this.#word();
    else this.#heat();
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

  /** All of the frame's work at once; `draw` leaves it to the browser's next frame. */
  paint() {
    const { facts, scale, bias } = this;
    const { panel: view } = this.view;
    const outs = this.answer ? readOuts(this.answer.scores, scale, bias) : null;
    this.side.draw({ ...this.answer, ...outs, order: this.order, own: facts.read_out, scale, bias, learned: facts, view });
    if (view === "scores") this.#drawScores(outs);
    if (view === "wording") this.wording.draw();
    if (view === "matrix") this.matrix.read(scale, bias);
    if (view === "set") this.set.reads(scale, bias);
    this.#caption(outs);
  }

  #drawScores(outs) {
    const { answer, facts, order, scale, bias, selected } = this;
    const shown = { ...answer, ...outs, own: facts.read_out, selected, templates: this.asked.templates.length, by: this.view.order };
    this.bars.draw({ ...shown, order: this.view.order === "score" ? order : answer.labels.map((_, at) => at) });
    this.curve.draw({ ...shown, order, scale, bias });
    this.heat.draw();
  }

  #caption(outs) {
    const { facts, answer, order, scale, bias, view } = this;
    const templates = this.asked.templates.length;
    const map = view.panel === "scores" ? this.heat.map : null;
    const own = { wording: this.wording, matrix: this.matrix, set: this.set }[view.panel]?.said(facts.sentences) ?? [];
    const scores = view.panel === "scores" || view.panel === "wording" ? scoreSentences({ facts, answer, order, outs, scale, bias, view, templates, map }) : readOutSentences({ facts, scale, bias });
    const feeding = view.panel === "scores" || view.panel === "wording" ? [fed(facts)] : [say(facts.sentences.squares)];
    const { learnt } = facts;
    const inside = this.#inside();
    const texts = view.panel === "matrix" ? this.matrix.texts : view.panel === "set" ? [] : answer.labels;
    const warned = outside(learnt, { inside, texts });
    const said = [...own, ...scores, ...feeding, ...networkSentences(facts, map?.twin, view.panel !== "scores" && view.panel !== "set")];
    this.said = [...warned, ...said];
    tellCaption(this.caption, { warned, said, learnt, inside, go: () => this.#begin() });
  }

  /** What the network is first asked, of the kind that it learnt. */
  #begin() {
    this.asked.chosen = false;
    this.ask({ set: "", matrix: "none", ...this.asked.first });
  }

  /** Whether the pictures in front are of the kind that the network learnt from. */
  #inside() {
    const { facts: { learnt }, asked: { matrix, set }, view: { panel } } = this;
    if (!learnt) return true;
    if (panel === "set") return learnt.sets.includes(set);
    if (panel !== "matrix") return learnt.inside;
    return matrix === "own" ? this.matrix.added.every((name) => learnt.pictures.includes(name)) : learnt.sets.includes(matrix);
  }

  #words() {
    if (this.facts) this.refused.show(this.facts);
    if (this.facts && !this.answer && !this.facts.refused && this.view.panel !== "set") this.#empty();
    this.bars.words();
    this.heat.shown = null;
    this.draw();
  }

}

document.head.append(make("link", { rel: "stylesheet", href: new URL("zero_shot.css", import.meta.url).href }));
