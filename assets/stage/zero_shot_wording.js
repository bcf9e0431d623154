// The prompt lab: what each template, each word and another way of saying it do to one label's cosine.

import { fetchBundle } from "./bundle.js";
import { segmented, select } from "./controls.js";
import { fixed, make, say, signed } from "./words.js";

const KINDS = { left_out: "One word left out", gradient: "Gradient × attention" };
const MOST = 40; // wordings of a label
const HINTS = {
  left_out: "By how much the cosine falls without the word, where blue words lower it.",
  gradient: "Through which words the answer was gathered, never negative.",
};

export class Wording {
  /** select(label), score(labels, turn) resolves to their scores, compare(templates), settled(). turns: of the tab. */
  constructor({ select: choose, score, compare, turns, settled }) {
    Object.assign(this, { score, compare, turns, settled, kind: "left_out", own: new Map(), template: 0 });
    this.labels = select("Label", {}, choose);
    this.kinds = segmented("Relevance of words", KINDS, (kind) => this.#kind(kind));
    this.prompt = make("p.pl-zero-prompt");
    this.hint = make("p.pl-note");
    this.rows = make(".pl-zero-table");
    this.several = make("button.pl-button", { type: "button", say: "Compare several templates", onclick: () => this.compare(this.facts.start.several) });
    this.typed = make("textarea.pl-text", { rows: 1, dir: "auto", label: "Add synonyms or descriptions", placeholder: "add synonyms or descriptions", onkeydown: (event) => this.#key(event) });
    this.others = make(".pl-zero-table");
    this.band = make("p.pl-note", { say: "Mark: all templates together. Band: from the worst template to the best." });
    this.element = make("section.pl-zero-wording", { label: "Wording", hidden: true },
      make(".pl-zero-bar", {}, make("label", { say: "Label" }), this.labels.element),
      make("figure.pl-zero-panel.pl-zero-words", {}, make(".pl-heading", {}, make("figcaption", { say: "Words of the prompt" }), this.kinds.element), this.prompt, this.hint),
      make("figure.pl-zero-panel", {}, make("figcaption", { say: "Templates: alone, and what each adds" }), this.rows, make(".pl-buttons", {}, this.several)),
      make("figure.pl-zero-panel", {}, make("figcaption", { say: "Other ways to say it" }), this.others, this.band, this.typed),
    );
  }

  /** asked: {label, labels, templates (names), each: the label's score, …}. Fetches what is new. */
  async show(facts, asked) {
    if (facts.words !== this.facts?.words) Object.assign(this, { found: null, scores: null, prompted: null });
    Object.assign(this, { facts, asked });
    this.labels.fill(asked.labels.map((label) => [label, label]));
    this.labels.set(asked.label);
    if (this.template >= asked.templates.length) this.template = 0;
    this.#templates();
    const prompt = asked.templates[this.template].replace("{}", asked.label);
    await this.turns.latest("wording", (turn) => this.#ask(asked.label, prompt, turn), (busy) => this.element.classList.toggle("pl-busy", busy));
  }

  async #ask(label, prompt, turn) {
    const [words, others] = await turn(Promise.all([this.#words(prompt, turn), this.#reworded(label, turn)]));
    Object.assign(this, { found: words, prompted: prompt });
    const scores = await turn(this.score(others, turn));
    this.scores = others.map((other, at) => ({ label: other, score: scores[at] })).filter(({ score }) => score);
    this.draw();
    this.settled();
  }

  draw() {
    if (!this.asked || this.element.hidden) return;
    this.#templates();
    if (this.found) this.#drawWords();
    if (this.scores) this.#drawOthers();
  }

  /** Sentences under it; words: the explorer's. */
  said(words) {
    if (!this.found) return [];
    return [say(words[this.kind === "left_out" ? "left out" : "word gradient"], this.found.facts)];
  }

  async #words(prompt, turn) {
    if (prompt === this.prompted) return this.found;
    return turn(fetchBundle(this.facts.words, { labels: prompt }, turn.signal));
  }

  async #reworded(label, turn) {
    if (!this.own.has(label)) this.own.set(label, (await turn(fetchBundle(this.facts.wordings, { labels: label }, turn.signal))).facts.wordings);
    return this.own.get(label);
  }

  #kind(kind) {
    this.kind = kind;
    this.draw();
    this.settled();
  }

  #key(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const more = this.typed.value.split(/[\n,;]/).map((text) => text.trim()).filter(Boolean);
    this.typed.value = "";
    if (more.length) this.#keep([...new Set([...this.own.get(this.asked.label), ...more])].slice(0, MOST));
  }

  #keep(wordings) {
    this.own.set(this.asked.label, wordings);
    this.show(this.facts, this.asked);
  }

  #drawWords() {
    this.kinds.set(this.kind);
    this.hint.textContent = say(HINTS[this.kind]);
    const values = Array.from(this.found.arrays[this.kind]);
    const most = Math.max(...values.map(Math.abs), 1e-9);
    const shown = this.kind === "left_out" ? (value) => signed(value, 3) : (value) => `${fixed((100 * value) / values.reduce((sum, one) => sum + one, 0), 0)} %`;
    this.prompt.replaceChildren(...this.found.facts.words.map((word, at) => {
      const share = Math.abs(values[at]) / most;
      const colour = values[at] < 0 ? "var(--pl-pointer)" : "var(--pl-accent)";
      return make("span.pl-zero-word", { style: `--share: ${share.toFixed(3)}; --tint: ${colour}` }, make("bdi", {}, word), make("small", {}, shown(values[at])));
    }));
  }

