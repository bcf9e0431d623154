// Cards of the mask lab for what takes longer than a look: other networks, doubt over masks, the ratio curve, films.

import { card, segmented, select, slider } from "./controls.js";
import { make, number, say } from "./words.js";

const FILMS = { ratio: "Ratio", growth: "Growth" };
const FILM_NOTES = {
  ratio: "From 5 to 95 % hidden, and what is hidden stays hidden.",
  growth: "The mask, square after square, until all of it is hidden.",
};
const OTHERS = 3;

export class More {
  /** ask(changes): of the view. act(name): doubt, curve, gif, mp4. */
  constructor({ ask, act }) {
    Object.assign(this, { ask, act, chosen: [], able: [], runs: {} });
    this.cards = [this.#against(), this.#doubt(), this.#ratios()];
  }

  setView({ against, masks, film }) {
    this.count.set(masks || 16);
    this.film.set(film);
    this.filmNote.textContent = say(FILM_NOTES[film]);
    const chosen = against.split(",").filter(Boolean);
    if (String(chosen) === String(this.chosen)) return;
    this.chosen = chosen;
    this.#drawAgainst();
  }

  setNetwork({ checkpoint, able }) {
    this.able = able.filter(({ id, here }) => here && id !== checkpoint);
    this.#drawAgainst();
  }

  /** What masks will take: {batch, bytes, masks}; null where there is nothing to ask. */
  setForeseen(told) {
    this.foreseen.textContent = told
      ? say("{masks} masks, {batch} in a batch: {megabytes} MB.", { masks: told.masks, batch: told.batch, megabytes: number(Math.max(1, Math.round(told.bytes / 1e6))) })
      : "…";
  }

  /** Progress of a run in [0, 1], or null when it does not run; words for what is done, if any. */
  setRunning(name, share, words = "") {
    const { button, meter, start, note } = this.runs[name];
    button.dataset.say = share === null ? start : "Stop";
    button.textContent = say(button.dataset.say);
    meter.hidden = share === null;
    meter.style.setProperty("--done", share ?? 0);
    note.hidden = !words;
    note.textContent = words;
  }

  // -- cards -----------------------------------------------------------------------------------------------------------

  #against() {
    this.names = make(".pl-mask-names");
    this.add = select("Add a network", [], (id) => id && this.#choose([...this.chosen, id]));
    return card("Compare with", this.names, this.add.element, make("p.pl-note", { say: "The same mask goes to all, on squares that fit each of them." }));
  }

  #drawAgainst() {
    const title = (id) => this.able.find((known) => known.id === id)?.title ?? id;
    this.names.replaceChildren(...this.chosen.map((id) =>
      make("button.pl-mask-name", { type: "button", hint: "Leave this network out", onclick: () => this.#choose(this.chosen.filter((other) => other !== id)) }, title(id), " ×"),
    ));
    const free = this.able.filter(({ id }) => !this.chosen.includes(id));
    this.add.fill([["", say("Add a network")], ...free.map(({ id, title: name }) => [id, name])]);
    this.add.element.hidden = !free.length || this.chosen.length >= OTHERS;
  }

  #choose(ids) {
    this.ask({ against: ids.join(",") });
  }

  #doubt() {
    this.count = slider("Masks", { min: 8, max: 64, step: 1 }, (masks) => this.ask({ masks }));
    this.foreseen = make("p.pl-note.pl-foreseen");
    const run = this.#run("doubt", "Run masks");
    const note = make("p.pl-note", { say: "Masks of this kind and size; every square is painted whenever it is hidden: their mean is a picture of predictions only." });
    return card("Doubt", this.count.element, this.foreseen, ...run, note);
  }

  #ratios() {
    this.film = segmented("Film", FILMS, (film) => this.ask({ film }));
    this.filmNote = make("p.pl-note");
    const heading = make("p.pl-mask-head", { say: "Film" });
    const buttons = make(".pl-buttons", {}, ...this.#run("gif", "GIF").slice(0, 1), ...this.#run("mp4", "MP4").slice(0, 1));
    return card("Over ratios", ...this.#run("curve", "Ratio curve"), heading, this.film.element, buttons, this.runs.gif.meter, this.runs.mp4.meter, this.filmNote);
  }

  #run(name, start) {
    const button = make("button.pl-button.pl-mask-run", { type: "button", say: start, "data-run": name, onclick: () => this.act(name) });
    const [meter, note] = [make(".pl-mask-meter", { hidden: true }, make("i")), make("p.pl-note", { hidden: true, "aria-live": "polite" })];
    this.runs[name] = { start, button, meter, note };
    return [button, meter, note];
  }
}
