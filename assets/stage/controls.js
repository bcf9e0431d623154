// The few controls that every tab needs: one choice of several, a slider with its words, a card, rows of facts.

import { make } from "./words.js";

/** options: value → English text. Returns {element, set(value), disable(values)}. */
export function segmented(label, options, choose, kind = "") {
  const buttons = Object.entries(options).map(([value, text]) =>
    make("button", { type: "button", role: "radio", say: text, "data-value": value, onclick: () => choose(value) }),
  );
  const element = make(`.pl-segmented${kind}`, { role: "radiogroup", label }, ...buttons);
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const open = buttons.filter((button) => !button.disabled);
    const next = open[(open.indexOf(document.activeElement) + step + open.length) % open.length];
    next.focus();
    next.click();
  });
  const set = (value) =>
    buttons.forEach((button) => {
      button.setAttribute("aria-checked", button.dataset.value === String(value));
      button.tabIndex = button.dataset.value === String(value) ? 0 : -1;
    });
  return { element, set, buttons };
}

/** A range with its accent-coloured part; change(value) at every step. */
export function slider(label, { min, max, step }, change, settle = null) {
  const input = make("input.pl-slider", { type: "range", min, max, step, label });
  let painted = false;
  const paint = () => input.style.setProperty("--share", (input.value - input.min) / (input.max - input.min || 1));
  input.oninput = () => {
    paint();
    change(Number(input.value));
  };
  if (settle) input.onchange = () => settle(Number(input.value));
  const set = (value) => {
    if (Number(input.value) === value && painted) return;
    input.value = value;
    painted = true;
    paint();
  };
  return { element: input, set, paint };
}

/** options: value → English text, or arrays of [value, shown text] where the texts are not ours. */
export function select(label, options, choose) {
  const element = make("select.pl-select", { label, onchange: () => choose(element.value) });
  const fill = (entries) => {
    const all = Array.isArray(entries) ? entries : Object.entries(entries).map(([value, text]) => [value, text, true]);
    element.replaceChildren(
      ...all.map(([value, text, ours]) => (ours ? make("option", { value, say: text }) : make("option", { value }, text))),
    );
  };
  fill(options);
  return { element, fill, set: (value) => (element.value = value) };
}

/** A card with a heading and whatever belongs under it. */
export function card(heading, ...children) {
  const title = typeof heading === "string" ? make("h2", { say: heading }) : heading;
  return make("section.pl-card", {}, title, ...children);
}

/** name → English text. Returns {element, set({name: shown}), row(name)}; rows that are null are hidden. */
export function factTable(names) {
  const values = {};
  const rows = {};
  for (const [name, text] of Object.entries(names)) {
    values[name] = make("dd");
    rows[name] = make(".pl-fact", {}, make("dt", { say: text }), values[name]);
  }
  const set = (facts) => {
    for (const [name, shown] of Object.entries(facts)) {
      const hidden = shown === null || shown === undefined;
      if (rows[name].hidden !== hidden) rows[name].hidden = hidden;
      if (!hidden && values[name].textContent !== shown) values[name].textContent = shown;
    }
  };
  return { element: make("dl.pl-facts", {}, ...Object.values(rows)), set, rows, values };
}

/** A slider's heading whose text changes with it, and the note beneath. */
export function labelled(heading, control, note = null) {
  return make(".pl-labelled", {}, heading, control.element ?? control, note);
}
