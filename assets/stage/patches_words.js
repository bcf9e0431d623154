// The caption of the patches tab, by the facts and the sentences that explorers/patch_words.py sends.

import { fed } from "./caption.js";
import { cost } from "./patches_calculator.js";
import { large } from "./quantities.js";
import { noted, number, say } from "./words.js";

/** tab: the patches tab. */
export function sentences({ facts, place, configuration: asked }) {
  const words = facts.sentences;
  const [rows, columns] = facts.grid;
  const found = cost(asked);
  const told = facts.filters;
  const sides = { width: String(facts.shape[1]), height: String(facts.shape[0]) };
  const sequence = { prefix: facts.prefix, tokens: facts.tokens, channels: facts.channels };
  const explained = told?.explained && number(100 * told.explained.reduce((sum, share) => sum + share, 0), 3);
  return [
    say(words.grid, { ...sides, rows, columns, patches: rows * columns, patch: facts.patch }),
    say(words[facts.prefix ? "prefix" : "no prefix"], sequence),
    say(words[told ? "patch" : "patch in steps"], { row: place[0] + 1, column: place[1] + 1, numbers: facts.colours * facts.patch ** 2, channels: facts.channels }),
    told ? say(words[explained ? "principal" : "filters"], { ...told, explained }) : say(words["no filters"]),
    say(words[asked.window ? "windowed" : "cost"], { ...asked, height: String(asked.height), width: String(asked.width), ...found, entries: large(found.entries), bytes: large(found.bytes), multiplications: large(found.multiplications) }),
    say(words.network, { title: facts.title, revision: facts.revision, ...sides }),
    fed(facts),
    ...noted(facts),
    ...(facts.random ? [say(words.random)] : []),
  ];
}
