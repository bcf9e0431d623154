// Sentences under the picture. Their templates come with the picture's facts, the same that the endpoint fills.

import { noted, number, say } from "./words.js";

const ROUNDING = 1e-4; // as in explorers/attention_words.py
const percent = (share) => number(100 * share, 3);

/** "CLS" and "register 1" in the reader's language. */
export function tokenName(name) {
  const register = /^register (\d+)$/.exec(name);
  return register ? say("register {number}", { number: register[1] }) : say(name);
}

/** What a query is called in a caption's first sentence: [name of its template, facts]. */
export function asked(facts, query) {
  const [kind, place] = query.split(" ");
  if (kind === "prefix") return ["prefix", { token: tokenName(facts.names[Number(place)]) }];
  if (kind !== "patch") return [kind, {}];
  const [row, column] = place.split(",").map(Number);
  return ["patch", { row: row + 1, column: column + 1 }];
}

/** How the picture was fed, in one sentence. */
export const fed = ({ fed: { template, facts } }) => say(template, facts);

/** Complete sentences for the map that is shown. `shown` is attention.js's description of it. */
export function caption(facts, shown) {
  const words = facts.sentences;
  const [kind, who] = asked(facts, shown.query);
  const place = { block: shown.block + 1, blocks: facts.layers.length, ...who };
  const said = [say(words[`${shown.view} ${kind}`] ?? words[shown.view === "class" && facts.reads_text ? "class text" : shown.view], { ...place, target: shown.target ?? "" })];
  if (shown.view === "from" || shown.view === "to") {
    said.push(heads(words, shown), mass(words, shown));
  }
  if (shown.view === "rollout") said.push(say(words[`rollout fused ${shown.fusion}`], { discard: percent(shown.discard) }));
  said.push(say(words[`scale ${shown.beside ? "beside" : shown.scaling}`], { peak: number(shown.scale, 2) }));
  if (shown.kept !== null)
    said.push(say(words.mark, { share: percent(shown.share), kept: number(shown.kept), patches: number(shown.patches) }));
  said.push(say(words.network, { title: facts.title, revision: facts.revision, width: String(facts.shape[1]), height: String(facts.shape[0]) }), fed(facts), ...noted(facts));
  if (facts.random) said.push(say(words.random));
  return said;
}

function heads(words, { head, heads: count, fusion }) {
  if (count === 1) return say(words["only head"]);
  return head === null ? say(words[fusion], { heads: count }) : say(words.head, { head: head + 1, heads: count });
}

function mass(words, { view, head, heads: count, fusion, figures, windowed, prefix, query }) {
  if (head === null && fusion !== "mean" && count > 1) return say(words["no row"]);
  if (view === "to") return say(words.column, { sum: number(figures[0], 3) });
  const [kind] = query.split(" ");
  const noun = windowed ? "window" : kind === "mean" || kind === "pool" ? kind : "row";
  const [, onPrefix, held] = figures;
  if (1 - held > ROUNDING) return say(words[`padded ${noun}`], { patches: percent(held - onPrefix), padding: percent(1 - held) });
  if (windowed) return say(words.window);
  if (!prefix) return say(words[`whole ${noun}`]);
  return say(words[`mass ${noun}`], { patches: percent(held - onPrefix), prefix: percent(onPrefix) });
}
