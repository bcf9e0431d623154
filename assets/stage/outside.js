// What a network is asked beyond what it learnt, as explorers/learnt.py says it: first in the caption, in a warning's dress.

import { desk, setDesk } from "./state.js";
import { make, say } from "./words.js";

const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Words of `texts` that never stood in the network's captions, each once. learnt: facts, or null where nobody says. */
export function unread(learnt, texts) {
  if (!learnt?.vocabulary) return [];
  learnt.read ??= new Set(learnt.vocabulary);
  return [...new Set(texts.flatMap(words))].filter((word) => !learnt.read.has(word));
}

/** The sentences. {inside: whether the pictures are of the kind that was learnt, texts}. */
export function outside(learnt, { inside, texts = [] }) {
  if (!learnt) return [];
  const strange = unread(learnt, texts);
  const named = strange.slice(0, learnt.named).join(", ") + (strange.length > learnt.named ? ", …" : "");
  return [...(inside ? [] : [say(learnt.sentence)]), ...(strange.length ? [say(learnt.words, { words: named })] : [])];
}

/** A caption: `warned` sentences apart, with a way to a picture that the network can read, then the others, the first of
 *  which leads. go(): besides taking the picture. */
export function tellCaption(element, { warned, said, learnt, inside = true, go = () => {} }) {
  const [picture] = learnt?.pictures ?? [];
  const key = JSON.stringify([warned, said, picture, inside]);
  if (element.told === key) return;
  element.told = key;
  const take = () => {
    go();
    if (!learnt.pictures.includes(desk.picture)) setDesk({ picture });
  };
  const button = picture && !inside && make("button.pl-button", { type: "button", say: "A picture that it can read", onclick: take });
  const apart = warned.length ? [make("span.pl-outside", {}, make("span", {}, warned.join(" ")), button || null), " "] : [];
  element.replaceChildren(...apart, make("strong", {}, said[0] ?? ""), ` ${said.slice(1).join(" ")}`);
}

/** A text's element is marked where the network never read some of its words. */
export function markUnread(element, learnt, text) {
  const strange = unread(learnt, [text]);
  element.classList.toggle("pl-unread", strange.length > 0);
  if (strange.length) element.title = say("Never stood in this network's captions: {words}", { words: strange.join(", ") });
  return element;
}
