// Error against ratio: a line for the mean over seeds, a band from the least to the greatest, for each network.

import { themed } from "./colours.js";
import { exportFigure, save } from "./export.js";
import { ticks } from "./training_scale.js";
import { make, number, say } from "./words.js";

const EDGE = { left: 62, right: 30, top: 14, bottom: 44 };
const FONT = "12px system-ui, 'DejaVu Sans', sans-serif";
const KINDS = { random: "Random", block: "Block", grid: "Grid", painted: "Painted" };
const LINES = [
  { colour: "accent", dash: [] },
  { colour: "pointer", dash: [8, 4] },
  { colour: "text", dash: [10, 3, 2, 3] },
  { colour: "fault", dash: [4, 4] },
];
const NEAREST = { colour: "muted", dash: [2, 3] };
const SIGN = [34, 10]; // pixels of a line in the legend
const [LEGEND, FINE] = [32, 3]; // of a chart that is saved: pixels above it, and pixels to a pixel of the page

export class Curve {
  constructor() {
    this.canvas = make("canvas", { role: "img", label: "Error against hidden share" });
    this.legend = make(".pl-mask-legend");
    this.words = make("p.pl-note");
    const saved = make("button.pl-link", { type: "button", say: "Save as PNG", onclick: () => this.#save() });
    this.element = make("section.pl-mask-curve", { hidden: true }, make(".pl-heading", {}, make("h2", { say: "Error against hidden share" }), saved), this.legend, this.canvas, this.words);
    this.points = [];
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  hide() {
    this.points = [];
    this.element.hidden = true;
  }

  /** A new curve: `seeds` masks of a kind at each ratio. */
  clear(seeds, kind) {
    Object.assign(this, { points: [], seeds, kind });
    this.element.hidden = false;
  }

  /** titles: of networks. errors: [network][seed]. nearest: [seed]. */
  add(ratio, { titles, errors, nearest }) {
    this.networks = titles;
    this.points.push({ ratio, series: [...errors, nearest] });
    this.draw();
  }

  get titles() {
    return [...this.networks, say("nearest visible patch")];
  }

  #sentences() {
    const grown = this.kind === "painted" ? say("The painted shape is shrunk towards its core and grown around its edge; a seed decides between equally near squares.") : "";
    return `${say("Mean squared error over hidden squares, colours in 0 to 1; line: mean over {seeds} masks, band: least to greatest. Kind of mask: {kind}.", { seeds: this.seeds, kind: say(KINDS[this.kind]) })} ${grown}`.trim();
  }

  draw() {
    if (!this.points.length || !this.canvas.clientWidth) return;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.#chart(sized(this.canvas, width, height), width, height);
    this.legend.replaceChildren(...this.titles.map((title, index) => {
      const sign = make("canvas.pl-mask-sign", { "aria-hidden": "true" });
      stroke(sized(sign, ...SIGN), this.#style(index), 0, SIGN[1] / 2);
      return make("span", {}, sign, title);
    }));
    this.words.textContent = this.#sentences();
  }

  #style(index) {
    return index === this.networks.length ? NEAREST : LINES[index];
  }

  #chart(context, width, height) {
    const [wide, high] = [width - EDGE.left - EDGE.right, height - EDGE.top - EDGE.bottom];
    const most = Math.max(...this.points.flatMap(({ series }) => series.flat())) * 1.05;
    const x = (ratio) => EDGE.left + wide * ratio;
    const y = (error) => EDGE.top + high * (1 - error / most);
    this.#axes(context, x, y, most);
    this.titles.forEach((_, index) => this.#line(context, index, this.#style(index), x, y));
  }

  /** The chart with its legend and words, in the colours of the page. */
  async #save() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const sheet = document.createElement("canvas");
    const context = sized(sheet, width, height + LEGEND, FINE);
    context.fillStyle = themed("panel");
    context.fillRect(0, 0, width, height + LEGEND);
    context.font = FONT;
    let left = EDGE.left;
    this.titles.forEach((title, index) => {
      stroke(context, this.#style(index), left, LEGEND / 2);
      context.fillStyle = themed("text");
      context.fillText(title, left + SIGN[0] + 6, LEGEND / 2 + 4);
      left += SIGN[0] + context.measureText(title).width + 26;
    });
    context.translate(0, LEGEND);
    this.#chart(context, width, height);
    await save(await exportFigure(sheet, this.words.textContent, null, "patchlight-masks-curve.png", { width: 1600, smooth: true }));
  }

  #line(context, index, { colour, dash }, x, y) {
    const found = this.points.map(({ ratio, series }) => ({ at: x(ratio), values: series[index] }));
    context.beginPath();
    found.forEach(({ at, values }) => context.lineTo(at, y(Math.max(...values))));
    found.toReversed().forEach(({ at, values }) => context.lineTo(at, y(Math.min(...values))));
    [context.fillStyle, context.globalAlpha] = [themed(colour), 0.18];
    context.fill();
    context.globalAlpha = 1;
    context.beginPath();
    found.forEach(({ at, values }) => context.lineTo(at, y(values.reduce((sum, value) => sum + value, 0) / values.length)));
    [context.strokeStyle, context.lineWidth] = [themed(colour), 2];
    context.setLineDash(dash);
    context.stroke();
    context.setLineDash([]);
  }

  #axes(context, x, y, most) {
    context.font = FONT;
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [themed("muted"), themed("line"), 1];
    for (const ratio of [0, 0.25, 0.5, 0.75, 1]) {
      context.textAlign = "center";
      context.fillText(`${number(100 * ratio)} %`, x(ratio), y(0) + 18);
    }
    for (const error of ticks([0, most], 5)) {
      context.textAlign = "right";
      context.fillText(number(error, 3), x(0) - 8, y(error) + 4);
      context.strokeRect(x(0), y(error), x(1) - x(0), 0);
    }
    context.textAlign = "center";
    context.fillText(say("hidden share of squares"), x(0.5), y(0) + 38);
  }
}

/** A context that draws in the page's pixels, whatever those of the canvas are. */
function sized(canvas, width, height, density = window.devicePixelRatio || 1) {
  [canvas.width, canvas.height] = [width * density, height * density];
  const context = canvas.getContext("2d");
  context.scale(density, density);
  return context;
}

/** A short line as the chart draws it, for the legend. */
function stroke(context, { colour, dash }, left, top) {
  [context.strokeStyle, context.lineWidth] = [themed(colour), 2];
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(left + SIGN[0], top);
  context.stroke();
}
