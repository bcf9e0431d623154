// The same logits read in two ways. Nothing here touches the page.

import { fixed } from "./words.js";

/** scores: [{cosine}]. {logits, softmax, sigmoid}, each (labels). */
export function readOuts(scores, scale, bias) {
  const logits = scores.map(({ cosine }) => scale * cosine + bias);
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return { logits, softmax: powers.map((power) => power / sum), sigmoid: logits.map((logit) => 1 / (1 + Math.exp(-logit))) };
}

/** Labels by cosine, the first of equals first; temperature and bias cannot change this order. */
export const ranked = (scores) => scores.map((_, at) => at).sort((a, b) => scores[b].cosine - scores[a].cosine || a - b);

/** Probability that no label fits, were the pairs independent: the product of 1 − sigmoid. */
export const none = (sigmoid) => sigmoid.reduce((product, share) => product * (1 - share), 1);

/** Where an axis of shares may end, so that small ones can be told apart: 1, 2 or 5 of a power of ten, at most 1. */
export const ceiling = (most) => ENDS.find((end) => end >= most) ?? 1;

/** Both ends of a scale, to three digits of the larger one. */
export function ends(low, high) {
  const digits = Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high)) || 1))));
  return [low, high].map((end) => (Math.abs(end) < 0.5 * 10 ** -digits ? "0" : fixed(end, digits)));
}

const ENDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
