// Sentences under a zero-shot answer, filled as explorers/zero_shot_words.py fills them.

import { ends } from "./zero_shot_read_outs.js";
import { fixed, noted, number, perCent, say } from "./words.js";

/** {facts, answer, order, outs, scale, bias, view, templates, map}: what is shown. The first sentence leads. */
export function scoreSentences({ facts, answer, order, outs, scale, bias, view, templates, map }) {
  const { sentences: words, read_out: own } = facts;
  const [first, second] = order;
  const values = { label: answer.labels[first], labels: number(order.length), share: perCent(outs[own][first]), cosine: fixed(answer.scores[first].cosine, 3), second: answer.labels[second], other: second === undefined ? "" : perCent(outs[own][second]) };
  const said = [say(words[order.length > 1 ? own : `${own} alone`], values)];
  if (bound(answer.labels[first], answer.labels)) said.push(say(words.bound, { label: answer.labels[first] }));
  said.push(templates > 1 ? say(words.ensemble, { templates: number(templates) }) : say(words.template, { template: view.templates[0] }));
  said.push(...readOutSentences({ facts, scale, bias }));
  if (map) {
    const [low, high] = ends(map.low, map.high);
    said.push(say(words[map.patches], { label: map.label, low, high }));
  }
  return said;
}

/** Whether only how its words belong together tells the label from the others. */
function bound(label, labels) {
  const words = (text) => text.split(/\s+/).filter(Boolean);
  const others = new Set(labels.filter((other) => other !== label).flatMap(words));
  return words(label).length > 1 && words(label).every((word) => others.has(word));
}

/** How logits are made, as learned and as moved. */
export function readOutSentences({ facts, scale, bias }) {
  const { sentences: words, read_out: own } = facts;
  const said = [say(words[`${own} trained`], { scale: number(facts.scale, 4), bias: number(facts.bias, 4) })];
  if (scale !== facts.scale || bias !== facts.bias) said.push(say(words.moved, { scale: number(scale, 4), bias: number(bias, 4) }));
  return said;
}

/** The network, what was measured of it, and whether it was ever trained. */
export function networkSentences(facts, twin, alone) {
  const words = facts.sentences;
  const said = [say(words.network, { title: facts.title, revision: facts.revision, width: String(facts.shape[1]), height: String(facts.shape[0]) })];
  if (facts.measured && !alone) said.push(say(words[`measured ${facts.measured.pictures}`], facts.measured));
  said.push(...noted(facts));
  if (facts.random || twin) said.push(say(words[twin ? "twin" : "random"]));
  return said;
}
