// A text as its tokens, each of which can have a colour and be chosen.
import {quoted, visible} from './format.js';
import {html, useLayoutEffect, useRef} from './ui.js';

// The strongest tint that leaves text legible on both grounds.
const TINT = 50;

// Height of a line below a token with the gap above it, in pixels.
const LINE = 3;

/** A background of a colour: `part` from 0 to 1 tells how strong. */
export const tint = (colour, part) =>
  part > 0 ? `color-mix(in srgb, ${colour} ${(TINT * Math.min(1, part)).toFixed(1)}%, transparent)` : '';

/** A background that says how much better (below 0) or worse a token got; 1 is the strongest. */
export const both = part => part >= 0 ? tint('var(--worse)', part) : tint('var(--better)', -part);

/** Lines below a token, one for each colour, as `[colour, part]`; for `background` with a tint. */
export function ribbons(ground, lines) {
  const layers = lines.flatMap(([colour, part], i) => part <= 0 ? []
    : [`linear-gradient(${mixed(colour, part)} 0 0) 0 calc(100% - ${LINE * (lines.length - 1 - i)}px) / 100% 2px no-repeat`]);
  if (ground) {
    layers.push(`linear-gradient(${ground} 0 0) 0 0 / 100% calc(100% - ${LINE * lines.length + 1}px) no-repeat`);
  }
  return layers.join(', ');
}

const mixed = (colour, part) => `color-mix(in srgb, ${colour} ${Math.round(25 + 75 * Math.min(1, part))}%, transparent)`;

// The space before a word stands outside of its box, so that a line can break there, and so does the line
// break that ends a token.
const spaced = text => text.length > 1 && text[0] === ' ' && text[1] !== ' ';
const before = text => spaced(text) ? ' ' : '';
const within = text => visible(spaced(text) ? text.slice(1) : text).replace(/\n$/, '');
const after = text => text.endsWith('\n') ? '\n' : '';

/** The next token up or down from one, by where they are drawn. */
function onNextLine(options, at, down) {
  const here = options[at].getBoundingClientRect();
  const middle = here.left + here.width / 2;
  let best = -1;
  let line = null;
  for (let i = at; i >= 0 && i < options.length; i += down ? 1 : -1) {
    const box = options[i].getClientRects()[0];
    if (!box || Math.abs(box.top - here.top) < 4) {
      continue;
    }
    if (line !== null && Math.abs(box.top - line) > 4) {
      break;
    }
    line = box.top;
    if (best < 0 || Math.abs(box.left + box.width / 2 - middle) < distance(options[best], middle)) {
      best = i;
    }
  }
  return best;
}

function distance(option, middle) {
  const box = option.getClientRects()[0];
  return Math.abs(box.left + box.width / 2 - middle);
}

function target(event, options, at) {
  switch (event.key) {
    case 'ArrowRight': return Math.min(options.length - 1, at + 1);
    case 'ArrowLeft': return Math.max(0, at - 1);
    case 'ArrowDown': return onNextLine(options, at, true);
    case 'ArrowUp': return onNextLine(options, at, false);
    case 'Home': return 0;
    case 'End': return options.length - 1;
    default: return -1;
  }
}

/**
 * Tokens that can be chosen, with the pointer or the arrow keys. `paint(i)` gives the background, `tell(i)`
 * what a screen reader says beside the text, `lines` how many ribbons there are. With `chosen`, a set, several can be marked by `onToggle`.
 */
export function Strip({pieces, name, paint, tell, selected, onSelect, chosen, onToggle, lines = 0}) {
  const box = useRef(null);
  const moved = useRef(false);
  const several = Boolean(onToggle);
  const first = selected !== null && selected < pieces.length ? selected : 0;
  // Not useEffect: the focus must be there when the next key is pressed.
  useLayoutEffect(() => {
    if (moved.current) {
      moved.current = false;
      box.current.children[first]?.focus();
    }
  }, [first]);
  const onClick = event => {
    const token = event.target.closest('.t');
    if (token && getSelection().isCollapsed) {
      const at = Number(token.dataset.i);
      if (several) {
        onToggle(at);
      } else {
        onSelect(at === selected ? null : at);
      }
    }
  };
  const onKeyDown = event => {
    const at = Number(event.target.dataset?.i);
    if (event.key === 'Escape' && selected !== null) {
      onSelect(null);
    } else if ((event.key === 'Enter' || event.key === ' ') && Number.isInteger(at)) {
      event.preventDefault();
      if (several) {
        onToggle(at);
      } else {
        onSelect(at);
      }
    } else if (Number.isInteger(at) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const next = target(event, box.current.children, at);
      if (next >= 0) {
        event.preventDefault();
        moved.current = true;
        onSelect(next);
        if (next === first) {
          box.current.children[next].focus();
        }
      }
    }
  };
  return html`<div class="strip" role="listbox" aria-label=${name} aria-multiselectable=${several} dir="auto" ref=${box}
      style=${{'--under': `${LINE * lines}px`}}
      onClick=${onClick} onKeyDown=${onKeyDown}>
    ${pieces.map((piece, i) => html`${before(piece.text)}<span key=${i} role="option" data-i=${i} tabindex=${i === first ? 0 : -1}
      class=${`t ${piece.kind}${chosen?.has(i) ? ' chosen' : ''}`}
      aria-selected=${several ? chosen.has(i) : i === selected}
      aria-label=${`${i}: ${quoted(piece.text)}${tell ? ', ' + tell(i) : ''}`}
      style=${{background: paint(i)}}>${within(piece.text)}</span>${after(piece.text)}`)}
  </div>`;
}

/** Tokens to read only, such as a context of a latent, tinted by activation. */
export function Context({tokens, activations, at, most, colour}) {
  return html`<div class=${'strip plain ' + colour} dir="auto">${tokens.map((token, i) => html`${i === 0 ? '' : before(token)}<span key=${i}
    class=${i === at ? 't peak' : 't'} title=${activations[i] ? String(activations[i]) : null}
    style=${{background: tint('var(--c)', most > 0 ? activations[i] / most : 0)}}>${within(token)}</span>${after(token)}`)}</div>`;
}
