// Right answers over confidence, bin by bin, with how many pictures each bin holds.

import { themed } from "./colours.js";
import { BINS, wilson } from "./zero_shot_marks.js";
import { font } from "./zero_shot_sheet.js";
import { number, say } from "./words.js";

const EDGE = { left: 44, right: 12, top: 10, bottom: 34 };

/** Drawn on `context`; score: {counts, confidence, accuracy} of each bin, and where the axis of confidence ends. */
export function drawCalibration(context, width, height, { counts, confidence, accuracy, end }) {
  const x = (share) => EDGE.left + (share / end) * (width - EDGE.left - EDGE.right);
  const y = (share) => EDGE.top + (1 - share) * (height - EDGE.top - EDGE.bottom);
  [context.font, context.lineWidth, context.strokeStyle, context.fillStyle] = [font(11), 1, themed("line"), themed("muted")];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    path(context, [[x(0), y(share)], [x(end), y(share)]]);
    context.textAlign = "right";
    context.fillText(number(100 * share), x(0) - 6, y(share) + 4);
    context.textAlign = "center";
    context.fillText(number(100 * share * end), x(share * end), y(0) + 15);
  }
  context.textAlign = "right";
  context.fillText(end < 1 ? say("confidence, %, up to {end}", { end: number(100 * end) }) : say("confidence, %"), x(end), height - 4);
  context.setLineDash([4, 4]);
  context.strokeStyle = themed("muted");
  path(context, [[x(0), y(0)], [x(end), y(end)]]);
  context.setLineDash([]);
  const most = Math.max(...counts, 1);
  counts.forEach((count, bin) => {
    context.fillStyle = themed("track");
    const tall = (count / most) * 0.28 * (y(0) - y(1));
    context.fillRect(x((bin * end) / BINS) + 2, y(0) - tall, x(end / BINS) - x(0) - 4, tall);
  });
  const filled = Array.from(counts.keys()).filter((bin) => counts[bin]);
  [context.strokeStyle, context.lineWidth] = [themed("accent"), 2];
  path(context, filled.map((bin) => [x(confidence[bin]), y(accuracy[bin])]));
  for (const bin of filled) interval(context, { at: x(confidence[bin]), y, right: accuracy[bin] * counts[bin], count: counts[bin], share: accuracy[bin] });
}

/** One bin's share of right answers with its 95 % interval. */
function interval(context, { at, y, right, count, share }) {
  const [low, high] = wilson(right, count);
  [context.strokeStyle, context.lineWidth, context.fillStyle] = [themed("accent"), 1.2, themed("accent")];
  path(context, [[at, y(low)], [at, y(high)]]);
  context.beginPath();
  context.arc(at, y(share), 4, 0, 2 * Math.PI);
  context.fill();
}

function path(context, points) {
  context.beginPath();
  points.forEach(([x, y]) => context.lineTo(x, y));
  context.stroke();
}
