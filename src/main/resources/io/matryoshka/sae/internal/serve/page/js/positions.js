// Positions of tokens as ranges: '2-5,7', both ends included, counted from 0.

/** The positions of some ranges, or null where the text is none. */
export function readPositions(text, tokens) {
  const found = new Set();
  for (const part of text.split(',').map(part => part.trim()).filter(Boolean)) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!range) {
      return null;
    }
    const last = Math.min(Number(range[2] ?? range[1]), tokens - 1);
    for (let i = Number(range[1]); i <= last; i++) {
      found.add(i);
    }
  }
  return found;
}

export function writePositions(positions) {
  const sorted = [...positions].sort((a, b) => a - b);
  const parts = [];
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (sorted[end + 1] === sorted[end] + 1) {
      end++;
    }
    parts.push(end === i ? String(sorted[i]) : `${sorted[i]}-${sorted[end]}`);
    i = end + 1;
  }
  return parts.join(',');
}
