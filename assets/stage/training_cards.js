// Runs as networks to choose: this visitor's, newest first, each with the step that it has reached.

import { ask } from "./training_server.js";
import { say } from "./words.js";

const LIVE = ["starting", "running"];

/** The cards with runs as they are now before all others; as they were where the server does not answer. */
export async function withRuns(cards) {
  const { runs } = await ask("runs").catch(() => ({}));
  if (!runs) return cards;
  const known = new Map(cards.map((card) => [card.id, card]));
  const found = runs.filter(({ kept }) => kept.length).map((run) => {
    const { objective, side, patch } = run.recipe;
    const plain = { id: `run/${run.name}`, title: run.name, training: "", licence: "", source: "run", here: true, abilities: [] };
    return { ...plain, ...known.get(`run/${run.name}`), family: say("Runs"), training: objective, side, patch, run };
  });
  return [...found, ...cards.filter(({ id }) => !id.startsWith("run/"))];
}

/** "step 120, live", or how far a run came. */
export function ran({ state, step, steps }) {
  if (LIVE.includes(state)) return say("step {step}, live", { step });
  return steps === null ? say("step {step}", { step }) : say("step {step} of {steps}", { step, steps });
}
