// The last sentence of the mask lab's caption: which map is shown, in what unit, and what its colours mean.

import { number, say } from "./words.js";

/** view: name. shown: its {scale, block, blocks, linear}. beside: {values, scale} of the answer beside it, or null. */
export function scaleWords(view, { scale, block, blocks, linear }, beside) {
  const facts = { top: number(scale, 2), block: block + 1, blocks };
  if (view === "encoder" && linear) return say("Shown: attention of this square's tokens in block {block} of {blocks} of the encoder, mean over heads, added up over squares; hidden squares are in it as mask tokens, and after it a linear layer paints each square from its own token. Hatched: outside its windows. Colours 0 to {top}.", facts);
  if (view === "encoder") return say("Shown: attention of this visible square in block {block} of {blocks} of the encoder, which sees visible squares only, mean over heads. Hatched: hidden, not there. Colours 0 to {top}.", facts);
  if (view === "decoder") return say("Shown: attention of this square in block {block} of {blocks} of the decoder, mean over heads; colours 0 to {top}.", facts);
  if (view === "deviation") return say("Shown: standard deviation over masks, mean over a square's colours; colours 0 to {top}.", facts);
  const own = view === "loss" ? say("Shown: each hidden square's error in the loss's own space; colours 0 to {top}.", facts)
    : say("Shown: each hidden square's mean squared error, colours in 0 to 1; colours 0 to {top}.", facts);
  if (!beside?.values) return own;
  const alike = beside.scale === scale ? say("Beside it the same of the other answer.") : say("Beside it the other answer's error as in its own training; colours 0 to {top}.", { top: number(beside.scale, 2) });
  return `${own} ${alike}`;
}
