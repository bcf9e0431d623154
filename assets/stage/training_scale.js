// Values to places: smoothing, round ticks, and the span that tells most of a curve.

const CUT = [0.005, 0.04]; // of the values, lowest and highest, may leave the chart: a first plunge does not flatten the rest
const ROOM = 0.06; // of the height above and below

/** Debiased exponential mean; gaps stay gaps. */
export function smoothed(values, share) {
  if (!share) return values;
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    [sum, weight] = [share * sum + (1 - share) * value, share * weight + (1 - share)];
    return sum / weight;
  });
}

/** Index of the value of a rising list that is nearest. */
export function nearest(values, wanted) {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (Math.abs(values[index] - wanted) <= Math.abs(values[best] - wanted)) best = index;
  return best;
}

/** From the first to the last x of all series. */
export function whole(series) {
  const ends = series.filter(({ x }) => x.length).map(({ x }) => [x[0], x.at(-1)]);
  if (!ends.length) return [0, 1];
  const [low, high] = [Math.min(...ends.map(([first]) => first)), Math.max(...ends.map(([, last]) => last))];
  return high > low ? [Math.min(low, 0), high] : [0, Math.max(1, high)];
}

/** Of the smoothed lines within the span, and of most of the raw ones: a single spike does not flatten the rest. */
export function bounds(series, span) {
  const seen = [];
  for (const { x, y, even } of series)
    for (let point = 0; point < x.length; point++)
      if (x[point] >= span[0] && x[point] <= span[1] && y[point] !== null) seen.push(even[point], y[point]);
  if (!seen.length) return [0, 1];
  seen.sort((one, two) => one - two);
  const [low, high] = [seen[Math.floor(seen.length * CUT[0])], seen[Math.ceil(seen.length * (1 - CUT[1])) - 1]];
  const room = (high - low || Math.abs(high) || 1) * ROOM;
  return [low - room, high + room];
}

/** Round values within the span, about so many. */
export function ticks([low, high], wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.max(0, Math.floor(high / step + 1e-9) - first + 1) }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}
