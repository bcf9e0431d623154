// What the zero-shot tab asks: labels, templates and the view in front; kept in the page's address.

import { unread } from "./outside.js";
import { remember } from "./state.js";

const KEPT = ["labels", "templates", "ensemble", "patches", "order", "panel", "matrix", "drawing", "set", "scored"];

export class Asked {
  constructor({ defaults, asked }) {
    Object.assign(this, { defaults, begun: { ...defaults, set: "shapes", matrix: "drawn" } });
    this.view = tidy({ ...defaults, ...asked });
    this.chosen = ["labels", "templates"].some((name) => new URLSearchParams(location.search).has(name));
  }

  /** A network that learnt from drawings is asked about drawings, until the reader asks for something else; labels that were
   *  chosen for an earlier network stay as far as this one reads them all. */
  begin({ start, imagenet, checkpoint, learnt }) {
    this.imagenet = imagenet;
    if (this.network && checkpoint !== this.network && unread(learnt, this.view.labels).length) this.chosen = false;
    this.network = checkpoint;
    this.begun = { ...start, ...(start.labels.length ? {} : { labels: this.defaults.labels, templates: this.defaults.templates }) };
    if (!this.chosen) this.view = { ...this.view, labels: this.begun.labels, templates: this.begun.templates };
  }

  /** The view's changes, from any control. True where scores that are known are no longer those asked for. */
  change(changes) {
    const { templates, ensemble } = this.view;
    this.view = tidy({ ...this.view, ...changes });
    return String(templates) !== String(this.view.templates) || ensemble !== this.view.ensemble;
  }

  /** Templates as they are filled, spelled out. */
  get templates() {
    return this.view.ensemble === "imagenet" ? this.imagenet : this.view.templates;
  }

  /** Which pictures the matrix shows, and which set is scored: where nobody chose, what the network knows. */
  get matrix() {
    return this.view.matrix === "none" ? this.begun.matrix : this.view.matrix;
  }

  get set() {
    return this.view.set || this.begun.set;
  }

  /** Labels and templates that the network begins with. */
  get first() {
    const { labels, templates } = this.begun;
    return { labels, templates, ensemble: "given" };
  }

  /** What is asked of the labelled set. */
  get scoring() {
    const { scored, templates, ensemble } = this.view;
    return { set: this.set, scored, templates, ensemble };
  }

  /** What is asked of the matrix. */
  get pairing() {
    const { drawing, labels, templates, ensemble } = this.view;
    return { matrix: this.matrix, drawing, labels, templates, ensemble };
  }

  /** Address of the numbers behind what is shown. selected: a label. added: pictures of the reader's own matrix. */
  numbers(path, selected, added) {
    const { labels, templates, ensemble, patches, panel, drawing, scored } = this.view;
    const label = labels.indexOf(selected);
    const further = {
      scores: {}, wording: { words: true }, set: { set: this.set, scored },
      matrix: { matrix: this.matrix, drawing, pictures: added.join("\n") },
    }[panel];
    const values = { labels: labels.join("\n"), templates: templates.join("\n"), ensemble, patches, ...(label < 0 ? {} : { label }), ...further };
    const url = new URL(path, document.baseURI);
    for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
    return url.href;
  }

  remember() {
    const { labels, templates } = this.begun;
    remember(Object.fromEntries(KEPT.map((name) => [name, this.view[name]])), { ...this.defaults, labels, templates });
  }
}

/** Labels without spaces around them and without empty ones. */
function tidy(view) {
  return { ...view, labels: view.labels.map((label) => label.trim()).filter(Boolean) };
}
