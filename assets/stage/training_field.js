// One setting as a control, made from its declaration: a number, a choice, a switch, a word or a network, with what it means.

import { make, say } from "./words.js";

/**
 * choice: {name, title, kind, default, help, least, most, choices, named: [[number, words]], others, network}.
 * paper: {value, source} or undefined. changed(name, value). networks: {cards: [{id, title, here}], local}.
 */
export class Field {
  constructor(choice, paper, changed, networks) {
    this.name = choice.name;
    const { element, set } = control(choice, (value) => changed(choice.name, value), networks);
    this.set = set;
    const meaning = [say(choice.help), paper && say("Paper: {value} ({source}).", paper)].filter(Boolean).join(" · ");
    this.note = make("span.pl-train-paper", {}, paper ? say("paper {value}", { value: paper.value }) : "");
    this.element = make("label.pl-train-field", { title: meaning }, make("span.pl-train-what", {}, make("span.pl-name", {}, say(choice.title)), this.note), element);
  }
}

/** {element, set(value)}. */
function control(choice, changed, networks) {
  const { name, kind, least, most, choices } = choice;
  if (choice.network) return network(name, changed, networks);
  if (choice.named.length) return named(choice, changed);
  if (choices.length) return chosen(name, choices.map((value) => [value, value]), changed);
  const valued = (input) => ({ element: input, set: (value) => (input.value = value) });
  if (kind === "bool") {
    const input = make("input", { type: "checkbox", "data-setting": name, onchange: () => changed(input.checked) });
    return { element: input, set: (value) => (input.checked = value) };
  }
  if (kind === "str") {
    const input = make("input.pl-text", { type: "text", "data-setting": name, onchange: () => changed(input.value.trim()) });
    return valued(input);
  }
  const step = kind === "int" ? 1 : "any";
  const input = make("input.pl-text", { type: "number", min: least, max: most, step, "data-setting": name, onchange: () => changed(Number(input.value)) });
  return valued(input);
}

/** options: [[value, words]]. */
function chosen(name, options, changed) {
  const element = make("select.pl-select", { "data-setting": name, onchange: () => changed(element.value) }, ...options.map(([value, words]) => make("option", { value }, words)));
  return { element, set: (value) => (element.value = value) };
}

/** A number of which some mean something of their own: those by their words, all others by what they are called. */
function named({ name, most, others, named: meanings }, changed) {
  const known = meanings.map(([value]) => value);
  const first = Math.max(...known) + 1;
  const take = (value) => {
    set(value);
    changed(value);
  };
  const words = chosen(name, [...meanings, ["", others]].map(([value, text]) => [value, say(text)]), (value) => take(value === "" ? first : Number(value)));
  const input = make("input.pl-text", { type: "number", min: first, max: most, step: 1, "data-setting": name, label: others, onchange: () => take(Number(input.value)) });
  const set = (value) => {
    input.hidden = known.includes(value);
    input.value = input.hidden ? "" : value;
    words.set(input.hidden ? value : "");
  };
  return { element: make("span.pl-train-named", {}, words.element, input), set };
}

/** Networks by their titles, those that are here first; any other id can be typed where one may open what one likes. */
function network(name, changed, { cards, local }) {
  const offered = [...cards].sort((a, b) => b.here - a.here);
  if (!local) return chosen(name, offered.map(({ id, title }) => [id, title]), changed);
  const list = make("datalist", { id: `pl-train-${name}` }, ...offered.map(({ id, title }) => make("option", { value: id }, title)));
  const title = make("span.pl-note");
  const input = make("input.pl-text", { type: "text", list: list.id, "data-setting": name, onchange: () => take(input.value.trim()) });
  const set = (id) => {
    input.value = id;
    title.textContent = cards.find((card) => card.id === id)?.title ?? "";
  };
  const take = (id) => {
    set(id);
    changed(id);
  };
  return { element: make("span.pl-train-network", {}, input, title, list), set };
}
