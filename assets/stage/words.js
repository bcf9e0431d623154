// Every text of the page in the reader's language. The English sentence is the key, as in explorers/text.py.

import { get } from "./server.js";
import { recall, store } from "./storage.js";

const KEY = "patchlight language";
const LANGUAGES = ["en", "ru"];
const dictionaries = { en: {} };
const listeners = new Set();
const formats = {};
const DECIMAL = /^(< )?([+-]?\d+\.\d+)$/;

export let language = "en";

const asked = () => new URLSearchParams(location.search).get("language");
const browser = () => (navigator.language || "en").slice(0, 2);

/** The language that was chosen, else remembered, else the browser's. */
export async function startLanguage() {
  const first = [asked(), recall(KEY), browser()].find((name) => LANGUAGES.includes(name));
  await setLanguage(first || "en", false);
}

export async function setLanguage(name, remember = true) {
  if (!dictionaries[name]) dictionaries[name] = await (await get(`patchlight/text/${name}`)).json();
  language = name;
  if (remember) store(KEY, name);
  document.documentElement.lang = name;
  translate(document.body);
  listeners.forEach((listener) => listener());
}

export const onLanguage = (listener) => listeners.add(listener);

/** `template` in the reader's language, its {placeholders} filled; numbers, and texts that are decimals, in the reader's way. */
export function say(template, facts = {}) {
  const found = dictionaries[language][template] ?? template;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? show(facts[name]) : whole));
}

/** What a network's card says that must stand under each of its pictures. */
export const noted = (facts) => facts.notes.map((note) => say(note.template, note.facts));

/** A text that is made elsewhere and holds numbers, "caption among 100, top 5": its key is "caption among {n0}, top {n1}". */
export function sayNumbered(text) {
  const facts = {};
  const template = text.replace(/\d+/g, (digits) => {
    const name = `n${Object.keys(facts).length}`;
    facts[name] = Number(digits);
    return `{${name}}`;
  });
  return say(template, facts);
}

/** A number that is written down already, "+0.402", "25.9" or "< 0.1". */
function decimal(fact) {
  const [, below = "", digits] = DECIMAL.exec(fact);
  return below + (digits[0] === "+" ? signed : fixed)(Number(digits), digits.split(".")[1].length);
}

const show = (fact) => (typeof fact === "number" ? number(fact) : DECIMAL.test(fact) ? decimal(fact) : String(fact));

/** A number with so many significant digits; thousands grouped as the reader's language does, a minus as in print. */
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  const locale = language === "ru" ? "ru-RU" : "en-US";
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(1).replace("e", " · 10^").replaceAll("-", "−");
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: Number.isInteger(value) ? 21 : digits }).format(value).replace("-", "−");
}

/** A number with so many decimals, in the reader's way; what rounds to zero has no sign. */
export function fixed(value, digits) {
  const key = `${language} ${digits}`;
  formats[key] ??= new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "negative" });
  return formats[key].format(value).replace("-", "−");
}

/** A share in per cent with one decimal; what would print as nothing, and is not nothing, is below the least that prints. */
export const perCent = (share) => (share > 0 && share < 0.0005 ? `< ${fixed(0.1, 1)}` : fixed(100 * share, 1));

/** A difference, with its sign. */
export const signed = (value, digits) => `${value > 0 ? "+" : ""}${fixed(value, digits)}`;

/** Fill every element that carries an English text in data-say, data-say-label or data-say-title. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of root.querySelectorAll("[data-say-label]"))
    element.setAttribute("aria-label", say(element.dataset.sayLabel));
  for (const element of root.querySelectorAll("[data-say-title]")) element.title = say(element.dataset.sayTitle);
  for (const element of root.querySelectorAll("[data-say-placeholder]"))
    element.placeholder = say(element.dataset.sayPlaceholder);
}

/**
 * An element: make("button.choice", {say: "Change…", onclick}, child, child).
 * `say`, `label`, `hint` and `placeholder` are English texts and follow the language.
 */
export function make(kind, options = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  const element = document.createElement(tag || "div");
  element.classList.add(...classes);
  const { say: text, label, hint, placeholder, ...rest } = options;
  if (text) Object.assign(element.dataset, { say: text });
  if (label) element.dataset.sayLabel = label;
  if (hint) element.dataset.sayTitle = hint;
  if (placeholder) element.dataset.sayPlaceholder = placeholder;
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith("on")) element[name] = (event) => void value(event); // false would keep a key from its box
    else if (name.startsWith("aria-") && typeof value === "boolean") element.setAttribute(name, value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  if (text) element.textContent = say(text);
  if (label) element.setAttribute("aria-label", say(label));
  if (hint) element.title = say(hint);
  if (placeholder) element.placeholder = say(placeholder);
  return element;
}
