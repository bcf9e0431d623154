// Error against ratio: a line for the mean over seeds, a band from the least to the greatest, for each network.

import { themed } from "./colours.js";
import { make, number, say } from "./words.js";

const EDGE = { left: 62, right: 30, top: 14, bottom: 44 };
const KINDS = { random: "Random", block: "Block", grid: "Grid", painted: "Painted" };
const LINES = [
  { colour: "accent", dash: [], sign: "━━" },
  { colour: "pointer", dash: [8, 4], sign: "╍╍" },
  { colour: "text", dash: [10, 3, 2, 3], sign: "━·━" },
  { colour: "fault", dash: [4, 4], sign: "╌╌" },
];
const NEAREST = { colour: "muted", dash: [2, 3], sign: "┅┅" };

export class Curve {
  constructor() {
    this.canvas = make("canvas", { role: "img", label: "Error against hidden share" });
    this.legend = make(".pl-mask-legend");
    this.words = make("p.pl-note");
    this.element = make("section.pl-mask-curve", { hidden: true }, make("h2", { say: "Error against hidden share" }), this.legend, this.canvas, this.words);
    this.points = [];
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  clear(seeds, kind) {
    this.points = [];
    this.element.hidden = false;
    const facts = { seeds, kind: say(KINDS[kind]) };
    const grown = kind === "painted" ? say("The painted shape is shrunk towards its core and grown around its edge; a seed decides between equally near squares.") : "";
    this.words.textContent = `${say("Mean squared error over hidden squares, colours in 0 to 1; line: mean over {seeds} masks, band: least to greatest. Kind of mask: {kind}.", facts)} ${grown}`;
  }

  /** titles: of networks. errors: [network][seed]. nearest: [seed]. */
  add(ratio, { titles, errors, nearest }) {
    this.titles = [...titles, say("nearest visible patch")];
    this.points.push({ ratio, series: [...errors, nearest] });
    this.draw();
  }

  draw() {
    if (!this.points.length || !this.canvas.clientWidth) return;
    const density = window.devicePixelRatio || 1;
    [this.canvas.width, this.canvas.height] = [this.canvas.clientWidth * density, this.canvas.clientHeight * density];
    const context = this.canvas.getContext("2d");
    context.scale(density, density);
    const [width, height] = [this.canvas.clientWidth - EDGE.left - EDGE.right, this.canvas.clientHeight - EDGE.top - EDGE.bottom];
    const most = Math.max(...this.points.flatMap(({ series }) => series.flat())) * 1.05;
    const x = (ratio) => EDGE.left + width * ratio;
    const y = (error) => EDGE.top + height * (1 - error / most);
    this.#axes(context, x, y, most);
    const styles = this.titles.map((_, index) => (index === this.titles.length - 1 ? NEAREST : LINES[index]));
    styles.forEach((style, index) => this.#line(context, index, style, x, y));
    this.legend.replaceChildren(...this.titles.map((title, index) => {
      const sign = make("span", {}, styles[index].sign);
      sign.style.color = themed(styles[index].colour);
      return make("span", {}, sign, " ", title);
    }));
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
    context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [themed("muted"), themed("line"), 1];
    for (const ratio of [0, 0.25, 0.5, 0.75, 1]) {
      context.textAlign = "center";
      context.fillText(`${number(100 * ratio)} %`, x(ratio), y(0) + 18);
    }
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      context.textAlign = "right";
      context.fillText(number(most * share, 2), x(0) - 8, y(most * share) + 4);
      context.strokeRect(x(0), y(most * share), x(1) - x(0), 0);
    }
    context.textAlign = "center";
    context.fillText(say("hidden share of squares"), x(0.5), y(0) + 38);
  }
}
