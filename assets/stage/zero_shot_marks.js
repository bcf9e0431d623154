// How well a labelled set is named, and how sure the network is of it. Mirrors models/calibration.py; no page in here.

export const BINS = 10;

/** cosines: Float32Array per picture. Index of the label that comes first, which no temperature changes. */
export const firsts = (cosines) => cosines.map((row) => row.reduce((best, cosine, label) => (cosine > row[best] ? label : best), 0));

/** [{predicted, confidence, right}] by one read-out; confidence is the first label's probability. */
export function judged(cosines, predicted, truth, scale, bias, readOut) {
  return cosines.map((row, picture) => {
    const first = row[predicted[picture]];
    let sum = 0;
    if (readOut === "softmax") for (let label = 0; label < row.length; label++) sum += Math.exp(scale * (row[label] - first));
    const confidence = readOut === "softmax" ? 1 / sum : 1 / (1 + Math.exp(-scale * first - bias));
    return { predicted: predicted[picture], confidence, right: predicted[picture] === truth[picture] };
  });
}

/** [low, high]: 95 % interval of a share (Wilson 1927). */
export function wilson(right, count, z = 1.96) {
  const [share, spread] = [right / count, (z * z) / count];
  const middle = (share + spread / 2) / (1 + spread);
  const reach = (z / (1 + spread)) * Math.sqrt((share * (1 - share)) / count + spread / (4 * count));
  return [Math.max(0, middle - reach), Math.min(1, middle + reach)];
}

/** {counts, confidence, accuracy, error, end}: bins of equal width from 0 to `end`, above which no confidence lies, and
 *  the expected calibration error, which has bins from 0 to 1 (1706.04599). */
export function calibration(judgements, bins = BINS, end = 1) {
  const [counts, confidence, accuracy] = [0, 0, 0].map(() => new Float64Array(bins));
  for (const { confidence: sure, right } of judgements) {
    const bin = Math.min(bins - 1, Math.floor((sure / end) * bins));
    counts[bin] += 1;
    confidence[bin] += sure;
    accuracy[bin] += right ? 1 : 0;
  }
  let error = 0;
  for (let bin = 0; bin < bins; bin++) {
    if (!counts[bin]) continue;
    confidence[bin] /= counts[bin];
    accuracy[bin] /= counts[bin];
    error += (counts[bin] * Math.abs(accuracy[bin] - confidence[bin])) / judgements.length;
  }
  return { counts, confidence, accuracy, error, end };
}

/** Float64Array (labels · labels): row i, column j counts pictures of label i that were called j. */
export function confusion(judgements, truth, labels) {
  const table = new Float64Array(labels * labels);
  judgements.forEach(({ predicted }, picture) => (table[truth[picture] * labels + predicted] += 1));
  return table;
}
