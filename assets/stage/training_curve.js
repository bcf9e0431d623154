// One figure of one or more runs as it grows: raw values faint, smoothed ones clear. Wheel or drag to zoom, click to go there.

import { themed } from "./colours.js";
import { make, number, say } from "./words.js";

const EDGE = { left: 46, right: 12, top: 8, bottom: 20 };
const COLOURS = ["accent", "pointer", "fault", "muted", "text", "accent"];
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 4], [1, 3]]; // colour is never the only carrier
const CUT = [0.005, 0.04]; // of the values, lowest and highest, may leave the chart: a first plunge does not flatten the rest
const DRAG = 5; // pixels that make a press a drag

/** Debiased exponential mean; gaps stay gaps. */
export function smoothed(values, share) {
  if (!share) return values;
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    [sum, weight] = [share * sum + (1 - share) * value, share * weight + (1 - share)];
    return sum / weight;
  });
}

export class Curve {
  /** name: English name of the figure. zoom([low, high] or null); go(x) when a place is clicked. */
  constructor(name, { zoom, go }) {
    Object.assign(this, { name, zoom, go, series: [], range: null, mark: null });
    this.canvas = make("canvas", { role: "img", tabindex: 0 });
    this.value = make("span.pl-train-now");
    this.element = make("figure.pl-train-curve", {}, make("figcaption", {}, make("span", { say: name }), this.value), this.canvas);
    this.canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => this.#press(event));
    this.canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.canvas.addEventListener("pointerup", (event) => this.#release(event));
    this.canvas.addEventListener("pointerleave", () => this.#leave());
    this.canvas.addEventListener("dblclick", () => this.zoom(null));
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** series: [{title, x, y}], values or null. range: [low, high] of x or null. mark: x of what is shown, or null. */
  draw(series, { range, smoothing, mark }) {
    Object.assign(this, { range, mark });
    this.series = series.map(({ title, x, y }) => ({ title, x, y, even: smoothed(y, smoothing) }));
    this.paint();
  }

  paint() {
    const { canvas } = this;
    if (!canvas.clientWidth) return;
    const density = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(canvas.clientWidth * density), Math.round(canvas.clientHeight * density)];
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    this.box = { left: EDGE.left, top: EDGE.top, width: canvas.clientWidth - EDGE.left - EDGE.right, height: canvas.clientHeight - EDGE.top - EDGE.bottom };
    this.span = this.range ?? this.#whole();
    this.high = this.#bounds();
    this.#axes(context);
    context.save();
    context.beginPath();
    context.rect(this.box.left, this.box.top - 2, this.box.width, this.box.height + 4);
    context.clip();
    this.series.forEach((one, index) => this.#line(context, one, index));
    if (this.mark !== null) this.#rule(context, this.mark, "accent", []);
    if (this.pointed !== undefined && this.pointed !== null) this.#rule(context, this.pointed, "muted", [3, 3]);
    if (this.drag) this.#selection(context);
    context.restore();
    this.#tell();
  }

  // -- scales ----------------------------------------------------------------------------------------------------------

  #whole() {
    const ends = this.series.filter(({ x }) => x.length).map(({ x }) => [x[0], x.at(-1)]);
    const [low, high] = [Math.min(...ends.map(([first]) => first)), Math.max(...ends.map(([, last]) => last))];
    return ends.length && high > low ? [Math.min(low, 0), high] : [0, ends.length ? Math.max(1, high) : 1];
  }

  /** Of the smoothed lines within the span, and of most of the raw ones: a single spike does not flatten the rest. */
  #bounds() {
    const seen = [];
    for (const { x, y, even } of this.series)
      for (let point = 0; point < x.length; point++)
        if (x[point] >= this.span[0] && x[point] <= this.span[1] && y[point] !== null) seen.push(even[point], y[point]);
    if (!seen.length) return [0, 1];
    seen.sort((a, b) => a - b);
    const [low, high] = [seen[Math.floor(seen.length * CUT[0])], seen[Math.ceil(seen.length * (1 - CUT[1])) - 1]];
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return [low - room, high + room];
  }

  #x(value) {
    return this.box.left + (this.box.width * (value - this.span[0])) / (this.span[1] - this.span[0]);
  }

