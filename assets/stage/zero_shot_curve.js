// Sigmoid of one pair over the cosine, with every label on it: what temperature and bias do, and what "20 %" is worth.

import { themed } from "./colours.js";
import { font, Sheet } from "./zero_shot_sheet.js";
import { ceiling, none } from "./zero_shot_read_outs.js";
import { fixed, make, number, say } from "./words.js";

const DOTS = 200; // labels that are drawn
const EDGE = { left: 48, right: 12, top: 8, bottom: 30 };

export class Curve {
  constructor() {
    this.sheet = new Sheet(".pl-zero-sheet", "Sigmoid over the cosine, with every label on it", (...paper) => this.#paint(...paper));
    this.note = make("p.pl-note");
    this.element = make("figure.pl-zero-curve", {}, make("figcaption", { say: "Sigmoid of one pair over its cosine" }), this.sheet.element, this.note);
  }

  /** labels, scores, scale, bias, sigmoid, order, selected; own: the network's read-out. */
  draw(shown) {
    this.shown = shown;
    this.element.hidden = false;
    this.sheet.show();
    this.#explain();
  }

  #paint(context, width, height) {
    const { scores, scale, bias, selected, labels } = this.shown;
    const cosines = scores.map(({ cosine }) => cosine);
    const [low, high] = [Math.min(-0.05, ...cosines), Math.max(0.05, ...cosines)];
    const room = Math.max(0.05, (high - low) * 0.12);
    const [first, last] = [Math.max(-1, low - room), Math.min(1, high + room)];
    const share = (cosine) => 1 / (1 + Math.exp(-(scale * cosine + bias)));
    const top = ceiling(share(last));
    const x = (cosine) => EDGE.left + ((cosine - first) / (last - first)) * (width - EDGE.left - EDGE.right);
    const y = (share) => EDGE.top + (1 - share / top) * (height - EDGE.top - EDGE.bottom);
    this.#axes(context, { width, height, first, last, top, x, y });
    context.beginPath();
    for (let step = 0; step <= 160; step++) {
      const cosine = first + ((last - first) * step) / 160;
      context.lineTo(x(cosine), y(share(cosine)));
    }
    [context.strokeStyle, context.lineWidth] = [themed("muted"), 1.6];
    context.stroke();
    const dot = (cosine, size) => {
      context.moveTo(x(cosine) + size, y(share(cosine)));
      context.arc(x(cosine), y(share(cosine)), size, 0, 2 * Math.PI);
    };
    [context.fillStyle, context.globalAlpha] = [themed("pointer"), 0.75];
    context.beginPath();
    cosines.slice(0, DOTS).forEach((cosine) => dot(cosine, 3.4));
    context.fill();
    [context.fillStyle, context.globalAlpha] = [themed("accent"), 1];
    context.beginPath();
    dot(cosines[Math.max(0, labels.indexOf(selected))], 5.5);
    context.fill();
  }

  #axes(context, { width, height, first, last, top, x, y }) {
    [context.font, context.fillStyle, context.strokeStyle, context.lineWidth] = [font(11), themed("muted"), themed("line"), 1];
    context.textAlign = "right";
    for (const share of [0, top / 2, top]) {
      stroke(context, EDGE.left, y(share), width - EDGE.right, y(share));
      context.fillText(`${number(100 * share, 3)} %`, EDGE.left - 6, y(share) + 4);
    }
    context.textAlign = "left";
    if (top < 1) context.fillText(say("the axis ends at {share} %", { share: number(100 * top, 3) }), EDGE.left + 6, y(top) + 15);
    context.textAlign = "center";
    const step = [0.02, 0.05, 0.1, 0.2, 0.5].find((size) => (last - first) / size <= 6) ?? 1;
    for (let at = Math.ceil(first / step); at * step <= last; at++) {
      stroke(context, x(at * step), y(0), x(at * step), y(0) + 4);
      context.fillText(fixed(at ? at * step : 0, step < 0.1 ? 2 : 1), x(at * step), y(0) + 16);
    }
    if (first < 0 && last > 0) {
      context.setLineDash([3, 4]);
      stroke(context, x(0), y(0), x(0), y(1));
      context.setLineDash([]);
    }
    context.textAlign = "right";
    context.fillText(say("cosine"), width - EDGE.right, height - 2);
  }

  #explain() {
    const { labels, sigmoid, bias, order, selected, own } = this.shown;
    if (own !== "sigmoid" && !bias) return this.#say(say("This network was trained with softmax and has no bias: its sigmoid was never an answer."));
    const at = Math.max(0, labels.indexOf(selected));
    const plain = 1 / (1 + Math.exp(-bias));
    const words = order.length ? say("At a cosine of 0 the bias alone says {plain} %. “{label}” has {share} %: {times} times as much.", {
      plain: number(100 * plain, 2), label: labels[at], share: number(100 * sigmoid[at], 3), times: number(sigmoid[at] / plain, 2),
    }) : "";
    const nothing = say("None of these: {share} %, the product of 1 − sigmoid over all labels, as if pairs were independent.", { share: fixed(100 * none(sigmoid), 1) });
    this.#say(bias ? `${words} ${nothing}` : nothing);
  }

  #say(said) {
    if (this.note.textContent !== said) this.note.textContent = said;
  }
}

function stroke(context, left, top, right, bottom) {
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(right, bottom);
  context.stroke();
}
