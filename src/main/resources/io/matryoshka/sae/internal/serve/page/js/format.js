// Numbers, and tokens as people read them.

const few = new Intl.NumberFormat('en', {maximumSignificantDigits: 3, useGrouping: false});
const grouped = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

const NONE = '–';

/** A number with three significant digits. */
export function short(value) {
  if (value === null || value === undefined) {
    return NONE;
  }
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(1) : few.format(value).replace('-', '−');
}

export const fixed = (value, digits) =>
  value === null || value === undefined ? NONE : value.toFixed(digits).replace('-', '−');

export const signed = (value, digits) =>
  value === null || value === undefined ? NONE : (value > 0 ? '+' : '') + fixed(value, digits);

export const percent = (value, digits = 0) =>
  value === null || value === undefined ? NONE : `${fixed(100 * value, digits)} %`;

/** A share that may be tiny, with two significant digits. */
export const share = value =>
  value === null || value === undefined ? NONE : value !== 0 && value < 1e-4 ? '< 0.01 %' : `${short(Number((100 * value).toPrecision(2)))} %`;

export const count = value => value === null || value === undefined ? NONE : grouped.format(value);

export const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

const BYTE = /^<0x([0-9A-F]{2})>$/;

/** A token of a vocabulary as text: '▁' is a space, '<0x0A>' a line break. */
export function plain(token) {
  const byte = BYTE.exec(token);
  if (byte) {
    const code = parseInt(byte[1], 16);
    return code === 10 || code === 9 ? String.fromCharCode(code) : token;
  }
  return token.replaceAll('▁', ' ');
}

/** Some tokens of a vocabulary, with spaces between them, as text; empty for null. */
export const words = tokens => tokens === null ? '' : tokens.split(' ').map(token => plain(token).trim()).join(' ');

/** Tokens that stand alone. Vocabularies without '▁' mark what goes on with '##' and drop the spaces. */
export function plainAll(tokens) {
  const spaced = tokens.some(token => token.includes('▁')) || !tokens.some(token => token.startsWith('##'));
  return tokens.map((token, i) => spaced ? plain(token)
    : token.startsWith('##') ? token.slice(2) : i === 0 ? token : ' ' + token);
}

/**
 * What to show for each token of a text: `text` and `kind`, which is 'text', 'special', or 'byte' for a token
 * that only continues a character.
 */
export function pieces(tokens, text) {
  return tokens.map((token, i) => {
    const before = tokens[i - 1];
    if (token.start === null || token.special) {
      return {text: token.text, kind: 'special'};
    }
    if (token.end <= token.start || before && before.start === token.start && before.end === token.end) {
      return {text: plain(token.text), kind: BYTE.test(token.text) ? 'byte' : 'text'};
    }
    return {text: text.slice(token.start, token.end), kind: 'text'};
  });
}

const MARKS = {'\n': '↵\n', '\t': '⇥\t', '\r': '␍'};

// Characters without a shape of their own: controls, and marks that change the direction of what follows.
const HIDDEN = /[\0-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

const code = character => `‹${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}›`;

/** Text in which what cannot be seen has a mark: line breaks, tabs, and characters without a shape. */
export const visible = text => text.replace(HIDDEN, character => MARKS[character] ?? code(character));

/** A token within a sentence of the page. */
export const quoted = text => `“${visible(text).replace(/\s/g, ' ').trim() || (text === '' ? '' : '␣')}”`;