  /** A row a template: its cosine alone on the scale of all, and what the ensemble loses without it. */
  #templates() {
    const { templates, score } = this.asked;
    if (!score) return;
    const { each, without, cosine } = score;
    this.several.hidden = templates.length > 1;
    const order = templates.map((_, at) => at).sort((a, b) => each[b] - each[a]);
    const [low, high] = [Math.min(...each), Math.max(...each)];
    const reach = Math.max(...templates.map((_, at) => Math.abs(cosine - without[at])), 1e-9);
    const digits = reach < 0.01 ? 4 : 3; // one of 80 templates adds little
    const head = row("pl-zero-table-head", [make("span", { say: "Template" }), make("span", { say: "Alone" }), make("span", { say: "Adds" })]);
    this.rows.replaceChildren(head, ...order.map((at) => {
      const adds = cosine - without[at];
      const bar = make("span.pl-zero-signed", { style: `--from: ${50 + 50 * Math.min(0, adds / reach)}%; --size: ${50 * Math.abs(adds / reach)}%; --tint: var(${adds < 0 ? "--pl-pointer" : "--pl-accent"})` });
      const one = row("", [make("span.pl-zero-name", { title: templates[at] }, templates[at]), range([low, high], [each[at], each[at]], each[at]), templates.length > 1 ? make("span.pl-zero-adds", {}, bar, make("span.pl-zero-number", {}, signed(adds, digits))) : make("span", {}, "–")]);
      one.setAttribute("aria-pressed", at === this.template);
      one.onclick = () => this.#template(at);
      return one;
    }));
  }

  #template(at) {
    this.template = at;
    this.show(this.facts, this.asked);
  }

  #drawOthers() {
    const all = this.scores.flatMap(({ score }) => [...score.each, score.cosine]);
    const span = [Math.min(...all), Math.max(...all)];
    const order = [...this.scores].sort((a, b) => b.score.cosine - a.score.cosine);
    const remove = (label) => make("button.pl-link", { type: "button", "aria-label": say("Remove {label}", { label }), onclick: () => this.#keep(this.own.get(this.asked.label).filter((other) => other !== label)) }, "×");
    this.others.replaceChildren(...order.map(({ label, score }) => {
      return row(label === this.asked.label ? "pl-zero-own-row" : "", [make("span.pl-zero-name", { dir: "auto", title: label }, make("bdi", {}, label)), range(span, [Math.min(...score.each), Math.max(...score.each)], score.cosine), label === this.asked.label ? make("span") : remove(label)], "div");
    }));
  }
}

function row(kind, cells, tag = "button") {
  return make(`${kind ? "div" : tag}.pl-zero-line${kind ? `.${kind}` : ""}`, tag === "button" && !kind ? { type: "button" } : {}, ...cells);
}

/** A track of all cosines with a band from low to high, a mark, and the figure. */
function range([least, most], [low, high], mark) {
  const place = (value) => (most > least ? (100 * (value - least)) / (most - least) : 50);
  const band = make("i", { style: `left: ${place(low)}%; right: ${100 - place(high)}%` });
  const tick = make("b", { style: `left: ${place(mark)}%` });
  return make("span.pl-zero-range", { title: say("Over templates: {low} to {high}", { low: fixed(low, 3), high: fixed(high, 3) }) }, make("span", {}, band, tick), make("span.pl-zero-number", {}, fixed(mark, 3)));
}
