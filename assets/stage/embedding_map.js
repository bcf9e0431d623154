// The embeddings tab: pictures and texts on one plane, and the gap between them.

import { exportBoard } from "./board.js";
import { fetchBundle } from "./bundle.js";
import { card, factTable, labelled, segmented, slider } from "./controls.js";
import { Cloud } from "./embedding_map_cloud.js";
import { called, GalleryPanel, sentences } from "./galleries.js";
import { tellCaption } from "./outside.js";
import { remember } from "./state.js";
import { fixed, make, number, onLanguage, say } from "./words.js";

const LAYOUTS = { pca: "PCA", gap: "Gap", tsne: "t-SNE", umap: "UMAP" };
const CENTRES = { "as they are": "As they are", apart: "Without gap" };
const MOST = 2000;
const PART = "|";
const CAUTIONS = {
  plane: "A plane shows a part of what the vectors hold: points that meet here may lie far apart in other directions.",
  neighbours: "Another seed or perplexity makes other islands. Only who is near whom rests on the vectors.",
};

export class Tab {
  keys = { "+ −": "Closer, farther", 0: "The whole map", "← ↑ → ↓": "The map, a little further" };

  constructor({ defaults, asked, tell, turns }) {
    Object.assign(this, { defaults, tell, turns, made: 0 });
    this.view = { ...defaults, ...asked };
    this.view.texts = this.view.texts.flatMap((text) => text.split(PART)).filter(Boolean);
    this.cloud = new Cloud({ point: (at) => this.#point(at) });
    this.caption = make("p.pl-caption", { "aria-live": "polite" });
    const side = this.#side();
    const first = make(".pl-first", {}, this.gallery.wait, this.cloud.element, this.caption, make(".pl-progress"));
    this.element = make(".pl-tab.pl-map", {}, make("section.pl-middle", {}, first), make("aside.pl-side", { label: "Question" }, ...side));
    onLanguage(() => this.#words());
  }

  show({ facts }) {
    this.facts = facts;
    this.gallery.serve(facts.index, facts.local);
    this.#set();
    this.typed.hidden = !facts.reads;
    if (!facts.reads && this.view.method === "gap") this.view.method = "pca";
    this.gallery.index(this.wanted);
  }

  /** The gallery that is laid out: where nobody chose, one of the kind that the network learnt from. */
  get wanted() {
    const { gallery, folder } = this.view;
    return { gallery: gallery === "auto" ? this.facts.usual : gallery, folder };
  }

  ask(changes) {
    const other = ["gallery", "folder"].some((name) => name in changes && changes[name] !== this.view[name]);
    Object.assign(this.view, changes);
    if (!this.facts) return;
    this.#set();
    if (other) this.gallery.index(this.wanted);
    else if (this.index) this.#fetch();
  }

  resize() {
    this.cloud.fit();
  }

  key(event) {
    if (!event.target.matches("input, select, textarea, dialog *")) this.cloud.key(event);
  }

  get numbers() {
    const url = new URL(this.facts.numbers, document.baseURI);
    for (const [name, value] of Object.entries(this.#question())) url.searchParams.set(name, value);
    return url.href;
  }

  async exportPicture() {
    await this.cloud.loaded; // thumbnails come a little after their points
    if (this.answer) return exportBoard(this.cloud.canvas, this.said.join(" "), null, "patchlight-embeddings.png");
  }

  // -- answers ---------------------------------------------------------------------------------------------------------

  #question() {
    const { method, centre, pictures, captions, texts } = this.view;
    return { ...this.wanted, method, centre, pictures, captions, lines: texts.join("\n") };
  }

  async #fetch() {
    this.#set();
    this.#remember();
    const long = ["tsne", "umap"].includes(this.view.method);
    await this.turns.latest("points", async (turn) => {
      this.#show(await turn(fetchBundle(this.facts.points, { ...this.#question(), made: this.made }, turn.signal)));
    }, (busy) => {
      this.element.classList.toggle("pl-busy", busy);
      this.working.hidden = !busy || !long;
    });
  }

  get shows() {
    return Boolean(this.answer);
  }

  #show({ facts, arrays }) {
    Object.assign(this, { answer: facts, arrays });
    this.element.dataset.shown = `${facts.method} ${facts.centre} ${facts.gallery} ${facts.shown} ${facts.texts.length}`;
    this.cloud.show(facts, arrays);
    this.#words();
    this.#point(null);
  }

  #words() {
    this.#count(Number(this.count.element.value));
    if (!this.answer) return;
    this.said = sentences(this.answer.said);
    const { outside: { length: count } } = this.answer;
    tellCaption(this.caption, { warned: this.said.slice(0, count), said: this.said.slice(count) });
    const { gap } = this.answer;
    const shown = (value) => (value === null || value === undefined ? null : fixed(value, 3));
    this.gapCard.hidden = !gap;
    if (gap) this.gapFacts.set({ length: shown(gap.length), matched: shown(gap.matched), others: shown(gap.others), pictures: shown(gap.pictures), texts: shown(gap.texts) });
    this.caution.textContent = say(CAUTIONS[this.answer.explained ? "plane" : "neighbours"]);
    this.cloud.draw();
  }

  // -- the side --------------------------------------------------------------------------------------------------------

  #side() {
    this.layout = segmented("Layout", LAYOUTS, (method) => this.ask({ method }));
    this.centre = segmented("Centres", CENTRES, (centre) => this.ask({ centre }));
    this.working = make("p.pl-note", { say: "Laying out; a first time takes longer.", hidden: true });
    this.lines = make("input", { type: "checkbox", onchange: () => this.cloud.lines(this.lines.checked) });
    this.pairs = make("label.pl-inline", {}, this.lines, make("span", { say: "Lines from captions to pictures" }));
    this.pointer = make("img.pl-map-pointed", { alt: "", hidden: true });
    this.pointed = make("p.pl-note");
    this.gapFacts = factTable({ length: "Between centroids", matched: "Own caption, cosine", others: "Other captions", pictures: "Two pictures", texts: "Two texts" });
    this.gapCard = card("Modality gap", this.gapFacts.element);
    this.gallery = new GalleryPanel({ change: (changes) => this.ask(changes), ready: (facts) => this.#ready(facts), turns: this.turns });
    this.countWords = make("h3");
    this.count = slider("Pictures laid out", { min: 2, max: MOST, step: 1 }, (count) => this.#count(count), (pictures) => this.ask({ pictures }));
    this.text = make("textarea.pl-text", { rows: 2, dir: "auto", label: "Texts, one a line", placeholder: "a text on each line", onchange: () => this.ask({ texts: this.text.value.split("\n").map((text) => text.trim()).filter(Boolean).slice(0, 200) }) });
    this.typed = card("More texts", this.text);
    this.caution = make("p.pl-note");
    const [pointer, caution] = [card("Pointer", this.pointer, this.pointed), card("May mislead", this.caution)];
    for (const later of [pointer, this.gapCard, caution]) later.classList.add("pl-gallery-later");
    return [
      card("Layout", this.layout.element, labelled(make("h3", { say: "Centres" }), this.centre), this.pairs, this.working),
      pointer,
      this.gapCard,
      card(make("h2", { say: "Gallery" }), this.gallery.element, labelled(this.countWords, this.count)),
      this.typed,
      caution,
    ];
  }

  #ready(facts) {
    Object.assign(this, { index: facts, made: this.made + 1 });
    Object.assign(this.count.element, { max: Math.max(2, Math.min(MOST, facts.count)) });
    this.#fetch();
  }

  #set() {
    const { method, centre, pictures, texts } = this.view;
    this.layout.set(method);
    this.layout.buttons.find((button) => button.dataset.value === "gap").disabled = !this.facts.reads;
    this.centre.set(centre);
    this.gallery.set(this.wanted);
    this.count.set(Math.min(pictures, Number(this.count.element.max)));
    this.count.paint();
    this.#count(Number(this.count.element.value));
    if (document.activeElement !== this.text) this.text.value = texts.join("\n");
  }

  #count(count) {
    this.countWords.textContent = say("Pictures laid out: {count}", { count: number(count) });
  }

  /** What the pointer is at: a picture's or a text's place among the points, or null. */
  #point(at) {
    const { names, russian, texts, shown } = this.answer;
    const text = at !== null && at >= shown;
    this.pointer.hidden = at === null || text;
    if (at === null) this.pointed.textContent = say("Point at a picture or a text; turn the wheel to zoom, drag to move.");
    else if (text) this.pointed.textContent = say("Text: “{text}”", { text: texts[at - shown] });
    else {
      this.pointer.src = this.cloud.addresses[at];
      const name = called({ name: names[at], russian: russian[at] });
      const cosine = this.arrays.matched[at];
      this.pointed.textContent = Number.isNaN(cosine) ? name : say("{name}: cosine {cosine} with its own caption.", { name, cosine: fixed(cosine, 3) });
    }
  }

  #remember() {
    const { gallery, folder, method, centre, pictures, texts } = this.view;
    remember({ gallery, folder, method, centre, pictures, texts: texts.join(PART) }, { ...this.defaults, texts: "" });
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("embedding_map.css", import.meta.url).href }));
