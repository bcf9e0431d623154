// The caption of a surgery, by the facts and the sentences that explorers/surgery_words.py sends.

import { fed } from "./caption.js";
import { fixed, noted, number, say } from "./words.js";

const times = (shape) => shape.join(" × ");

/** tab: the surgery tab, with `facts` of the picture, `done` of the change, and the chosen `block` and `head`. */
export function sentences({ facts: picture, done: { facts }, block, head, peak }) {
  const words = picture.sentences;
  const [height, width] = facts.shapes[1];
  return [
    say(words[facts.change], change(facts)),
    looks(words, facts, block),
    heads(words, head, facts.heads[block]),
    say(words.moved, { moved: number(100 * facts.moved[block], 3) }),
    ...sizes(words, facts, block),
    say(words.features, { patches: fixed(facts.patches, 3) }),
    ...(facts.cls === null ? [] : [say(words.cls, { cls: fixed(facts.cls, 3) })]),
    say(words.scale, { peak: number(peak, 2) }),
    ...resized(words, facts),
    say(words.network, { title: facts.title, revision: facts.revision, width: String(width), height: String(height) }),
    fed(facts),
    ...noted(facts),
    ...(facts.random ? [say(words.random)] : []),
  ];
}

function heads(words, head, count) {
  if (count === 1) return say(words["only head"]);
  return head === null || head >= count ? say(words["mean of heads"], { heads: count }) : say(words["one head"], { head: head + 1, heads: count });
}

function change(facts) {
  const patch = (text) => text.split(",").map((at) => Number(at) + 1).join(", ");
  const [before, after] = facts.shapes.map(([height, width]) => times([width, height]));
  return { seed: String(facts.seed), strength: facts.strength, first: patch(facts.first), second: patch(facts.second), before, after };
}

function looks(words, facts, block) {
  const where = { block: block + 1, blocks: facts.blocks };
  const [kind, place] = facts.query.split(" ");
  if (kind === "mean") return say(words["looks mean"], where);
  if (kind === "prefix") return say(words.looks, { ...where, query: say(facts.names[Number(place)]) });
  const [row, column] = place.split(",").map((at) => Number(at) + 1);
  return say(words["looks patch"], { ...where, row, column });
}

function sizes(words, facts, block) {
  if (facts.change !== "resize") return [];
  const grid = facts.grids[0].map((side, axis) => Math.min(side, facts.grids[1][axis]));
  const [before, after] = facts.distances.map((blocks) => number(blocks[block], 3));
  return [say(words.common, { grid: times(grid) }), say(words.far, { before, after })];
}

function resized(words, { resized: found, change: kind, kinds }) {
  if (!found) return kind === "resize" ? [say(words[kinds.includes("rotary") ? "anew" : "within"])] : [];
  const grids = { from: times(found.from), to: times(found.to) };
  if (grids.from === grids.to) return [say(words["as trained"], grids)];
  return [say(words.resized, { ...grids, before: fixed(found["offset before"], 3), after: fixed(found["offset after"], 3) })];
}
