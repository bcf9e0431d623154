// A small form for what the weights of a file do not tell: how many heads, how the table of places lies.

import { make } from "./words.js";

/** What is asked of a file whose weights do not tell it, by the word that stands in the id. */
const ASKED = {
  heads: "Heads of attention",
  grid: "Rows x columns of the table of places",
  norm: "Norms before (pre) or after (post) attention and MLP",
  act: "Activation of the MLP",
  architecture: "Name of its architecture in timm",
};

/** A small form of questions; answered("heads=12&grid=8x32") is called with all of them. asks: [{name, choices, usual, form}]. */
export function questions(asks, answered) {
  const fields = asks.map((ask) => field(ask));
  const send = () => answered(fields.map(({ input }, index) => `${asks[index].name}=${input.value.trim()}`).join("&"));
  const button = make("button.pl-button", { type: "button", say: "Look again with these answers", onclick: send });
  return make(".pl-questions", { role: "group", onkeydown: ({ key, target }) => key === "Enter" && target !== button && send() }, ...fields.map(({ element }) => element), button);
}

/** What can only be one of a few is chosen from them, with nothing chosen where nothing is usual. */
function field({ name, choices, usual, form }) {
  const input = choices.length ? make("select.pl-select", { name }, ...["", ...choices].map((value) => make("option", { value, selected: value === usual }, value || "–")))
    : make("input.pl-text", { name, autocomplete: "off" });
  if (!choices.length) input.placeholder = form.split("=")[1];
  return { input, element: make("label.pl-field", {}, make("span", { say: ASKED[name] }), input) };
}
