// The same logits read in two ways. Nothing here touches the page.

import { language } from "./words.js";

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

/** A number with so many decimals, in the reader's way. */
export function fixed(value, digits) {
  const key = `${language} ${digits}`;
  formats[key] ??= new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return formats[key].format(value);
}

/** Facts whose numbers the server has written down, "+0.402" and "25.9", in the reader's way. */
export const localised = (facts) => Object.fromEntries(Object.entries(facts).map(([name, fact]) => [name, DECIMAL.test(fact) ? `${fact[0] === "+" ? "+" : ""}${fixed(Number(fact), fact.split(".")[1].length)}` : fact]));

const DECIMAL = /^[+-]?\d+\.\d+$/;
const formats = {};
