// What one run was measured to know, figure by figure: on which pictures, beside what costs nothing, beside what it has seen.

import { make, number, say, sayNumbered } from "./words.js";

/** found: {value, low, high, against, baseline, pictures, untrained, seen}. Everything beside the value, one text each. */
export function besides({ low, high, against, baseline, pictures, untrained, seen }) {
  const texts = [
    pictures ? say("{low} to {high}", { low: number(low, 3), high: number(high, 3) }) : say("no interval"),
    known(seen) && say("of the training part: {seen}", { seen: number(seen, 3) }),
    known(untrained) && say("untrained: {untrained}", { untrained: number(untrained, 3) }),
    `${sayNumbered(against)}: ${number(baseline, 3)}`,
  ];
  return texts.filter(Boolean);
}

const known = (value) => value !== null && value !== undefined;

/** A row: name, value, and beneath what stands beside it. */
export function row(found) {
  const beside = besides(found).map((text) => make("span", {}, text));
  return make(".pl-train-figure", {}, make(".pl-fact", {}, make("dt", {}, sayNumbered(found.name)), make("dd", {}, make("strong", {}, number(found.value, 3)))), make(".pl-note.pl-train-beside-it", {}, ...beside));
}

/** On which pictures: {images, split, count, apart}; apart: what their part has that training has not, or "". */
export function basis({ images, split, count, apart }) {
  const part = { validation: say("validation part"), test: say("test part") }[split] ?? split;
  const said = say("{images}, {part}, {count} pictures.", { images, part, count: number(count) });
  return make("p.pl-note.pl-train-split", {}, apart ? `${said} ${say(apart)}` : said);
}
