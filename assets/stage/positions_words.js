// The caption of the positions tab, by the facts and the sentences that explorers/position_words.py sends.

import { fixed, noted, number, say } from "./words.js";

/** tab: the positions tab, after its frame is drawn. */
export function sentences(tab) {
  const { part, view, facts, place } = tab;
  const words = facts.sentences;
  const [rows, columns] = part.grid;
  const at = { row: place[0] + 1, column: place[1] + 1, block: (part.block ?? 0) + 1 };
  const percents = (part.explained ?? []).map((share) => number(100 * share, 3));
  const ends = { low: number(tab.scale.low, 3), high: number(tab.scale.high, 3) };
  const token = facts.names[tab.token];
  const first = view.figure === "similarity" ? say(words[part.table ? view.measure : part.relation], at)
    : say(words[view.figure], { first: percents[0], second: percents[1], third: percents[2], token: token && say(token) });
  const said = [first, say(words[part.rival ?? part.kind], { rows, columns })];
  if (part.heads.length > 1) said.push(say(words[`${view.component === null ? "mean" : "one"} ${part.word}`], { head: (view.component ?? 0) + 1, heads: part.heads.length }));
  if (tab.scale.low === tab.scale.high) said.push(say(words.flat, ends));
  else if (view.figure !== "components") said.push(say(words[view.figure !== "similarity" ? "own scale" : view.colours === "diverging" ? "even scale" : "scale"], ends));
  if (part.structure.offset !== null) said.push(say(words.structure, { offset: fixed(part.structure.offset, 3), distance: fixed(part.structure.distance, 3) }));
  said.push(tab.boards.every > 1 ? say(words.thinned, { step: tab.boards.every }) : say(words["all tiles"]));
  said.push(say(words.network, { title: facts.title, revision: facts.revision }));
  said.push(...noted(facts));
  if (facts.random) said.push(say(words.untrained));
  return said;
}
