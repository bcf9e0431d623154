// A picture with its caption and its scale, as it could stand in a paper.

import { table } from "./colours.js";
import { number } from "./words.js";

const WIDTH = 1600;
const MARGIN = 40;
const FONT = "26px system-ui, 'DejaVu Sans', sans-serif";

/** stage: Stage. sentences: the caption. shown: {scale, table}. */
export async function exportPicture(stage, sentences, shown) {
  const height = Math.round((WIDTH - 2 * MARGIN - 110) / stage.aspect);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  context.font = FONT;
  const lines = wrapped(context, sentences, WIDTH - 2 * MARGIN);
  [canvas.width, canvas.height] = [WIDTH, height + 3 * MARGIN + lines.length * 36];
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const layer of [stage.picture, stage.map, stage.marks]) context.drawImage(layer, MARGIN, MARGIN, WIDTH - 2 * MARGIN - 110, height);
  scale(context, shown, WIDTH - MARGIN - 90, MARGIN, height);
  context.font = FONT;
  context.fillStyle = "#14181f";
  lines.forEach((line, index) => context.fillText(line, MARGIN, height + 2 * MARGIN + 26 + index * 36));
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  save(blob, "patchlight-attention.png");
}

let catcher = null;

/** What `draws` would let the browser save comes back as a blob instead: one picture of a film. */
export async function caught(draws) {
  const blob = new Promise((resolve) => (catcher = resolve));
  try {
    await draws();
    return await blob;
  } finally {
    catcher = null;
  }
}

/** Let the browser save something under a name. */
export function save(source, name) {
  if (catcher) return catcher(source);
  const link = document.createElement("a");
  link.href = typeof source === "string" ? source : URL.createObjectURL(source);
  link.download = name;
  link.click();
  if (typeof source !== "string") setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function scale(context, shown, left, top, height) {
  const bytes = table(shown.table);
  for (let row = 0; row < height; row++) {
    const colour = 3 * Math.round(255 * (1 - row / (height - 1)));
    context.fillStyle = `rgb(${bytes[colour]} ${bytes[colour + 1]} ${bytes[colour + 2]})`;
    context.fillRect(left, top + row, 22, 1.5);
  }
  context.font = "20px system-ui, 'DejaVu Sans', sans-serif";
  context.fillStyle = "#14181f";
  context.fillText(number(shown.scale, 2), left - 4, top - 10);
  context.fillText("0", left + 4, top + height + 24);
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
