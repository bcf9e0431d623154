// The right side of the attention tab: the question that is asked, what the pointer finds, how it is drawn.

import { overPicture } from "./canvas.js";
import { card, factTable, labelled, segmented, select, slider } from "./controls.js";
import { make, number, say } from "./words.js";

const VIEWS = { from: "Looks at", to: "Seen by", rollout: "Rollout", class: "Class" };
const FUSIONS = { mean: "Mean", max: "Max", min: "Min" };
const MARKS = { off: "Off", outline: "Outline", mask: "Mask" };
const SCALINGS = { own: "Own scale", shared: "Shared scale", clipped: "Brightest 1 % cut" };
const TABLES = { magma: "Magma", viridis: "Viridis", grey: "Grey" };

const CAUTIONS = {
  from: "Attention is where information may flow, not why the network decides. Bright border patches in late blocks are often registers in disguise.",
  to: "A column does not sum to 1: a token that everyone looks at may be a sink which carries nothing of the picture.",
  rollout: "Rollout multiplies attention as if blocks were linear. It leaves out values, the MLPs and every sign. One register or sink may draw most of it: the brightest 1 % is cut for that, in tiles always, in the large map unless you choose another scale.",
  class: "Relevance keeps the positive part of gradient × attention: it says what supports a score, never what speaks against it.",
};

/** The side panel. ask(changes) is called with the view's changes, askTarget() when a class or text was chosen. */
export class Question {
  constructor(ask) {
    this.ask = ask;
    this.views = segmented("View", VIEWS, (view) => ask({ view }), ".pl-views");
    this.query = select("Query token", [], (query) => ask({ query }));
    this.facts = factTable({ token: "Token", entropy: "Entropy", distance: "Mean distance", prefix: "Prefix tokens", sum: "Sum of column" });
    this.facts.values.token.append(this.query.element);
    this.pointer = this.#pointer();
    this.#rollout();
    this.#class();
    this.#drawing();
    this.caution = make("p.pl-note");
    this.element = make("aside.pl-side", { label: "Question" },
      this.views.element,
      card("Query", this.facts.element, this.rollout, this.target),
      this.pointer.element,
      this.drawing,
      make("section.pl-card.pl-caution", {}, make("h2", { say: "May mislead" }), this.caution),
    );
  }

  /** Everything that the state of the view tells; called at each redraw. */
  set(view, facts) {
    this.views.set(view.view);
    this.query.set(view.query);
    this.fusion.set(view.fusion);
    this.discard.set(view.discard);
    this.share.set(view.share);
    this.opacity.set(view.opacity);
    this.mark.set(view.mark);
    this.table.set(view.table);
    this.scaling.set(view.scaling);
    this.smooth.setAttribute("aria-pressed", view.smooth);
    this.rollout.hidden = view.view !== "rollout";
    this.target.hidden = view.view !== "class";
    this.facts.rows.token.hidden = view.view === "class";
    this.caution.textContent = say(CAUTIONS[view.view]);
    this.shareWords.textContent = say("Keep {share} % of mass", { share: Math.round(100 * view.share) });
    this.discardWords.textContent = say("Discard the lowest {share} %", { share: Math.round(100 * view.discard) });
    this.texts.hidden = !facts?.reads_text;
    if (document.activeElement !== this.text) this.text.value = view.text;
    this.classes.hidden = !facts?.classes;
    this.#suggest(facts?.labels ?? []);
  }

  /** options: [value, shown text] of every query that is not a patch, and the patch that is asked. */
  setQueries(options) {
    this.query.fill(options);
  }

  /** classes: [{index, name, share}], the network's own five best answers. */
  setClasses(classes) {
    this.classes.replaceChildren(
      ...classes.map(({ index, name, share }) =>
        make("button.pl-class", { type: "button", "data-index": index, onclick: () => this.ask({ target: index }) },
          make("span", {}, name), make("span.pl-figure", {}, `${number(100 * share, 3)} %`)),
      ),
    );
  }

