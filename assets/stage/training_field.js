// One setting as a control, made from its declaration: a number, a choice, a switch or a word, with what it means.

import { make, say } from "./words.js";

/** choice: {name, title, kind, default, help, least, most, choices}. paper: {value, source} or undefined. changed(name, value). */
export class Field {
  constructor(choice, paper, changed) {
    Object.assign(this, { choice, name: choice.name });
    this.input = control(choice, (value) => changed(choice.name, value));
    const meaning = [say(choice.help), paper && say("Paper: {value} ({source}).", paper)].filter(Boolean).join(" · ");
    this.note = make("span.pl-train-paper", {}, paper ? say("paper {value}", { value: paper.value }) : "");
    this.element = make("label.pl-train-field", { title: meaning }, make("span.pl-train-what", {}, make("span.pl-name", {}, say(choice.title)), this.note), this.input);
  }

  set(value) {
    if (this.choice.kind === "bool") this.input.checked = value;
    else this.input.value = value;
  }
}

function control(choice, changed) {
  const { name, kind, least, most, choices } = choice;
  const common = { "data-setting": name };
  if (kind === "bool") {
    const input = make("input", { type: "checkbox", ...common, onchange: () => changed(input.checked) });
    return input;
  }
  if (choices.length) {
    const input = make("select.pl-select", { ...common, onchange: () => changed(input.value) }, ...choices.map((value) => make("option", { value }, value)));
    return input;
  }
  if (kind === "str") {
    const input = make("input.pl-text", { type: "text", ...common, onchange: () => changed(input.value.trim()) });
    return input;
  }
  const step = kind === "int" ? 1 : "any";
  const input = make("input.pl-text", { type: "number", min: least, max: most, step, ...common, onchange: () => changed(Number(input.value)) });
  return input;
}
