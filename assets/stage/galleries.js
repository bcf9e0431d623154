// Which pictures are searched, and their index: made once with progress, kept, made again where the pictures changed.

import { fetchBundle } from "./bundle.js";
import { card, factTable, select } from "./controls.js";
import { language, make, number, onLanguage, say } from "./words.js";

const GALLERIES = {
  shapes: "Shapes", unseen: "Shapes, new combinations", twemoji: "Twemoji, held out",
  emojione: "EmojiOne 2, held out", emoji: "Emoji of five styles", photographs: "Example photographs",
};
const FOLDER = { folder: "A folder of this machine" };
const POLL = 250; // ms between two looks at an index that is being made

export class GalleryPanel {
  /** change({gallery, folder}) when another is chosen, ready(facts) once its index is there. turns: of the tab.
   *  `wait` is for the tab's middle: how far a first indexing is. */
  constructor({ change, ready, turns }) {
    Object.assign(this, { ready, turns, asked: 0 });
    this.gallery = select("Gallery", { ...GALLERIES, ...FOLDER }, (gallery) => change({ gallery }));
    this.folder = make("input.pl-text", { type: "text", label: "Path of a folder", placeholder: "/path/of/a/folder", maxlength: 2000, spellcheck: "false" });
    this.path = make("form.pl-texts", { hidden: true, onsubmit: (event) => (event.preventDefault(), change({ gallery: "folder", folder: this.folder.value.trim() })) }, this.folder, make("button.pl-button", { type: "submit", say: "Read" }));
    this.facts = factTable({ pictures: "Pictures", channels: "Channels", size: "On the disk", skipped: "Left out" });
    this.bar = make(".pl-gallery-bar", { role: "progressbar", label: "Indexing", hidden: true }, make("i"));
    this.far = make("span.pl-note");
    this.stop = make("button.pl-link", { type: "button", say: "Stop", onclick: () => this.#stop() });
    this.more = make("button.pl-link", { type: "button", say: "Continue", hidden: true, onclick: () => this.index(this.wanted) });
    this.wait = make("p.pl-gallery-wait");
    this.row = make(".pl-heading", { hidden: true }, this.far, this.stop, this.more);
    this.element = card("Gallery", this.gallery.element, this.path, this.bar, this.row, this.facts.element);
    onLanguage(() => this.#draw());
  }

  /** From now on indices are asked for at `path`; `local`: whether folders of the machine may be read. */
  serve(path, local) {
    this.address = path;
    this.gallery.fill(local ? { ...GALLERIES, ...FOLDER } : GALLERIES);
  }

  set({ gallery, folder }) {
    this.gallery.set(gallery);
    this.path.hidden = gallery !== "folder";
    if (document.activeElement !== this.folder) this.folder.value = folder;
  }

  /** Have {gallery, folder} indexed; `ready` is called once it is. */
  async index(wanted) {
    this.set(wanted);
    Object.assign(this, { wanted, told: null, far_: null });
    this.turns.end("index");
    if (wanted.gallery === "folder" && !wanted.folder) return this.#draw();
    try {
      await this.turns.latest("index", (turn) => this.#indexed(turn));
    } catch (wrong) {
      this.far_ = null;
      this.#draw();
      throw wrong;
    }
  }

  async #indexed(turn) {
    let found = await turn(this.#ask("start", turn.signal));
    while (found.state === "making") {
      this.far_ = found;
      this.#draw();
      await turn(new Promise((done) => setTimeout(done, POLL)));
      found = await turn(this.#ask("look", turn.signal));
    }
    this.stopped = found.state === "none";
    this.told = found.state === "ready" ? found : null;
    if (!this.stopped) this.far_ = null;
    this.#draw();
    if (this.told) this.ready(this.told);
  }

  async #ask(act, signal) {
    const { gallery, folder } = this.wanted;
    return (await fetchBundle(this.address, { gallery, folder, act, asked: `${performance.timeOrigin}-${++this.asked}` }, signal)).facts;
  }

  #stop() {
    this.#ask("stop");
  }

  #draw() {
    const { told, far_: far, stopped } = this;
    const share = far?.whole ? far.here / far.whole : 0;
    this.bar.hidden = this.row.hidden = !far;
    this.stop.hidden = stopped;
    this.more.hidden = !stopped;
    this.bar.firstChild.style.width = `${100 * share}%`;
    this.bar.setAttribute("aria-valuenow", Math.round(100 * share));
    this.wait.textContent = this.far.textContent = far ? this.#words(far) : "";
    this.facts.element.hidden = !told;
    if (!told) return;
    const skipped = told.skipped.length ? number(told.skipped.length) : null;
    this.facts.set({
      pictures: number(told.count), channels: number(told.channels), skipped,
      size: told.kept ? say("{megabytes} MB", { megabytes: number(told.kept / 1e6, 2) }) : say("not kept"),
    });
    this.facts.rows.skipped.title = told.skipped.slice(0, 12).map(({ name, template, facts }) => `${name}: ${say(template, facts)}`).join("\n");
  }

  #words({ here, whole, seconds }) {
    if (this.stopped) return say("Stopped at {here} of {whole}.", { here: number(here), whole: number(whole) });
    const left = here > 32 && seconds > 1 ? (seconds * (whole - here)) / here : null;
    if (!whole) return say("The gallery is being opened.");
    return left === null
      ? say("Indexing: {here} of {whole}.", { here: number(here), whole: number(whole) })
      : say("Indexing: {here} of {whole}, {seconds} s left.", { here: number(here), whole: number(whole), seconds: number(Math.ceil(left)) });
  }
}

/** Object URLs of the JPEG files that lie in a bundle's `thumbnails`. */
export function pictures({ thumbnails, starts }) {
  const place = (at) => thumbnails.subarray(starts[at], starts[at + 1]);
  return Array.from({ length: starts.length - 1 }, (_, at) => jpeg(place(at)));
}

export const jpeg = (bytes) => URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));

/** A caption's sentences; figures come with a point and are said in the reader's way. */
export const sentences = (said) => said.map(({ template, facts }) => say(template, facts));

/** What a picture is called, in the reader's language where the gallery knows it. */
export const called = ({ name, russian }) => (language === "ru" && russian ? russian : name);

document.head.append(make("link", { rel: "stylesheet", href: new URL("galleries.css", import.meta.url).href }));
