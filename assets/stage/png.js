// Texts inside a PNG (ISO/IEC 15948, chunk iTXt): a picture that is found later says what it is.

const BEFORE = 33; // bytes of the signature and of the header chunk, which comes first

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/** blob: a PNG. texts: [keyword in Latin letters, text, its language or ""]. Resolves to the PNG that carries them. */
export async function withTexts(blob, texts) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return new Blob([bytes.subarray(0, BEFORE), ...texts.map(chunk), bytes.subarray(BEFORE)], { type: "image/png" });
}

/** One uncompressed iTXt chunk: length, type, keyword, flags, language, no translated keyword, text, checksum. */
function chunk([keyword, text, language]) {
  const body = new TextEncoder().encode(`iTXt${keyword}\0\0\0${language}\0\0${text}`);
  const whole = new Uint8Array(body.length + 8);
  const view = new DataView(whole.buffer);
  view.setUint32(0, body.length - 4);
  whole.set(body, 4);
  view.setUint32(body.length + 4, checksum(body));
  return whole;
}

function checksum(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = CRC[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}
