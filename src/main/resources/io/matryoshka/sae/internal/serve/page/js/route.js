// The state of the page, which lies in the fragment of its address: a link shows the same again,
// and the browser's back and forward buttons work. The server never sees it.
import {useLayoutEffect, useState} from './ui.js';

const text = fallback => ({fallback, read: value => value, write: value => value});

const choice = (...values) => ({
  fallback: values[0],
  read: value => values.includes(value) ? value : undefined,
  write: value => value,
});

const number = (fallback, low = 0, high = 1e9) => ({
  fallback,
  read: value => {
    const read = value === '' ? NaN : Number(value);
    return Number.isFinite(read) ? Math.min(high, Math.max(low, read)) : undefined;
  },
  write: String,
});

const whole = (fallback, low, high) => {
  const any = number(fallback, low, high);
  return {...any, read: value => /^\d+$/.test(value) ? any.read(value) : undefined};
};

const numbers = {
  fallback: null,
  read: value => /^\d+(,\d+)*$/.test(value) ? value.split(',').map(Number) : undefined,
  write: value => value.join(','),
};

// Changes of latents: 'zero:17,scale:40:2,steer:3:24'.
const EDIT = /^(?:zero:(\d+)|(scale|steer):(\d+):(-?\d+(?:\.\d+)?(?:e-?\d+)?))$/;

function readEdit(word) {
  const found = EDIT.exec(word);
  if (!found) {
    return null;
  }
  return found[1] !== undefined
    ? {kind: 'zero', latent: Number(found[1])}
    : {kind: found[2], latent: Number(found[3]), value: Number(found[4])};
}

const edits = {
  fallback: [],
  read: value => value.split(',').map(readEdit).filter(edit => edit !== null),
  write: value => value.map(edit =>
    [edit.kind, edit.latent, ...(edit.kind === 'zero' ? [] : [edit.value])].join(':')).join(','),
};

const FIELDS = {
  view: choice('read', 'latents', 'intervene', 'compare'),
  sae: text(''),
  text: text(null),
  at: whole(null),
  width: whole(null, 1),
  levels: numbers,
  colour: choice('latents', 'error', 'loss'),
  mark: whole(null),
  latent: whole(null),
  query: text(''),
  level: whole(null),
  sort: choice('latent', '-density', 'density', 'label'),
  edits,
  positions: text(''),
  bos: choice('keep', 'change'),
  predict: whole(null),
  tokens: whole(40, 1, 10000),
  temperature: number(0, 0, 100),
  topk: whole(0),
  topp: number(1, 0, 1),
  seed: whole(0),
  left: text(''),
  leftwidth: whole(null, 1),
  right: text(''),
  rightwidth: whole(null, 1),
  by: choice('error', 'latents', 'loss'),
};

/** Reads the state out of a fragment; what it does not say, or not rightly, is the default. */
export function parse(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ''));
  const found = {};
  for (const [name, field] of Object.entries(FIELDS)) {
    const value = given.has(name) ? field.read(given.get(name)) : undefined;
    found[name] = value === undefined ? field.fallback : value;
  }
  return found;
}

/** The fragment of a state, with a leading '#'. */
export function write(state) {
  const out = new URLSearchParams();
  for (const [name, field] of Object.entries(FIELDS)) {
    const value = state[name];
    const same = value === null || field.write(value) === (field.fallback === null ? null : field.write(field.fallback));
    if (!same) {
      out.set(name, field.write(value));
    }
  }
  return '#' + out;
}

// Browsers refuse to change the address many times a second, so that it follows with a delay.
const DELAY = 300;
const listeners = new Set();
let state = parse(location.hash);
let pending = 0;

export const current = () => state;

function settle() {
  clearTimeout(pending);
  pending = 0;
  history.replaceState(null, '', write(state));
}

/** Changes some fields. With `push`, the back button returns to what was there before. */
export function go(change, push = false) {
  if (push) {
    if (pending) {
      settle();
    }
    state = {...state, ...change};
    const fragment = write(state);
    if (fragment !== location.hash) {
      history.pushState(null, '', fragment);
    }
  } else {
    state = {...state, ...change};
    clearTimeout(pending);
    pending = setTimeout(settle, DELAY);
  }
  listeners.forEach(listener => listener(state));
}

/** The whole address of what is to be seen, for others to open. */
export function link() {
  return location.href.replace(/#.*$/, '') + write(state);
}

function follow() {
  clearTimeout(pending);
  pending = 0;
  state = parse(location.hash);
  listeners.forEach(listener => listener(state));
}

window.addEventListener('popstate', follow);
window.addEventListener('hashchange', follow);
window.addEventListener('pagehide', () => pending && settle());

export function useRoute() {
  const [seen, setSeen] = useState(state);
  useLayoutEffect(() => {
    listeners.add(setSeen);
    setSeen(state);
    return () => listeners.delete(setSeen);
  }, []);
  return seen;
}
