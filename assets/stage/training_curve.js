// One figure of one or more runs as it grows: raw values faint, smoothed ones clear.

import { themed } from "./colours.js";
import { bounds, nearest, smoothed, ticks, whole } from "./training_scale.js";
import { Zoom } from "./training_zoom.js";
import { make, number, say } from "./words.js";

const EDGE = { left: 46, right: 12, top: 8, bottom: 20 };
const TICK = { wide: 58, high: 30 }; // pixels between two ticks, about
const COLOURS = ["accent", "pointer", "fault", "muted", "text", "accent"];
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 4], [1, 3]]; // colour is never the only carrier

export class Curve {
  /** name: English name of the figure. zoom([low, high] or null); go(x) when a place is clicked. */
  constructor(name, { zoom, go }) {
    Object.assign(this, { name, zoom, go, series: [], range: null, mark: null });
    this.canvas = make("canvas", { role: "img", tabindex: 0, hint: "Drag along it, or turn the wheel with Ctrl, to come closer; double-click for the whole run." });
    this.value = make("span.pl-train-now");
    this.element = make("figure.pl-train-curve", {}, make("figcaption", {}, make("span", { say: name }), this.value), this.canvas);
    this.pointer = new Zoom(this.canvas, this);
  }

  /** series: [{place, x, y}], values or null; place: of the run among all, which colours it. range: [low, high] of x or null. mark: x of what is shown, or null. recent: the figure's value where nothing is pointed at, or null for the newest. */
  draw(series, { range, smoothing, mark, recent = null }) {
    Object.assign(this, { range, mark, recent });
    this.series = series.map(({ place, x, y }) => ({ place, x, y, even: smoothed(y, smoothing) }));
    this.paint();
  }

  paint() {
    const { canvas, pointer } = this;
    if (!canvas.clientWidth) return;
    const context = this.#cleared();
    this.box = { left: EDGE.left, top: EDGE.top, width: canvas.clientWidth - EDGE.left - EDGE.right, height: canvas.clientHeight - EDGE.top - EDGE.bottom };
    this.span = this.range ?? this.whole();
    this.high = bounds(this.series, this.span);
    this.#axes(context);
    context.save();
    context.beginPath();
    context.rect(this.box.left, this.box.top - 2, this.box.width, this.box.height + 4);
    context.clip();
    for (const one of this.series) this.#line(context, one);
    if (this.mark !== null) this.#rule(context, this.mark, "accent", []);
    if (pointer.pointed !== null) this.#rule(context, pointer.pointed, "muted", [3, 3]);
    if (pointer.from !== null) this.#selection(context);
    context.restore();
    this.#tell();
  }

  whole() {
    return whole(this.series);
  }

  /** The x of a place of the screen. */
  at(clientX) {
    const place = (clientX - this.canvas.getBoundingClientRect().left - this.box.left) / this.box.width;
    return this.span[0] + Math.min(1, Math.max(0, place)) * (this.span[1] - this.span[0]);
  }

  #x(value) {
    return this.box.left + (this.box.width * (value - this.span[0])) / (this.span[1] - this.span[0]);
  }

  #y(value) {
    return this.box.top + this.box.height * (1 - (value - this.high[0]) / (this.high[1] - this.high[0]));
  }

  /** The canvas in the screen's pixels, empty. */
  #cleared() {
    const { canvas } = this;
    const density = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(canvas.clientWidth * density), Math.round(canvas.clientHeight * density)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    return context;
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  #axes(context) {
    context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [themed("muted"), themed("line"), 1];
    context.textAlign = "right";
    for (const value of ticks(this.high, Math.max(2, this.box.height / TICK.high))) {
      context.beginPath();
      context.moveTo(this.box.left, this.#y(value));
      context.lineTo(this.box.left + this.box.width, this.#y(value));
      context.stroke();
      context.fillText(number(value, 4), this.box.left - 6, this.#y(value) + 4);
    }
    context.textAlign = "center";
    for (const value of ticks(this.span, Math.max(2, this.box.width / TICK.wide))) {
      const label = number(value, 4);
      const last = this.canvas.clientWidth - context.measureText(label).width / 2;
      context.fillText(label, Math.min(this.#x(value), last), this.box.top + this.box.height + 15);
    }
  }

  #line(context, { place, x, y, even }) {
    context.strokeStyle = themed(COLOURS[place % COLOURS.length]);
    context.lineJoin = "round";
    for (const [values, opacity, width] of [[y, even === y ? 0 : 0.28, 1], [even, 1, 1.9]]) {
      if (!opacity) continue;
      [context.globalAlpha, context.lineWidth] = [opacity, width];
      context.setLineDash(DASHES[place % DASHES.length]);
      context.beginPath();
      let open = false;
      for (let point = 0; point < x.length; point++) {
        if (values[point] === null) continue;
        if (open) context.lineTo(this.#x(x[point]), this.#y(values[point]));
        else context.moveTo(this.#x(x[point]), this.#y(values[point]));
        open = true;
      }
      context.stroke();
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  #rule(context, value, colour, dash) {
    [context.strokeStyle, context.lineWidth] = [themed(colour), 1.2];
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(this.#x(value), this.box.top);
    context.lineTo(this.#x(value), this.box.top + this.box.height);
    context.stroke();
    context.setLineDash([]);
  }

  #selection(context) {
    context.fillStyle = themed("pointer");
    context.globalAlpha = 0.16;
    const [from, to] = [this.#x(this.pointer.from), this.#x(this.pointer.pointed)];
    context.fillRect(Math.min(from, to), this.box.top, Math.abs(to - from), this.box.height);
    context.globalAlpha = 1;
  }

  /** The figure's value as it is judged, the newest of each of several runs, or those under the pointer. */
  #tell() {
    const { pointed } = this.pointer;
    const told = this.series.map(({ x, even }) => {
      if (pointed === null && this.recent !== null) return number(this.recent, 3);
      const at = pointed === null ? even.length - 1 : nearest(x, pointed);
      const value = even.findLast((value, place) => place <= at && value !== null) ?? null;
      return value === null ? "–" : number(value, 3);
    });
    const where = pointed === null ? "" : `${number(Math.round(pointed))}: `;
    this.value.textContent = where + told.join(" · ");
    this.canvas.setAttribute("aria-label", say("{figure}: {value}", { figure: say(this.name), value: told.join(" · ") }));
  }
}
