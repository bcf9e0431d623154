// The caption of the windows tab, by the facts and the sentences that explorers/window_words.py sends.

import { fed } from "./caption.js";
import { large } from "./quantities.js";
import { noted, say } from "./words.js";

/** tab: the windows tab, after its frame is drawn. */
export function sentences({ facts, about, view, inside, place, arrays }) {
  const words = facts.sentences;
  const seen = inside.reduce((sum, one) => sum + one, 0);
  const where = { block: view.block + 1, blocks: facts.windows.length, stage: about.stage + 1, high: about.window[0], wide: about.window[1], down: about.shift[0], right: about.shift[1] };
  const token = { block: view.block + 1, row: place[0] + 1, column: place[1] + 1, seen, reached: seen, tokens: inside.length };
  const cut = new Set(arrays[`regions.${view.block}`]).size > about.windows;
  return [
    say(words[about.shift.some(Boolean) ? "shifted" : "plain"], where),
    say(words[view.lens === "field" ? "field" : "token"], token),
    ...(view.lens === "rolled" || (view.lens === "picture" && cut) ? [say(words[view.lens])] : []),
    ...(about.stage ? [say(words.merged)] : []),
    say(words.cost, { windowed: large(about.windowed), whole: large(about.whole) }),
    say(words.network, { title: facts.title, revision: facts.revision, width: String(facts.shape[1]), height: String(facts.shape[0]) }),
    fed(facts),
    ...noted(facts),
    ...(facts.random ? [say(words.random)] : []),
  ];
}
