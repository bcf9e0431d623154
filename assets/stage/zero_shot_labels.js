// Labels as chips: typed, pasted as a list, or taken from a list that people have agreed on.

import { card, select } from "./controls.js";
import { markUnread } from "./outside.js";
import { fault } from "./server.js";
import { make, number, say } from "./words.js";

const CHIPS = 120; // chips that are drawn
const MOST = 1000;
const LETTERS = 500; // of one label
const LISTS = { photographs: "Example photographs", shapes: "Coloured shapes", emoji: "Emoji", cifar10: "CIFAR-10", eurosat: "EuroSAT", food101: "Food-101", imagenet: "ImageNet, 1,000 classes" };

export class Labels {
  /** change(labels), fetch(name, signal) resolves to a list that is too long to be here, say(fault). turns: of the tab. */
  constructor({ change, fetch, say: tell, turns }) {
    Object.assign(this, { change, fetch, tell, turns, labels: [] });
    this.chips = make(".pl-zero-chips");
    this.typed = make("textarea.pl-text", { rows: 1, dir: "auto", label: "Add labels", placeholder: "add labels", onkeydown: (event) => this.#key(event), onpaste: () => setTimeout(() => this.typed.value.includes("\n") && this.#take()) });
    this.lists = select("List of labels", { "": "Lists …", ...LISTS }, (name) => this.#list(name));
    this.count = make("span.pl-note");
    const clear = make("button.pl-link", { type: "button", say: "Clear", onclick: () => this.change([]) });
    const heading = make(".pl-heading", {}, make("h2", { say: "Labels" }), this.count, clear);
    this.element = card(heading, this.chips, make(".pl-zero-add", {}, this.typed, this.lists.element));
  }

  set(labels) {
    this.labels = labels;
    this.progress(null);
    const chips = labels.slice(0, CHIPS).map((label, at) => markUnread(make("span.pl-chip", {}, make("bdi", {}, label), make("button", { type: "button", "aria-label": say("Remove {label}", { label }), onclick: () => this.change(labels.filter((_, other) => other !== at)) }, "×")), this.learnt, label));
    this.chips.replaceChildren(...chips, ...(labels.length > CHIPS ? [make("span.pl-note", {}, say("and {more} more", { more: number(labels.length - CHIPS) }))] : []));
  }

  /** Labels read so far, of how many; null when all are. */
  progress(done, of) {
    this.count.textContent = done === null ? number(this.labels.length) : say("{done} of {of}", { done: number(done), of: number(of) });
  }

  #key(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    this.#take();
  }

  #take() {
    const text = this.typed.value;
    const found = text.split(text.includes("\n") ? "\n" : /[,;]/).map((label) => label.trim()).filter(Boolean);
    if (!found.length) return;
    this.typed.value = "";
    this.#give([...this.labels, ...found]);
  }

  async #list(name) {
    this.lists.set("");
    if (!name) return;
    await this.turns.latest("list", async (turn) => {
      this.#give(this.presets[name] ?? (await turn(this.fetch(name, turn.signal))).facts.labels);
    });
  }

  #give(labels) {
    const long = labels.findIndex((label) => label.length > LETTERS);
    if (long >= 0) return this.tell(fault({ said: "Label {number} was given, but it has {found} characters where {most} can be read; shorten it.", number: long + 1, found: labels[long].length, most: LETTERS }));
    if (labels.length > MOST) this.tell(fault({ said: "Labels: {found} were given, but {most} can be compared at once; leave some out.", found: labels.length, most: MOST }));
    else this.change(labels);
  }
}
