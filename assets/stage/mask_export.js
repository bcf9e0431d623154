// The panels with their headings and the caption, as they could stand in a paper: PNG.

import { table } from "./colours.js";
import { png } from "./export.js";
import { number, say } from "./words.js";

const [PANEL, MARGIN, LINE] = [760, 40, 36];
const BAR = [150, 16]; // pixels of a map's scale
const FONT = "26px system-ui, 'DejaVu Sans', sans-serif";

/** view: MaskView. sentences: the caption. What `save` takes. */
export async function exportPanels(view, sentences) {
  const height = Math.round(PANEL / view.aspect);
  const columns = view.other ? 3 : 2;
  const order = view.other ? [0, 1, 4, 2, 3, 5] : [0, 1, 2, 3];
  const sheet = document.createElement("canvas");
  const context = sheet.getContext("2d");
  context.font = FONT;
  const width = columns * (PANEL + MARGIN) + MARGIN;
  const lines = wrapped(context, sentences, width - 2 * MARGIN);
  [sheet.width, sheet.height] = [width, 2 * (height + LINE) + 4 * MARGIN + lines.length * LINE];
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.font = FONT;
  context.fillStyle = "#14181f";
  order.forEach((number, index) => {
    const panel = view.panels[number];
    const [left, top] = [MARGIN + (index % columns) * (PANEL + MARGIN), MARGIN + Math.floor(index / columns) * (height + LINE + MARGIN)];
    context.fillText(panel === view.masked ? say("Masked") : panel.heading.textContent, left, top + 22);
    context.drawImage(panel.canvas, left, top + LINE, PANEL, height);
  });
  const { values, scale } = view.kept.views[view.view];
  if (values) drawScale(context, MARGIN + PANEL, MARGIN + 6, number(scale, 2));
  const under = 2 * (height + LINE) + 3 * MARGIN;
  lines.forEach((text, index) => context.fillText(text, MARGIN, under + 26 + index * LINE));
  return { source: await png(sheet), name: "patchlight-masks.png", sentences };
}

/** What the first panel's colours mean, at the right of its heading. */
function drawScale(context, right, top, most) {
  const [width, height] = BAR;
  const left = right - width - context.measureText(most).width - 10;
  const bytes = table("magma");
  for (let column = 0; column < width; column++) {
    const colour = 3 * Math.round((255 * column) / (width - 1));
    context.fillStyle = `rgb(${bytes[colour]} ${bytes[colour + 1]} ${bytes[colour + 2]})`;
    context.fillRect(left + column, top, 1.5, height);
  }
  context.fillStyle = "#14181f";
  context.fillText(most, right - context.measureText(most).width, top + 16);
  context.fillText("0", left - 10 - context.measureText("0").width, top + 16);
}

function wrapped(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
