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
  const button = make("button.pl-button", { type: "submit", say: "Look again with these answers" });
  const submit = (event) => {
    event.preventDefault();
    answered(fields.map(({ input }, index) => `${asks[index].name}=${input.value.trim()}`).join("&"));
  };
  return make("form.pl-questions", { onsubmit: submit }, ...fields.map(({ element }) => element), button);
}

function field({ name, choices, usual, form }) {
  const input = make("input.pl-text", { name, value: usual, required: true, list: `pl-asked-${name}`, autocomplete: "off" });
  input.placeholder = form.split(", ")[0].split("=")[1];
  const list = make("datalist", { id: `pl-asked-${name}` }, ...choices.map((value) => make("option", { value })));
  return { input, element: make("label.pl-field", {}, make("span", { say: ASKED[name] }), input, list) };
}
