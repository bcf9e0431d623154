// The calculator of the patches tab: formulas of models/attention_cost.py, and what one pass was counted to do.

import { card, segmented, select } from "./controls.js";
import { bytes, large } from "./quantities.js";
import { make, number, say } from "./words.js";

const FIELDS = { height: "Height", width: "Width", patch: "Patch", prefix: "Prefix", channels: "Channels", heads: "Heads", layers: "Layers", window: "Window" };
const MAY_BE_NONE = ["prefix", "window"];
const LETTERS = { height: "H", width: "W", patch: "P", channels: "C", heads: "h", layers: "L" };
const PRECISIONS = { fp32: "fp32", fp16: "fp16", bf16: "bf16", int8: "int8" };
const KERNELS = { materialised: "Materialised", fused: "Fused" };
const NUMBER_BYTES = { fp32: 4, fp16: 2, bf16: 2, int8: 1 };

/** Configurations that a lecture asks about. */
const PRESETS = {
  own: ["This network", null],
  large: ["Lecture, 512 × 512 pixels", { height: 512, width: 512, patch: 1, prefix: 0, channels: 1024, heads: 16, layers: 48, window: 0 }],
  small: ["Lecture, 32 × 32 pixels", { height: 32, width: 32, patch: 1, prefix: 0, channels: 1024, heads: 16, layers: 48, window: 0 }],
};

/** What models/attention_cost.py says of a configuration. */
export function cost({ height, width, patch, prefix, channels, heads, layers, window, precision, kernel }) {
  const tokens = prefix + Math.floor(height / patch) * Math.floor(width / patch);
  const reach = window ? Math.min(window * window, tokens) : tokens;
  const entries = heads * tokens * reach;
  const layer = kernel === "materialised" ? entries * NUMBER_BYTES[precision] : heads * tokens * NUMBER_BYTES.fp32;
  return { tokens, reach, entries, layer, bytes: layers * layer, multiplications: layers * 2 * tokens * reach * channels, projections: layers * 4 * tokens * channels ** 2 };
}

/** [name, formula, value] of each row; in R where a square picture of R × R pixels is taken pixel by pixel. */
function formulasOf(asked, found) {
  const pixelwise = asked.height === asked.width && asked.patch === 1 && asked.prefix === 0 && !asked.window;
  const reach = asked.window ? `${asked.window}²` : "n";
  const [tokens, matrix, entries, scores] = pixelwise
    ? ["R²", "R² × R²", "h·R⁴", "2L·R⁴·C"]
    : [`⌊H/P⌋⌊W/P⌋ + ${asked.prefix}`, `n × ${reach}`, `h·n·${reach}`, `2L·n·${reach}·C`];
  return [
    ["Tokens n", tokens, number(found.tokens)],
    ["Matrix", matrix, found.reach === found.tokens ? `${number(found.tokens)}²` : `${number(found.tokens)} × ${number(found.reach)}`],
    ["Numbers", entries, large(found.entries)],
    ["One layer", asked.kernel === "fused" ? "h·n·4 B" : `× ${NUMBER_BYTES[asked.precision]} B`, bytes(found.layer)],
    ["All layers", "× L", bytes(found.bytes)],
    ["Scores, sum", scores, large(found.multiplications)],
    ["Projections", pixelwise ? "4L·R²·C²" : "4L·n·C²", large(found.projections)],
  ];
}

export class Calculator {
  /** ask(changes), measure(button). */
  constructor({ ask, measure }) {
    this.ask = ask;
    this.inputs = Object.fromEntries(Object.entries(FIELDS).map(([name, text]) => [name, make("input.pl-number-input", { type: "number", min: MAY_BE_NONE.includes(name) ? 0 : 1, max: 65536, label: text, oninput: (event) => this.#typed(name, event.target) })]));
    this.precision = select("Precision", PRECISIONS, (precision) => ask({ precision }));
    this.kernel = segmented("Kernel", KERNELS, (kernel) => ask({ kernel }));
    const fields = Object.entries(FIELDS).map(([name, text]) => make("label.pl-field", {}, make("span", {}, make("span", { say: text }), LETTERS[name] ? ` ${LETTERS[name]}` : ""), this.inputs[name]));
    const presets = Object.values(PRESETS).map(([text, values]) => make("button.pl-link", { type: "button", say: text, onclick: () => this.#preset(values) }));
    this.costs = make("table.pl-table.pl-costs", { label: "Cost" });
    this.count = make("button.pl-button", { type: "button", say: "Count in one pass", onclick: () => measure(this.count) });
    this.note = make("p.pl-note", { say: "Counted products with weights hold what lies outside the blocks too: patches, merging, head.", hidden: true });
    const precision = make("label.pl-field", {}, make("span", { say: "Precision" }), this.precision.element);
    this.element = card("What attention costs", make(".pl-presets", {}, ...presets), make(".pl-fields", {}, ...fields, precision), this.kernel.element, this.costs, this.note, this.count);
  }

  /** What the network is, and what was asked otherwise. */
  configure(own, view) {
    const asked = Object.fromEntries(Object.keys(FIELDS).filter((name) => view[name] !== null && view[name] !== "").map((name) => [name, view[name]]));
    return (this.configuration = { ...own, ...asked, precision: view.precision, kernel: view.kernel });
  }

  /** measured: {predicted, counted, kernel} of the network at hand, or null. */
  draw(measured) {
    const asked = this.configuration;
    const found = cost(asked);
    for (const [name, input] of Object.entries(this.inputs)) if (document.activeElement !== input) input.value = asked[name] ?? 0;
    this.precision.set(asked.precision);
    this.kernel.set(asked.kernel);
    const formulas = formulasOf(asked, found);
    const rows = formulas.map(([name, formula, value]) => make("tr", {}, make("th", { colspan: 2 }, make("span", { say: name }), " ", make("span.pl-formula", {}, formula)), make("td.pl-own", {}, value)));
    if (measured) rows.push(...this.#measuredRows(measured));
    this.costs.replaceChildren(...rows);
    this.note.hidden = !measured;
  }

  #measuredRows({ predicted, counted, kernel }) {
    return [
      make("tr", {}, make("th", { say: "This network" }), make("th", { say: "predicted" }), make("th", { say: "counted" })),
      make("tr", {}, make("th", { say: "Scores, sum" }), make("td", {}, large(predicted.attention)), make("td.pl-own", {}, large(counted.attention))),
      make("tr", {}, make("th", {}, say(KERNELS[kernel])), make("td", {}, bytes(predicted.matrices)), make("td.pl-own", {}, bytes(counted.matrices))),
      make("tr", {}, make("th", { say: "With weights" }), make("td", {}, large(predicted.weights)), make("td.pl-own", {}, large(counted.weights))),
    ];
  }

  #preset(values) {
    const none = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, null]));
    this.ask({ ...none, ...values });
  }

  /** A number as it is typed; what cannot be calculated is left until it can. */
  #typed(name, input) {
    const value = Number(input.value);
    if (input.value === "") return this.ask({ [name]: null });
    const asked = { ...this.configuration, [name]: value };
    if (input.checkValidity() && Number.isInteger(value) && Math.min(asked.height, asked.width) >= asked.patch) this.ask({ [name]: value });
  }
}