  chooseClass(chosen) {
    for (const button of this.classes.children) button.setAttribute("aria-pressed", button.dataset.index === String(chosen));
  }

  setKept(kept, patches) {
    this.kept.textContent = kept === null ? "" : say("{kept} of {patches}", { kept, patches });
  }

  /** cell: [row, column] or null. map: {values, grid, scale, table, picture} of the pointer's own row, or null while it travels. */
  setPointer(cell, value, map) {
    const { heading, canvas, note } = this.pointer;
    heading.textContent = cell ? say("Pointer: row {row}, column {column}", { row: cell[0] + 1, column: cell[1] + 1 }) : say("Pointer");
    note.textContent = cell ? say("Value {value}. Below: this patch's own row, same block.", { value: number(value, 2) }) : say("Point at a patch; click to make it the query.");
    canvas.hidden = !map;
    if (map) overPicture(canvas, map);
  }

  #pointer() {
    const heading = make("h2");
    const canvas = make("canvas.pl-pointer-map", { "aria-hidden": "true", hidden: true });
    const note = make("p.pl-note");
    return { heading, canvas, note, element: make("section.pl-card.pl-pointer", {}, heading, note, canvas) };
  }

  #rollout() {
    this.fusion = segmented("Fusion of heads", FUSIONS, (fusion) => this.ask({ fusion }));
    this.discardWords = make("h3");
    this.discard = slider("Discarded share", { min: 0, max: 0.95, step: 0.05 }, (discard) => this.ask({ discard }));
    this.rollout = make("div", { hidden: true }, labelled(make("h3", { say: "Fusion of heads" }), this.fusion), labelled(this.discardWords, this.discard));
  }

  #class() {
    this.classes = make(".pl-classes", { role: "group", label: "Best classes" });
    const text = (this.text = make("input.pl-text", { type: "text", maxlength: 200, label: "Text", placeholder: "a photo of a cat" }));
    const go = make("button.pl-button", { type: "submit", say: "Explain" });
    const submit = (event) => {
      event.preventDefault();
      if (text.value.trim()) this.ask({ text: text.value.trim(), target: null });
    };
    this.texts = make("form.pl-texts", { onsubmit: submit, hidden: true }, text, go);
    this.labels = make(".pl-buttons.pl-labels", { role: "group", label: "Labels" });
    this.target = make("div", { hidden: true }, this.classes, this.texts, this.labels);
  }

  /** What this network has learnt to name, to be explained by a click. */
  #suggest(labels) {
    if (String(labels) === this.suggested) return;
    this.suggested = String(labels);
    this.text.placeholder = labels[0] ?? say("a photo of a cat");
    this.labels.replaceChildren(...labels.map((text) => make("button.pl-button", { type: "button", onclick: () => this.ask({ text, target: null }) }, text)));
  }

  #drawing() {
    this.shareWords = make("h2");
    this.kept = make("p.pl-note");
    this.mark = segmented("Mass threshold", MARKS, (mark) => this.ask({ mark }), ".pl-marks");
    this.share = slider("Share of the mass that is kept", { min: 0.05, max: 1, step: 0.01 }, (share) => this.ask({ share }));
    this.opacity = slider("Overlay", { min: 0, max: 1, step: 0.01 }, (opacity) => this.ask({ opacity }));
    this.smooth = make("button.pl-button.pl-smooth", { type: "button", say: "Smooth", hint: "Interpolate between patches, or show each patch as it is", onclick: () => this.ask({ smooth: this.smooth.getAttribute("aria-pressed") !== "true" }) });
    this.table = select("Colour table", TABLES, (table) => this.ask({ table }));
    this.scaling = select("Scaling", SCALINGS, (scaling) => this.ask({ scaling }));
    this.drawing = make("section.pl-card.pl-drawing", {},
      make(".pl-heading", {}, this.shareWords, this.kept), this.share.element, this.mark.element,
      make(".pl-inline", {}, make("span.pl-name", { say: "Overlay" }), this.opacity.element, this.smooth),
      make(".pl-inline", {}, this.table.element, this.scaling.element),
    );
  }
}
