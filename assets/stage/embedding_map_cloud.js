// Points on a canvas: pictures as thumbnails, texts as diamonds; the wheel zooms, dragging moves.

import { themed } from "./colours.js";
import { pictures } from "./galleries.js";
import { fixed, make, say } from "./words.js";

const FURTHEST = 60; // times the size at which everything is seen
const MARGIN = 0.06;
const NEAR = 14; // pixels within which the pointer is at a text
const LABELS = 40; // texts that are written out when so few are in sight
const STEPS = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 };
const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Cloud {
  /** point(at) when the pointer comes to a point, by its place among all, or null. */
  constructor({ point }) {
    this.point = point;
    this.addresses = [];
    this.images = [];
    this.paired = false;
    this.pointed = null;
    this.canvas = make("canvas.pl-map-canvas", { tabindex: 0, role: "img", label: "Pictures and texts as points of one plane" });
    const zoom = (words, hint, act) => make("button.pl-button", { type: "button", label: hint, hint, onclick: act }, words);
    this.buttons = make(".pl-map-buttons", {}, zoom("+", "Zoom in", () => this.#zoom(1.6)), zoom("−", "Zoom out", () => this.#zoom(1 / 1.6)), make("button.pl-button", { type: "button", say: "Whole", onclick: () => this.whole() }));
    this.legend = make(".pl-map-legend", {}, make("span.pl-map-of-pictures", { say: "Pictures" }), make("span.pl-map-of-texts", { say: "Texts" }));
    this.element = make(".pl-map-room", {}, this.canvas, this.buttons, this.legend);
    this.#listen();
    new ResizeObserver(() => this.fit()).observe(this.element);
  }

  /** facts: {shown, texts, gap}. arrays: {places, own, centres, thumbnails, starts}. Every thumbnail is drawn once `loaded` resolves. */
  show(facts, arrays) {
    this.addresses.forEach((address) => URL.revokeObjectURL(address));
    this.images.forEach((image) => image?.close?.());
    Object.assign(this, { facts, places: arrays.places, own: arrays.own, centres: arrays.centres, addresses: pictures(arrays), images: [], pointed: null });
    this.legend.lastChild.hidden = !facts.texts.length;
    this.loaded = this.#load(arrays, this.addresses);
    this.whole();
  }

  lines(on) {
    this.paired = on;
    this.draw();
  }

  fit() {
    const { clientWidth: wide, clientHeight: high } = this.element;
    if (!wide || !high) return;
    this.density = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: wide * this.density, height: high * this.density });
    if (this.places) this.whole();
  }

  /** Everything in sight. */
  whole() {
    if (!this.places || !this.canvas.width) return;
    const [across, up] = [0, 1].map((axis) => this.places.filter((_, at) => at % 2 === axis));
    const span = (values) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    const [[left, right], [low, high]] = [span(across), span(up)];
    const { width, height } = this.canvas;
    this.unit = Math.min((width * (1 - 2 * MARGIN)) / (right - left || 1), (height * (1 - 2 * MARGIN)) / (high - low || 1));
    Object.assign(this, { zoom: 1, middle: [(left + right) / 2, (low + high) / 2] });
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.places) return;
    if (STEPS[event.key]) this.#zoom(STEPS[event.key]);
    else if (event.key === "0") this.whole();
    else if (MOVES[event.key]) this.#move(...MOVES[event.key].map((part) => part * 0.12 * this.canvas.height));
    else return;
    event.preventDefault();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.places) this.#draw();
    });
  }

  // -- one frame -------------------------------------------------------------------------------------------------------

  #draw() {
    const { canvas, facts } = this;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.size = this.#size();
    if (this.paired) this.own.forEach((text, at) => text >= 0 && this.#line(context, at, facts.shown + text, "muted", 0.35));
    for (let at = 0; at < facts.shown; at++) this.#thumbnail(context, at);
    const seen = [];
    for (let at = facts.shown; at < facts.shown + facts.texts.length; at++) if (this.#inSight(at)) seen.push(at);
    seen.forEach((at) => this.#diamond(context, this.#at(at), 4.5, themed("pointer")));
    if (seen.length <= LABELS) seen.forEach((at) => this.#label(context, at));
    if (this.centres) this.#centroids(context);
    if (this.pointed !== null) this.#pointed(context);
  }

  /** Side of a thumbnail: as large as leaves most of them apart, larger as one zooms in. */
  #size() {
    const { width, height } = this.canvas;
    const even = 0.7 * Math.sqrt((width * height) / this.facts.shown);
    return Math.min(120 * this.density, Math.max(12 * this.density, even) * Math.sqrt(this.zoom));
  }

  #thumbnail(context, at) {
    const image = this.images[at];
    if (!image || !this.#inSight(at)) return;
    const [x, y] = this.#at(at);
    const factor = this.size / Math.max(image.width, image.height);
    context.drawImage(image, x - (image.width * factor) / 2, y - (image.height * factor) / 2, image.width * factor, image.height * factor);
  }

  #diamond(context, [x, y], radius, colour) {
    const reach = radius * this.density;
    context.beginPath();
    for (const [dx, dy] of [[0, -1], [1, 0], [0, 1], [-1, 0]]) context.lineTo(x + dx * reach, y + dy * reach);
    context.closePath();
    context.fillStyle = colour;
    context.fill();
    [context.strokeStyle, context.lineWidth] = [themed("ground"), this.density];
    context.stroke();
  }

  #label(context, at) {
    const [x, y] = this.#at(at);
    this.#write(context, this.facts.texts[at - this.facts.shown], x + 8 * this.density, y + 4 * this.density, themed("text"));
  }

  #write(context, words, x, y, colour, size = 12) {
    context.font = `${size * this.density}px system-ui, 'DejaVu Sans', sans-serif`;
    [context.lineWidth, context.strokeStyle, context.lineJoin] = [4 * this.density, themed("ground"), "round"];
    context.strokeText(words, x, y);
    context.fillStyle = colour;
    context.fillText(words, x, y);
  }

  /** Both centroids and the part of the gap that lies in this plane. */
  #centroids(context) {
    const [a, b] = [0, 1].map((which) => this.#on(this.centres[2 * which], this.centres[2 * which + 1]));
    for (const [style, wide] of [[themed("ground"), 7], [themed("accent"), 3]]) {
      [context.strokeStyle, context.lineWidth] = [style, wide * this.density];
      context.beginPath();
      context.moveTo(...a);
      context.lineTo(...b);
      context.stroke();
    }
    const side = 7 * this.density;
    context.fillStyle = themed("accent");
    context.fillRect(a[0] - side, a[1] - side, 2 * side, 2 * side);
    [context.strokeStyle, context.lineWidth] = [themed("ground"), 2 * this.density];
    context.strokeRect(a[0] - side, a[1] - side, 2 * side, 2 * side);
    this.#diamond(context, b, 10, themed("pointer"));
    const words = this.facts.centre === "apart" ? say("gap taken out") : say("modality gap {length}", { length: fixed(this.facts.gap.length, 3) });
    this.#write(context, words, (a[0] + b[0]) / 2 + 12 * this.density, (a[1] + b[1]) / 2 - 10 * this.density, themed("text"), 14);
  }

  #pointed(context) {
    const { shown } = this.facts;
    const text = this.pointed >= shown;
    const partners = text ? [...this.own.keys()].filter((at) => this.own[at] === this.pointed - shown) : this.own[this.pointed] >= 0 ? [shown + this.own[this.pointed]] : [];
    partners.forEach((at) => this.#line(context, this.pointed, at, "pointer", 1));
    if (text) return this.#label(context, this.pointed);
    partners.forEach((at) => this.#label(context, at));
    this.#thumbnail(context, this.pointed);
    const [x, y] = this.#at(this.pointed);
    [context.strokeStyle, context.lineWidth] = [themed("pointer"), 2.5 * this.density];
    context.strokeRect(x - this.size / 2 - 1, y - this.size / 2 - 1, this.size + 2, this.size + 2);
  }

  #line(context, from, to, colour, opacity) {
    context.globalAlpha = opacity;
    [context.strokeStyle, context.lineWidth] = [themed(colour), this.density];
    context.beginPath();
    context.moveTo(...this.#at(from));
    context.lineTo(...this.#at(to));
    context.stroke();
    context.globalAlpha = 1;
  }

  // -- places ----------------------------------------------------------------------------------------------------------

  #on(across, up) {
    const { width, height } = this.canvas;
    const unit = this.unit * this.zoom;
    return [width / 2 + (across - this.middle[0]) * unit, height / 2 - (up - this.middle[1]) * unit];
  }

  #at(point) {
    return this.#on(this.places[2 * point], this.places[2 * point + 1]);
  }

  #inSight(point) {
    const [x, y] = this.#at(point);
    return x > -this.size && y > -this.size && x < this.canvas.width + this.size && y < this.canvas.height + this.size;
  }

  /** Larger or smaller around a place of the canvas, which stays where it is. */
  #zoom(factor, [x, y] = [this.canvas.width / 2, this.canvas.height / 2]) {
    if (!this.places) return;
    const zoom = Math.min(FURTHEST, Math.max(0.5, this.zoom * factor));
    const { width, height } = this.canvas;
    const held = (1 / this.zoom - 1 / zoom) / this.unit;
    this.middle = [this.middle[0] + (x - width / 2) * held, this.middle[1] - (y - height / 2) * held];
    this.zoom = zoom;
    this.draw();
  }

  #move(across, down) {
    const unit = this.unit * this.zoom;
    this.middle = [this.middle[0] - across / unit, this.middle[1] + down / unit];
    this.draw();
  }

  #nearest(x, y) {
    let [best, least] = [null, Infinity];
    const reach = Math.max(this.size / 2, NEAR * this.density);
    for (let at = 0; at < this.places.length / 2; at++) {
      const [left, top] = this.#at(at);
      const far = Math.hypot(left - x, top - y);
      if (far < least && far <= (at < this.facts.shown ? reach : NEAR * this.density)) [best, least] = [at, far];
    }
    return best;
  }

  #listen() {
    const place = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * this.density, (event.clientY - box.top) * this.density];
    };
    this.canvas.addEventListener("wheel", (event) => (event.preventDefault(), this.#zoom(Math.exp(-event.deltaY / 400), place(event))), { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => (this.canvas.setPointerCapture(event.pointerId), (this.held = place(event))));
    this.canvas.addEventListener("pointerup", () => (this.held = null));
    this.canvas.addEventListener("dblclick", () => this.whole());
    this.canvas.addEventListener("pointerleave", () => this.#hover(null));
    this.canvas.addEventListener("pointermove", (event) => {
      if (!this.places) return;
      const [x, y] = place(event);
      if (!this.held) return this.#hover(this.#nearest(x, y));
      this.#move(x - this.held[0], y - this.held[1]);
      this.held = [x, y];
    });
  }

  #hover(at) {
    if (at === this.pointed || !this.places) return;
    this.pointed = at;
    this.point(at);
    this.draw();
  }

  async #load({ thumbnails, starts }, mine) {
    for (let at = 0; at < starts.length - 1; at++) {
      const blob = new Blob([thumbnails.subarray(starts[at], starts[at + 1])], { type: "image/jpeg" });
      const image = await createImageBitmap(blob);
      if (mine !== this.addresses) return image.close();
      this.images[at] = image;
      if (at % 40 === 0) this.draw();
    }
    this.draw();
  }
}
