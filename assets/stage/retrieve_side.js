// The right side of the retrieval tab: what is looked for, in which pictures, how many, and how the rest lies.

import { card, labelled, segmented, slider } from "./controls.js";
import { themed } from "./colours.js";
import { GalleryPanel } from "./galleries.js";
import { setDesk } from "./state.js";
import { fixed, make, number, say } from "./words.js";

const QUERIES = { text: "Text", picture: "Picture", item: "Of gallery" };
const SEARCHES = { auto: "Auto", exact: "Exact", faiss: "faiss" };
const MOST = 60;
const NOTES = {
  text: "Something is always nearest, even where nothing fits: look how far the pictures found stand out from the rest.",
  alike: "Alike means near in this network: the same colours, place or style count as much as the same thing.",
};

export class Side {
  /** ask(changes), ready(facts) once a gallery is indexed. turns: of the tab. */
  constructor({ ask, ready, turns }) {
    this.by = segmented("Query", QUERIES, (by) => ask({ by }));
    const find = () => ask({ by: "text", text: this.text.value.trim() });
    this.text = make("textarea.pl-text", { rows: 2, dir: "auto", label: "Text", maxlength: 200, onkeydown: (event) => event.key === "Enter" && (event.preventDefault(), find()) });
    this.form = make(".pl-get-form", {}, this.text, make("button.pl-button", { type: "button", say: "Find", onclick: find }));
    this.hint = { picture: make("p.pl-note", { say: "The picture at the left is looked for." }), item: make("p.pl-note", { say: "Click a picture that was found." }) };
    this.none = make(".pl-get-none", { hidden: true });
    this.gallery = new GalleryPanel({ change: ask, ready, turns });
    this.countWords = make("h3");
    this.count = slider("Pictures found", { min: 1, max: MOST, step: 1 }, (k) => this.#count(k), (k) => ask({ k }));
    this.search = segmented("Search", SEARCHES, (search) => ask({ search }));
    this.spread = make("canvas.pl-get-spread", { role: "img" });
    this.spreadNote = make("p.pl-note");
    this.all = card("Cosine of all pictures", this.spread, this.spreadNote);
    this.caution = make("p.pl-note");
    const search = card("Search", labelled(this.countWords, this.count), make(".pl-inline", {}, this.search.element));
    const caution = card("May mislead", this.caution);
    for (const later of [search, this.all, caution]) later.classList.add("pl-gallery-later");
    this.elements = [
      card("Query", this.by.element, this.form, this.hint.picture, this.hint.item, this.none),
      this.gallery.element,
      search, this.all, caution,
    ];
  }

  /** A network has been opened: whether it reads text, and which ones do. */
  serve({ reads, able, index, local }) {
    this.gallery.serve(index, local);
    this.by.buttons.find((button) => button.dataset.value === "text").disabled = !reads;
    this.form.hidden = !reads;
    this.none.hidden = reads;
    const offers = able.map(({ id, title }) => make("button.pl-button", { type: "button", onclick: () => setDesk({ checkpoint: id, side: null }) }, title));
    this.none.replaceChildren(make("p.pl-note", { say: "This network reads no text; these do:" }), make(".pl-buttons", {}, ...offers));
  }

  /** example: a text that can be looked for in this gallery. */
  set({ text, gallery, folder, k, search, example }, by) {
    this.text.placeholder = example;
    this.by.set(by);
    this.view = { by };
    if (document.activeElement !== this.text || !this.text.value) this.text.value = text;
    for (const [name, note] of Object.entries(this.hint)) note.hidden = by !== name;
    this.gallery.set({ gallery, folder });
    this.search.set(search);
    this.caution.textContent = say(NOTES[by === "text" ? "text" : "alike"]);
    if (k !== null) this.#count(k);
  }

  show(facts, { histogram, cosine }) {
    const item = this.by.buttons.find((button) => button.dataset.value === "item");
    item.disabled = facts.by !== "item";
    Object.assign(this.count.element, { max: Math.max(1, Math.min(MOST, facts.count - (facts.by === "item" ? 1 : 0))) });
    this.count.set(facts.hits.length);
    this.count.paint();
    this.#count(facts.hits.length);
    this.answer = { facts, histogram, last: cosine.at(-1) };
    this.draw();
  }

  /** How many pictures have which cosine; those that were found in the accent's colour. */
  draw() {
    if (this.view) this.caution.textContent = say(NOTES[this.view.by === "text" ? "text" : "alike"]);
    if (!this.answer) return;
    const { facts, histogram, last } = this.answer;
    this.#count(facts.hits.length);
    this.all.hidden = !histogram;
    if (!histogram || !this.spread.clientWidth) return;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [this.spread.clientWidth * density, this.spread.clientHeight * density];
    [this.spread.width, this.spread.height] = [width, height];
    const context = this.spread.getContext("2d");
    const most = Math.max(...histogram);
    histogram.forEach((count, bin) => {
      const upper = facts.low + ((bin + 1) * (facts.high - facts.low)) / histogram.length;
      const tall = count ? Math.max(2 * density, (count / most) * (height - 2)) : 0;
      context.fillStyle = themed(upper >= last ? "accent" : "muted");
      context.fillRect((bin * width) / histogram.length, height - tall, width / histogram.length - density, tall);
    });
    const told = { low: fixed(facts.low, 3), high: fixed(facts.high, 3), last: fixed(last, 3) };
    this.spreadNote.textContent = say("From {low} to {high}; found are those from {last}.", told);
    this.spread.setAttribute("aria-label", this.spreadNote.textContent);
  }

  #count(found) {
    this.countWords.textContent = say("Pictures found: {found}", { found: number(found) });
  }
}
