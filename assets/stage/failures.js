// No failure ends as silence: what no script has answered for is told in one sentence, and a mistake of a script's own is
// left to the browser as well, which logs it. Only what came late, or was stopped, is nobody's business.

import { Told, fault } from "./server.js";
import { Late } from "./turns.js";

const OURS = new URL(".", import.meta.url).href;

const dropped = (wrong) => wrong instanceof Late || wrong?.name === "AbortError";

/** Whether a failure is of this page's scripts; Gradio's own and a browser's extensions answer for theirs. */
const ours = (wrong) => wrong instanceof Told || wrong instanceof Late || String(wrong?.stack).includes(OURS);

/** The sentence of a failure, in English with its facts. */
export function sentenceOf(wrong) {
  if (wrong instanceof Told) return wrong.fault;
  return fault({ said: "A script of this page failed ({reason}); what is shown may be incomplete. Reload the page; the browser's console says more.", reason: wrong.message });
}

/** From now on `failed(wrong)` hears of every failure that none of our scripts has caught. */
export function listen(failed) {
  const hear = (event, wrong) => {
    if (!ours(wrong)) return;
    if (wrong instanceof Told || dropped(wrong)) event.preventDefault();
    if (!dropped(wrong)) failed(wrong);
  };
  window.addEventListener("error", (event) => hear(event, event.error));
  window.addEventListener("unhandledrejection", (event) => hear(event, event.reason));
}
