// One row a label: cosine, logit, and the two read-outs side by side. The network's own is the bright one.

import { segmented } from "./controls.js";
import { fixed, make, number, perCent, say } from "./words.js";

const ROWS = 60; // rows that are drawn; more are counted beneath
const ORDERS = { score: "By score", given: "As given" };

export class Bars {
  /** select(label), order("score" | "given"). */
  constructor({ select, order }) {
    this.select = select;
    this.order = segmented("Order", ORDERS, order);
    this.heads = Object.fromEntries(["softmax", "sigmoid"].map((name) => [name, make("span.pl-zero-read", { hint: name === "softmax" ? "Shares 100 % among the labels" : "Judges each label alone" })]));
    this.head = make(".pl-zero-row.pl-zero-head", {}, make("span", { say: "Label" }), make("span", { say: "Cosine" }), make("span", { say: "Logit" }), this.heads.softmax, this.heads.sigmoid);
    this.rows = make(".pl-zero-rows", { role: "listbox", label: "Labels by score" });
    this.more = make("p.pl-note", { hidden: true });
    this.element = make("section.pl-zero-bars", { label: "Scores" }, this.head, this.rows, this.more);
  }

  clear(empty) {
    this.element.hidden = empty;
  }

  words() {
    this.shown = null;
  }

  /** labels, scores, logits, softmax, sigmoid: by label; order: indices; own: the network's read-out. */
  draw({ labels, scores, logits, softmax, sigmoid, order, own, selected, templates, by }) {
    const shown = order.slice(0, ROWS);
    const key = JSON.stringify([shown.map((at) => labels[at]), own, templates > 1]);
    if (this.shown !== key) this.#build(shown.map((at) => labels[at]), own, key);
    for (const [name, head] of Object.entries(this.heads)) {
      head.classList.toggle("pl-zero-own", own === name);
      write(head, titled(name, own));
    }
    this.own = own;
    const span = templates > 1 ? spanned(scores) : null;
    shown.forEach((at, place) => {
      const row = this.drawn[place];
      write(row.cosine, fixed(scores[at].cosine, 3));
      write(row.logit, fixed(logits[at], 2));
      bar(row.softmax, softmax[at]);
      bar(row.sigmoid, sigmoid[at]);
      row.element.setAttribute("aria-selected", labels[at] === selected);
      row.band.hidden = !span;
      if (span) banded(row.band, scores[at], span);
    });
    this.more.hidden = order.length <= ROWS;
    write(this.more, say("Rows: {shown} of {labels}; all are in the numbers.", { shown: number(ROWS), labels: number(order.length) }));
    this.order.set(by);
  }

  /** A picture with these bars at its right, for the export. */
  beside(picture) {
    const sheet = document.createElement("canvas");
    const size = Math.max(15, Math.round(picture.width / 32));
    [sheet.width, sheet.height] = [picture.width * 2, picture.height];
    const context = sheet.getContext("2d");
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.drawImage(picture, 0, 0);
    const shown = this.drawn.slice(0, Math.floor(picture.height / (size * 2.1)) - 1);
    const [left, step, wide] = [picture.width + size * 1.5, size * 2.1, picture.width - size * 2.5];
    context.font = `${size * 0.85}px system-ui, 'DejaVu Sans', sans-serif`;
    context.fillStyle = "#56616f";
    const heads = [[say("Cosine"), 0.46], [titled("softmax", this.own), 0.5], [titled("sigmoid", this.own), 0.77]];
    heads.forEach(([word, at], place) => drawWord(context, word, left + at * wide, step * 0.7, place ? "left" : "right", 0.26 * wide));
    shown.forEach((row, place) => drawRow(context, row, { left, top: (place + 1) * step, step, wide, size }));
    return sheet;
  }

  #build(labels, own, key) {
    this.shown = key;
    this.drawn = labels.map((label) => {
      const cells = { cosine: make("span.pl-zero-number"), logit: make("span.pl-zero-number"), softmax: read(own === "softmax"), sigmoid: read(own === "sigmoid"), band: make("i.pl-zero-band", { hidden: true }, make("b"), make("u")) };
      const name = make("span.pl-zero-name", { dir: "auto" }, make("bdi", {}, label), cells.band);
      const element = make("button.pl-zero-row", { type: "button", role: "option", title: label, onclick: () => this.select(label) }, name, cells.cosine, cells.logit, cells.softmax.element, cells.sigmoid.element);
      return { element, label, ...cells };
    });
    this.rows.replaceChildren(...this.drawn.map(({ element }) => element));
  }
}

/** What a read-out's column is called: one that the network was not trained with is marked where it stands. */
function titled(name, own) {
  const read_out = name === "softmax" ? say("Softmax") : say("Sigmoid");
  return own === name ? read_out : say("{read_out}, untrained", { read_out });
}

function drawWord(context, word, x, y, side, most = Infinity) {
  context.textAlign = side;
  context.fillText(word, x, y, most);
}

function drawRow(context, row, { left, top, step, wide, size }) {
  context.font = `${size}px system-ui, 'DejaVu Sans', sans-serif`;
  context.fillStyle = "#14181f";
  drawWord(context, row.label, left, top + step * 0.62, "left", 0.3 * wide);
  drawWord(context, row.cosine.textContent, left + 0.46 * wide, top + step * 0.62, "right");
  [row.softmax, row.sigmoid].forEach(({ share, figure, own }, place) => {
    const from = left + (0.5 + 0.27 * place) * wide;
    context.fillStyle = "#d9dee5";
    context.fillRect(from, top + step * 0.3, 0.13 * wide, step * 0.4);
    context.fillStyle = own ? "#9c5400" : "#56616f";
    context.fillRect(from, top + step * 0.3, 0.13 * wide * share, step * 0.4);
    context.fillStyle = "#14181f";
    drawWord(context, figure.textContent, from + 0.235 * wide, top + step * 0.62, "right");
  });
}

function read(own) {
  const [fill, figure] = [make("i"), make("span.pl-zero-number")];
  return { element: make(`span.pl-zero-read${own ? ".pl-zero-own" : ""}`, {}, make("span.pl-zero-track", {}, fill), figure), fill, figure, own, share: 0 };
}

function bar(read, share) {
  const { fill, figure } = read;
  read.share = share;
  fill.style.transform = `scaleX(${share.toFixed(4)})`;
  write(figure, `${perCent(share)} %`);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function spanned(scores) {
  const all = scores.flatMap(({ each }) => [Math.min(...each), Math.max(...each)]);
  return [Math.min(...all), Math.max(...all)];
}

/** The spread of a label's cosine over templates, on the scale of all labels; the mark is the mean's. */
function banded(band, { cosine, each }, [low, high]) {
  const place = (value) => `${(100 * (value - low)) / (high - low || 1)}%`;
  const [least, most] = [Math.min(...each), Math.max(...each)];
  Object.assign(band.children[0].style, { left: place(least), right: `calc(100% - ${place(most)})` });
  band.children[1].style.left = place(Math.min(high, Math.max(low, cosine)));
  band.title = say("Over templates: {low} to {high}", { low: fixed(least, 3), high: fixed(most, 3) });
}
