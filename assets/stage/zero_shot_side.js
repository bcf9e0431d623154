// Templates, temperature and bias, and what the two read-outs may and may not say.

import { card, factTable, labelled, slider } from "./controls.js";
import { make, number, perCent, say } from "./words.js";

const SETS = { photo: "Photo", bare: "Bare", imagenet: "The 80 of ImageNet" };
const PHOTO = "a photo of a {}.";
const CAUTIONS = {
  softmax: "Softmax divides 100 % among these labels, even where none fits: add a label and all shares change.",
  sigmoid: "Sigmoid judges each pair alone. In training nearly every pair was wrong, and the bias learned to say no, so that 20 % can be a confident yes.",
};

export class Side {
  /** scale(value), bias(value), reset(), templates({templates, ensemble}). */
  constructor({ scale, bias, reset, templates }) {
    this.give = templates;
    this.text = make("textarea.pl-text", { rows: 1, label: "Templates, one a line", onchange: () => this.#typed() });
    this.sets = Object.entries(SETS).map(([name, words]) => make("button.pl-link", { type: "button", say: words, "data-set": name, onclick: () => this.#set(name) }));
    this.wrong = make("p.pl-note.pl-zero-wrong", { hidden: true });
    this.scaleWords = make("h3");
    this.biasWords = make("h3");
    this.scale = slider("Scale of the cosine", { min: 0, max: 7, step: 0.005 }, (value) => scale(Math.exp(value)));
    this.bias = slider("Bias", { min: -30, max: 30, step: 0.05 }, bias);
    this.reset = make("button.pl-link", { type: "button", say: "As learned", onclick: reset });
    this.facts = factTable({ gap: "First before second" });
    this.caution = { softmax: make("p.pl-note", { say: CAUTIONS.softmax }), sigmoid: make("p.pl-note", { say: CAUTIONS.sigmoid }) };
    this.elements = [
      card("Templates", this.text, make(".pl-zero-sets", {}, ...this.sets), this.wrong),
      card(make(".pl-heading", {}, make("h2", { say: "Temperature and bias" }), this.reset), labelled(this.scaleWords, this.scale), labelled(this.biasWords, this.bias), this.facts.element),
      card("May mislead", make("p.pl-note", { say: "The bright column is the read-out that this network was trained with; the other reads the same logits in another way." }), this.caution.softmax, this.caution.sigmoid),
    ];
  }

  setTemplates({ templates, ensemble }) {
    const chosen = ensemble === "imagenet" ? "imagenet" : templates.length > 1 ? "" : { "{}": "bare", [PHOTO]: "photo" }[templates[0]];
    this.sets.forEach((button) => button.setAttribute("aria-pressed", button.dataset.set === chosen));
    this.text.hidden = ensemble === "imagenet";
    this.text.rows = Math.min(5, templates.length);
    if (document.activeElement !== this.text) this.text.value = templates.join("\n");
  }

  draw({ softmax, sigmoid, order, own, scale, bias, learned, view }) {
    this.scale.set(Math.log(scale));
    this.bias.set(bias);
    write(this.scaleWords, say("Scale {scale}: temperature {temperature}", { scale: number(scale, 4), temperature: number(1 / scale, 2) }));
    write(this.biasWords, say("Bias {bias}, moves sigmoid only", { bias: number(bias, 3) }));
    this.reset.hidden = scale === learned.scale && bias === learned.bias;
    const shares = own === "softmax" ? softmax : sigmoid;
    this.facts.element.hidden = view !== "scores" || !shares;
    if (this.facts.element.hidden) return;
    const gap = order.length > 1 ? `${perCent(shares[order[0]] - shares[order[1]])} %` : null;
    this.facts.set({ gap });
  }

  #typed() {
    const templates = this.text.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const broken = templates.find((template) => template.split("{}").length !== 2);
    this.wrong.hidden = !broken && templates.length > 0;
    if (broken || !templates.length) this.wrong.textContent = say("A template must hold {place} once, where the label goes; correct “{template}”.", { place: "{}", template: broken ?? "" });
    else this.give({ templates, ensemble: "given" });
  }

  #set(name) {
    this.wrong.hidden = true;
    if (name === "imagenet") this.give({ ensemble: "imagenet" });
    else this.give({ templates: [name === "bare" ? "{}" : PHOTO], ensemble: "given" });
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