  #y(value) {
    return this.box.top + this.box.height * (1 - (value - this.high[0]) / (this.high[1] - this.high[0]));
  }

  #at(event) {
    const place = (event.clientX - this.canvas.getBoundingClientRect().left - this.box.left) / this.box.width;
    return this.span[0] + Math.min(1, Math.max(0, place)) * (this.span[1] - this.span[0]);
  }

  // -- drawing ---------------------------------------------------------------------------------------------------------

  #axes(context) {
    context.font = "11px system-ui, 'DejaVu Sans', sans-serif";
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [themed("muted"), themed("line"), 1];
    context.textAlign = "right";
    for (const value of ticks(...this.high, Math.max(2, Math.floor(this.box.height / 36)))) {
      context.beginPath();
      context.moveTo(this.box.left, this.#y(value));
      context.lineTo(this.box.left + this.box.width, this.#y(value));
      context.stroke();
      context.fillText(number(value, 4), this.box.left - 6, this.#y(value) + 4);
    }
    context.textAlign = "center";
    for (const value of ticks(...this.span, Math.max(2, Math.floor(this.box.width / 70)))) context.fillText(number(value, 4), this.#x(value), this.box.top + this.box.height + 15);
  }

  #line(context, { x, y, even }, index) {
    context.strokeStyle = themed(COLOURS[index % COLOURS.length]);
    context.lineJoin = "round";
    for (const [values, opacity, width] of [[y, even === y ? 0 : 0.28, 1], [even, 1, 1.9]]) {
      if (!opacity) continue;
      [context.globalAlpha, context.lineWidth] = [opacity, width];
      context.setLineDash(DASHES[index % DASHES.length]);
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
    const [from, to] = [this.#x(this.drag.from), this.#x(this.pointed)];
    context.fillRect(Math.min(from, to), this.box.top, Math.abs(to - from), this.box.height);
    context.globalAlpha = 1;
  }

  /** The newest value of each run, or those under the pointer. */
  #tell() {
    const told = this.series.map(({ x, even }) => {
      const point = this.pointed === undefined || this.pointed === null ? even.length - 1 : nearest(x, this.pointed);
      return even[point] === null || even[point] === undefined ? "–" : number(even[point], 3);
    });
    const where = this.pointed === undefined || this.pointed === null ? "" : `${number(Math.round(this.pointed))}: `;
    this.value.textContent = where + told.join(" · ");
    this.canvas.setAttribute("aria-label", say("{figure}: {value}", { figure: say(this.name), value: told.join(" · ") }));
  }

  // -- zoom ------------------------------------------------------------------------------------------------------------

  #wheel(event) {
    event.preventDefault();
    this.#scale(Math.exp(Math.sign(event.deltaY) * 0.25), this.#at(event));
  }

  #scale(factor, middle) {
    const whole = this.#whole();
    const [low, high] = this.span.map((end) => middle + (end - middle) * factor);
    const wide = high - low >= whole[1] - whole[0];
    if (high - low > (whole[1] - whole[0]) / 500 || wide) this.zoom(wide ? null : [Math.max(whole[0], low), Math.min(whole[1], high)]);
  }

  #key(event) {
    const middle = this.mark ?? (this.span[0] + this.span[1]) / 2;
    const act = { "+": () => this.#scale(0.7, middle), "=": () => this.#scale(0.7, middle), "-": () => this.#scale(1.4, middle), 0: () => this.zoom(null) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pressed = { from: this.#at(event), left: event.clientX };
  }

  #move(event) {
    this.pointed = this.#at(event);
    if (this.pressed && Math.abs(event.clientX - this.pressed.left) > DRAG) this.drag = this.pressed;
    this.paint();
  }

  #release(event) {
    const to = this.#at(event);
    if (this.drag) this.zoom([Math.min(this.drag.from, to), Math.max(this.drag.from, to)]);
    else if (this.pressed) this.go(to);
    this.drag = this.pressed = null;
    this.paint();
  }

  #leave() {
    this.pointed = null;
    this.paint();
  }
}

/** Index of the value of a rising list that is nearest. */
export function nearest(values, wanted) {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (Math.abs(values[index] - wanted) <= Math.abs(values[best] - wanted)) best = index;
  return best;
}

/** Round values within the span, at most so many. */
function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}
