// Which label is taken for which: counts of labels that occur, each row on its own scale, named where it is pointed at.

import { table, themed } from "./colours.js";
import { cut, font, Sheet } from "./zero_shot_sheet.js";
import { number, say } from "./words.js";

const LETTERS = { least: 8, most: { row: 12, column: 11 }, share: { row: 0.8, column: 0.68 } }; // pixels, and of a row or a tilted column, so that no label touches the next
const FOOT = { share: 0.2, least: 64, most: 110 }; // of the height, and pixels, for the names of columns
const TILT = Math.PI / 3.2; // of those names
const LEAST = 4; // pixels of a count where there are more labels than room

const COLOURS = "Brighter: a larger share of the row. Point at a cell for its count.";

/** told(sentence): of the cell that is pointed at. {sheet, draw(counts, labels)}. */
export function confusionBoard(told) {
  const board = { place: null };
  board.sheet = new Sheet(".pl-zero-sheet", "Own labels in rows, first labels in columns", (...paper) => paint(board, ...paper));
  board.draw = (counts, labels) => {
    const all = labels.map((_, at) => at);
    const own = all.filter((row) => counts.subarray(row * labels.length, (row + 1) * labels.length).some(Boolean));
    const said = all.filter((column) => own.includes(column) || own.some((row) => counts[row * labels.length + column]));
    Object.assign(board, { counts, labels, own, said });
    board.sheet.show();
    told(say(COLOURS));
  };
  board.sheet.canvas.addEventListener("pointermove", (event) => told(cell(board, event)));
  board.sheet.canvas.addEventListener("pointerleave", () => told(say(COLOURS)));
  return board;
}

function paint(board, context, width, height) {
  const { counts, labels, own, said } = board;
  const place = (board.place = placed(own.length, said.length, width, height));
  const { left, wide, high } = place;
  const bytes = table("viridis");
  context.fillStyle = `rgb(${bytes.subarray(0, 3).join(" ")})`;
  context.fillRect(left, 0, said.length * wide, own.length * high);
  own.forEach((row, y) => {
    const all = said.reduce((sum, column) => sum + counts[row * labels.length + column], 0);
    said.forEach((column, x) => {
      const count = counts[row * labels.length + column];
      if (!count && wide <= 6) return;
      const colour = 3 * Math.round((255 * count) / all);
      context.fillStyle = `rgb(${bytes[colour]} ${bytes[colour + 1]} ${bytes[colour + 2]})`;
      context.fillRect(left + x * wide, y * high, Math.max(LEAST, wide - (wide > 6 ? 1 : 0)), Math.max(LEAST, high - (high > 6 ? 1 : 0)));
      if (row === column && wide > 6) outline(context, left + x * wide, y * high, wide, high);
      if (count && wide > 15 && high > 13) figure(context, count, left + (x + 0.5) * wide, (y + 0.5) * high, count / all > 0.6);
    });
  });
  named(context, board, labels);
}

/** Where cells lie: names of rows and columns take their room only where they can be read. */
function placed(rows, columns, width, height) {
  const room = { left: Math.min(130, 0.28 * width), foot: Math.min(FOOT.most, Math.max(FOOT.least, FOOT.share * height)) };
  const foot = (width - room.left - 3) / columns < LETTERS.least / LETTERS.share.column ? 0 : room.foot;
  const left = (height - foot) / rows < LETTERS.least / LETTERS.share.row ? 0 : room.left;
  return { left, foot, wide: Math.min(64, (width - left - 3) / columns), high: Math.min(64, (height - foot) / rows) };
}

function outline(context, x, y, wide, high) {
  [context.strokeStyle, context.lineWidth] = [themed("accent"), 1.6];
  context.strokeRect(x + 0.5, y + 0.5, wide - 2, high - 2);
}

function figure(context, value, x, y, dark) {
  [context.font, context.textAlign, context.textBaseline] = [font(11), "center", "middle"];
  context.fillStyle = dark ? "#14181f" : "#ffffff";
  context.fillText(String(value), x, y);
}

function named(context, { own, said, place: { left, wide, high, foot } }, labels) {
  [context.fillStyle, context.textAlign, context.textBaseline] = [themed("text"), "right", "middle"];
  context.font = font(lettered("row", high));
  if (left) own.forEach((row, y) => context.fillText(cut(context, labels[row], left - 8), left - 5, (y + 0.5) * high));
  context.font = font(lettered("column", wide));
  if (!foot) return;
  said.forEach((column, x) => {
    context.save();
    context.translate(left + (x + 0.7) * wide, own.length * high + 5);
    context.rotate(-TILT);
    context.fillText(cut(context, labels[column], (foot - 10) / Math.sin(TILT)), 0, 0);
    context.restore();
  });
}

const lettered = (kind, room) => Math.min(LETTERS.most[kind], LETTERS.share[kind] * room);

function cell({ sheet, counts, labels, own, said, place }, event) {
  if (!place) return "";
  const box = sheet.canvas.getBoundingClientRect();
  const column = said[Math.floor((event.clientX - box.left - place.left) / place.wide)];
  const row = own[Math.floor((event.clientY - box.top) / place.high)];
  if (column === undefined || row === undefined) return say(COLOURS);
  return say("“{own}” was called “{said}” {count} times.", { own: labels[row], said: labels[column], count: number(counts[row * labels.length + column]) });
}
