// What leaves the page: a picture over its caption and beside its scale, as it could stand in a paper, and files.
//
// The PNG carries its caption in the text chunk Description and, as explorers/export.py writes it, JSON in Patchlight.

import { table } from "./colours.js";
import { withTexts } from "./png.js";
import { desk } from "./state.js";
import { language, number } from "./words.js";

const [MARGIN, LEADING, INK] = [40, 36, "#14181f"];
const [SCALE, BAR] = [110, 22]; // width of the scale with its numbers, and of its bar
const font = (size) => `${size}px system-ui, 'DejaVu Sans', sans-serif`;

const ABOUT = ["checkpoint", "title", "revision", "random", "shape", "picture"];
let shown = {};

/** facts: of what the tab in front shows from now on; they go into every picture that is exported. */
export const describe = (facts) => (shown = facts);

/** The stage of a tab, its three canvases on one another. shown: {scale, table}. What `save` takes. */
export function exportPicture(stage, sentences, { scale, table: colours }) {
  return exportFigure(stage.sheet(), sentences, { low: "0", high: number(scale, 2), colours }, "patchlight-attention.png", { width: 1600, smooth: true });
}

/** canvas: what is drawn. scale: {low, high, colours}, or null. width: of the whole sheet, in pixels. What `save` takes. */
export async function exportFigure(canvas, sentences, scale, name, { width = 1270, smooth = false } = {}) {
  const sheet = document.createElement("canvas");
  const context = sheet.getContext("2d");
  const wide = width - 2 * MARGIN - SCALE;
  const high = Math.round((wide * canvas.height) / canvas.width);
  context.font = font(26);
  const lines = wrapped(context, sentences, width - 2 * MARGIN);
  [sheet.width, sheet.height] = [width, high + 3 * MARGIN + lines.length * LEADING];
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.imageSmoothingEnabled = smooth;
  context.drawImage(canvas, MARGIN, MARGIN, wide, high);
  if (scale) drawScale(context, scale, MARGIN + wide + 20, MARGIN, high);
  context.font = font(26);
  context.fillStyle = INK;
  lines.forEach((line, index) => context.fillText(line, MARGIN, high + 2 * MARGIN + 26 + index * LEADING));
  return { source: await png(sheet), name, sentences };
}

/** A canvas as a PNG file. */
export const png = (sheet) => new Promise((resolve) => sheet.toBlob(resolve, "image/png"));

/** Let the browser save `source`, a blob or an address, under a name; a PNG takes its sentences along. */
export async function save({ source, name, sentences }) {
  const file = source.type === "image/png" ? await withTexts(source, texts(sentences)) : source;
  const link = document.createElement("a");
  link.href = typeof file === "string" ? file : URL.createObjectURL(file);
  link.download = name;
  link.click();
  if (typeof file !== "string") setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Caption, network, revision, and every parameter that differs from its default, as the address has it. */
function texts(sentences) {
  const parameters = {};
  for (const [name, value] of new URLSearchParams(location.search)) parameters[name] = name in parameters ? [parameters[name], value].flat() : value;
  const facts = Object.fromEntries(ABOUT.filter((name) => name in shown).map((name) => [name, shown[name]]));
  const said = { caption: { [language]: sentences }, explorer: desk.tab, facts, parameters };
  return [["Description", sentences, language], ["Patchlight", JSON.stringify(said), ""]];
}

function drawScale(context, { low, high, colours }, left, top, height) {
  const bytes = table(colours);
  for (let row = 0; row < height; row++) {
    const colour = 3 * Math.round(255 * (1 - row / (height - 1)));
    context.fillStyle = `rgb(${bytes[colour]} ${bytes[colour + 1]} ${bytes[colour + 2]})`;
    context.fillRect(left, top + row, BAR, 1.5);
  }
  context.font = font(19);
  context.fillStyle = INK;
  context.fillText(high, left - 4, top - 10);
  context.fillText(low, left - 4, top + height + 24);
}

/** `text` in lines of at most `width` pixels. */
export function wrapped(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
