// Fits what was asked of attention to the network and picture that have arrived; what they lack is told by absent.js.

import { isToken, spoken } from "./places.js";

/** Changes `view` so that `maps` has all of it. */
export function fit(view, maps, absent) {
  fitLayer(view, maps, absent);
  fitHead(view, maps, absent);
  fitQuery(view, maps, absent);
  if (!maps.facts.classes) absent.keep(view, "target", null); // the view of classes says itself that there are none
}

function fitLayer(view, { blocks }, absent) {
  const last = blocks - 1;
  if (view.layer < 0) view.layer = last;
  if (view.layer > last)
    absent.replace(view, "layer", last, { said: "Layer {asked} was asked for, but this network has layers 1 to {last}; the last one is shown instead, choose any other in the strip of blocks.", asked: view.layer + 1, last: blocks });
}

function fitHead(view, { layers }, absent) {
  const { heads } = layers[view.layer];
  if (view.head >= heads)
    absent.replace(view, "head", null, { said: "Head {asked} was asked for, but this layer has heads 1 to {last}; all of them together are shown instead, choose one in the strip of heads.", asked: view.head + 1, last: heads });
}

function fitQuery(view, maps, absent) {
  const { facts, blocks, layers } = maps;
  if (view.query === "auto") view.query = facts.query;
  else if (!maps.askable(view.query)) {
    const [row, column] = layers[0].grid;
    absent.replace(view, "query", facts.query, { said: "The query {asked} was asked for, but here patches go from 1,1 to {row},{column}, and tokens before them: {prefix}; the network's own query is shown instead, click a patch to ask it.", asked: spoken(view.query), row, column, prefix: layers[0].prefix });
  }
  if (view.view === "to" && !isToken(view.query))
    view.query === facts.query ? (view.query = maps.central()) : absent.replace(view, "query", maps.central(), { said: "Who looks at {asked} was asked for, but that is no token that others could look at; the patch in the middle is shown instead, click any other." });
  if (view.query === "pool" && view.layer < blocks - 1)
    absent.replace(view, "layer", blocks - 1, { said: "The attention pool was asked for in layer {asked}, but it reads the last layer only; that one is shown instead.", asked: view.layer + 1 });
}
