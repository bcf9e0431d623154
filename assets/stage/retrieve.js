// The retrieval tab: a query, and the pictures of a gallery that lie nearest to it.

import { exportBoard } from "./board.js";
import { Absent } from "./absent.js";
import { fetchBundle } from "./bundle.js";
import { jpeg, pictures, sentences } from "./galleries.js";
import { markUnread, tellCaption } from "./outside.js";
import { Hits } from "./retrieve_hits.js";
import { Side } from "./retrieve_side.js";
import { remember } from "./state.js";
import { make, onLanguage, say } from "./words.js";

const FIRST = {
  shapes: "a cyan star in the middle", unseen: "a red heart in the middle", photographs: "a cup of coffee",
  twemoji: "a red apple", emojione: "a red apple", emoji: "a red apple", folder: "a cat",
};

export class Tab {
  constructor({ defaults, asked, tell, turns }) {
    Object.assign(this, { defaults, tell, turns, before: [], made: 0, absent: new Absent() });
    this.view = { ...defaults, ...asked };
    this.hits = new Hits({ choose: (item) => this.ask({ by: "item", item }) });
    this.side = new Side({ ask: (changes) => this.ask(changes), ready: (facts) => this.#ready(facts), turns });
    this.query = make(".pl-get-query");
    this.caption = make("p.pl-caption", { "aria-live": "polite" });
    this.back = make("button.pl-link", { type: "button", say: "Back", hidden: true, onclick: () => this.#back() });
    const first = make(".pl-first", {}, make(".pl-get-head", {}, this.query, this.back), this.side.gallery.wait, this.hits.element, this.caption, make(".pl-progress"));
    this.element = make(".pl-tab.pl-get", {}, make("section.pl-middle", {}, first), make("aside.pl-side", { label: "Question" }, ...this.side.elements));
    onLanguage(() => this.#words());
  }

  /** The desk has changed: another picture, or another network, whose index may have to be made. */
  show({ facts, arrays }) {
    const picture = arrays.picture && jpeg(arrays.picture);
    const before = this.facts && this.gallery;
    Object.assign(this, { facts, picture });
    if (before && before !== this.gallery) this.#elsewhere(before);
    this.side.serve(facts);
    this.#set();
    if (!facts.reads && this.#by() === "text") this.view.by = "picture";
    this.side.gallery.index(this.wanted);
  }

  /** The view's changes, from any control. */
  ask(changes) {
    const other = ["gallery", "folder"].some((name) => name in changes && changes[name] !== this.view[name]);
    if (this.answer && ("by" in changes || "text" in changes)) this.#keep();
    if (other) this.#elsewhere(this.gallery);
    this.absent.forget(changes);
    Object.assign(this.view, changes);
    if (!this.facts) return;
    this.#set();
    if (other) this.side.gallery.index(this.wanted);
    else if (this.index) this.#search();
  }

  /** The gallery that is searched: where nobody chose, one of the kind that the network learnt from. */
  get gallery() {
    return this.view.gallery === "auto" ? this.facts?.usual ?? "shapes" : this.view.gallery;
  }

  get wanted() {
    return { gallery: this.gallery, folder: this.view.folder };
  }

  resize() {
    this.hits.fit();
    this.side.draw();
  }

  get numbers() {
    const url = new URL(this.facts.numbers, document.baseURI);
    for (const [name, value] of Object.entries(this.#question())) url.searchParams.set(name, value);
    return url.href;
  }

  async exportPicture() {
    if (this.answer) return exportBoard(this.hits.flat(), this.said.join(" "), null, "patchlight-retrieval.png");
  }

  // -- answers ---------------------------------------------------------------------------------------------------------

  #ready(facts) {
    Object.assign(this, { index: facts, made: this.made + 1 });
    this.#search();
  }

  /** What was asked of one gallery means nothing in another. */
  #elsewhere(before) {
    const { by, text } = this.view;
    Object.assign(this.view, { item: null, k: null, by: by === "item" ? "auto" : by, text: text === FIRST[before] ? "" : text });
    this.absent.forget({ k: null });
    this.before = this.before.filter(({ item }) => item === null);
    this.back.hidden = !this.before.length;
  }

  #set() {
    this.side.set({ ...this.view, gallery: this.gallery, example: FIRST[this.gallery] }, this.#by());
  }

  /** What is looked for: the text unless the desk's picture or one of the gallery's is meant. */
  #by() {
    const { by, item } = this.view;
    if (by !== "auto") return by;
    if (item !== null) return "item";
    return this.facts?.reads ? "text" : "picture";
  }

  #question() {
    const { k, search, item } = this.view;
    const by = this.#by();
    const asked = { by, ...this.wanted, search, ...(k === null ? {} : { k }) };
    if (by === "text") asked.text = this.view.text || FIRST[this.gallery];
    if (by === "item") asked.item = item;
    return asked;
  }

  async #search() {
    if (this.#by() === "text" && !this.view.text) this.view.text = FIRST[this.gallery];
    this.#fit();
    this.#set();
    this.#remember();
    await this.turns.latest("search", async (turn) => {
      this.#show(await turn(fetchBundle(this.facts.search, { ...this.#question(), made: this.made }, turn.signal)));
    }, (busy) => this.element.classList.toggle("pl-busy", busy));
  }

  get shows() {
    return Boolean(this.answer);
  }

  /** No more pictures than there are; those that a link asks for beyond are told of. */
  #fit() {
    const { absent, view, index: { count } } = this;
    absent.restore(view);
    const there = count - (this.#by() === "item" ? 1 : 0);
    if (view.k > count) absent.replace(view, "k", there, { said: "The {asked} nearest pictures were asked for, but there are {there} to be found; all of them are shown.", there });
    else if (view.k > there) absent.keep(view, "k", there);
    absent.news().forEach((fault) => this.tell(fault));
  }

  #show({ facts, arrays }) {
    this.answer = facts;
    this.element.dataset.shown = `${facts.by} ${facts.query} ${facts.gallery} ${facts.hits.length}`;
    this.hits.show(facts.hits, pictures(arrays));
    this.side.show(facts, arrays);
    this.#query(arrays.asked && jpeg(arrays.asked));
    this.#words();
  }

  #query(item) {
    const { by, query } = this.answer;
    const image = { picture: this.picture, item }[by];
    const words = by === "text" ? markUnread(make("bdi.pl-get-text", {}, say("Text: “{text}”", { text: query })), this.facts.learnt, query) : make("img", { src: image, alt: query });
    this.query.replaceChildren(words);
  }

  #words() {
    if (!this.answer) return;
    this.said = sentences(this.answer.said);
    const { learnt } = this.facts;
    const count = this.answer.outside.length;
    const inside = this.answer.outside.every(({ template }) => template !== learnt.sentence);
    tellCaption(this.caption, { warned: this.said.slice(0, count), said: this.said.slice(count), learnt, inside, go: () => this.ask({ gallery: "auto" }) });
    this.hits.words();
    this.side.draw();
  }

  // -- going back ------------------------------------------------------------------------------------------------------

  #keep() {
    const { by, text, item } = this.view;
    this.before.push({ by, text, item });
    this.back.hidden = false;
  }

  #back() {
    const last = this.before.pop();
    this.back.hidden = !this.before.length;
    Object.assign(this.view, last);
    if (this.index) this.#search();
  }

  #remember() {
    const by = this.#by();
    const { gallery, folder, text, item, k, search } = this.view;
    remember({ by: by === "picture" ? by : "auto", gallery, folder, k, search, text: by === "text" ? text : "", item: by === "item" ? item : null, ...this.absent.asked }, this.defaults);
  }
}

document.head.append(make("link", { rel: "stylesheet", href: new URL("retrieve.css", import.meta.url).href }));
