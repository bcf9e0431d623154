// Runs beside one another: the settings in which they differ, their curves over one axis, what each was measured to know.

import { Curve } from "./training_curve.js";
import { seriesOf } from "./training_curves.js";
import { besides } from "./training_figure.js";
import { make, number, say, sayNumbered } from "./words.js";

export class Compare {
  /** evaluate(name); go(step). */
  constructor({ evaluate }) {
    Object.assign(this, { evaluate, curves: new Map(), range: null });
    this.settings = make(".pl-train-table");
    this.measured = make(".pl-train-table");
    this.charts = make(".pl-train-pair");
    this.keys = make(".pl-train-keys");
    this.element = make("section.pl-train-compare", { hidden: true },
      this.keys, this.charts, make("h2", { say: "Settings that differ" }), this.settings, make("h2", { say: "Evaluations" }), this.measured);
    new ResizeObserver(() => this.paint()).observe(this.charts);
  }

  /** runs: [{title, columns}]. view: {over, smoothing}. told: the server's comparison, or null. jobs: by name. */
  draw(runs, view, told, jobs) {
    this.redraw = () => this.draw(runs, view, told, jobs);
    const names = [...new Set(runs.flatMap(({ columns }) => columns.figures))];
    if (names.join() !== [...this.curves.keys()].join()) this.#build(names);
    this.keys.replaceChildren(...runs.map(({ title }, place) => keyed(title, place)));
    for (const [name, curve] of this.curves) {
      curve.draw(seriesOf(name, runs, view.over), { range: this.range, smoothing: view.smoothing, mark: null });
    }
    const key = JSON.stringify([told, jobs.map(({ name, evaluation }) => [name, evaluation]), document.documentElement.lang]);
    if (told && key !== this.told) this.#tables(told, jobs);
    this.told = key;
  }

  paint() {
    for (const curve of this.curves.values()) curve.paint();
  }

  #build(names) {
    const zoom = (range) => {
      this.range = range;
      this.redraw?.();
    };
    this.curves = new Map(names.map((name) => [name, new Curve(name, { zoom, go: () => {} })]));
    this.charts.replaceChildren(...[...this.curves.values()].map(({ element }) => element));
  }

  #tables({ runs, settings, evaluations }, jobs) {
    const head = () => make("tr", {}, make("th"), ...runs.map((name, place) => make("th", {}, keyed(name, place))));
    const same = make("p.pl-note", { say: "All settings are the same." });
    const rows = settings.map(({ title, values }) => make("tr", {}, make("th", {}, say(title)), ...values.map((value) => make("td", {}, shown(value)))));
    this.settings.replaceChildren(rows.length ? make("table", {}, make("thead", {}, head()), make("tbody", {}, ...rows)) : same);
    const found = evaluations.map(({ name, values }) => make("tr", {}, make("th", {}, sayNumbered(name)), ...values.map(figure)));
    const acts = make("tr", {}, make("th"), ...runs.map((name) => make("td", {}, this.#act(jobs.find((job) => job.name === name)))));
    this.measured.replaceChildren(make("table", {}, make("thead", {}, head()), make("tbody", {}, ...found, acts)));
  }

  #act(job) {
    if (!job) return "";
    const text = { waiting: "Evaluation waits", running: "Evaluating …", done: "Evaluate again" }[job.evaluation] ?? "Evaluate";
    const busy = ["waiting", "running"].includes(job.evaluation);
    const why = job.evaluation === "failed" && job.sentences.at(-1);
    const button = make("button.pl-button", { type: "button", say: text, disabled: busy, onclick: () => this.evaluate(job.name) });
    return make("div", {}, button, why ? make("p.pl-note", { role: "status" }, say(why.template, why.facts)) : "");
  }
}

/** A run's name beside the line that it has in every curve. */
const keyed = (name, place) => make("span", {}, make(`span.pl-train-key.pl-train-key-${place}`), name);

const shown = (value) => (value === null || value === "" ? "–" : typeof value === "number" ? number(value, 4) : typeof value === "boolean" ? value ? say("on") : say("off") : String(value));

/** A value, and what stands beside it. */
function figure(found) {
  if (!found) return make("td", {}, "–");
  return make("td", {}, make("strong", {}, number(found.value, 3)), make("span.pl-note", {}, ` ${besides(found).join(" · ")}`));
}
