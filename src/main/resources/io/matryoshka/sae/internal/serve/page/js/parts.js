// Small parts that all views are made of.
import {current, go, write} from './route.js';
import {percent, plain, quoted, short, words} from './format.js';
import {html, useEffect, useId, useLayoutEffect, useRef, useState} from './ui.js';

export const levelClass = level => 'c' + level % 8;

/** The level of a latent, by the levels of an SAE. */
export const levelOf = (sae, latent) => sae.levels.findIndex(({from, to}) => latent >= from && latent < to);

export function Level({level}) {
  return html`<span class=${'level ' + levelClass(level)} title=${`level ${level}`}
    ><span class="hidden">level </span>${level}</span>`;
}

/** A link that changes some fields of the page's state. */
export function StateLink({change, children, ...rest}) {
  const follow = event => {
    if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      go(change, true);
    }
  };
  return html`<a ...${rest} href=${write({...current(), ...change})} onClick=${follow}>${children}</a>`;
}

export function LatentLink({latent}) {
  return html`<${StateLink} class="id" change=${{view: 'latents', latent}} aria-label=${`latent ${latent}`}>${latent}<//>`;
}

/** A few choices, of which one is taken. */
export function Choice({name, value, options, onChange}) {
  const group = useId();
  return html`<div class="seg" role="radiogroup" aria-label=${name}>
    ${options.map(([option, label, disabled]) => html`<label key=${option}>
      <input type="radio" name=${group} value=${option} checked=${option === value} disabled=${Boolean(disabled)}
        onChange=${() => onChange(option)}/>${label}</label>`)}
  </div>`;
}

export function Bar({value, most, title}) {
  const part = most > 0 ? Math.min(1, Math.max(0, value / most)) : 0;
  return html`<span class="bar" title=${title}><i style=${{width: percent(part, 1).replace(' ', '')}}></i></span>`;
}

/** A part of a whole that may be negative. */
export function SignedBar({value}) {
  const low = Math.min(0, value);
  const high = Math.min(1, Math.max(0, value));
  const zero = 0.1;
  const scale = part => `${(100 * (1 - zero) * part).toFixed(2)}%`;
  const style = value >= 0
    ? {left: `${100 * zero}%`, width: scale(high)}
    : {left: `calc(${100 * zero}% - ${scale(Math.min(zero, -low))})`, width: scale(Math.min(zero, -low))};
  return html`<span class="bar signed"><i style=${style}></i></span>`;
}

export function Amount({value, most, level}) {
  return html`<span class=${'amount ' + levelClass(level)}><${Bar} value=${value} most=${most}/>
    <span class="num">${short(value)}</span></span>`;
}

export function Label({text, none = ''}) {
  return text
    ? html`<span class="label" dir="auto" title=${text}>${text}</span>`
    : html`<span class="label none" dir="auto">${none}</span>`;
}

/** The label of a latent; else the tokens on which it is strongest, or the one that it promotes most. */
export function Meaning({latent: {label, top_tokens: tokens, promoted = null}}) {
  return html`<${Label} text=${label} none=${words(tokens) || (promoted === null ? '' : `promotes ${quoted(plain(promoted))}`)}/>`;
}

/** A call that did not succeed, in the server's words. A lost server has its own banner. */
export function Failure({error, retry}) {
  if (error.away || error.code === 'token_needed') {
    return null;
  }
  return html`<div class="notice bad" role="alert"><p>${sentence(error.message)}</p>
    ${retry && error.status !== 400 && error.status !== 413
      && html`<button type="button" onClick=${retry}>Try again</button>`}</div>`;
}

const sentence = message => message.charAt(0).toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? '' : '.');

export function Empty({children}) {
  return html`<div class="empty"><p>${children}</p></div>`;
}

/** A line that moves while an answer is on its way, and says so to screen readers when it takes long. */
export function Busy({on, what = 'Computing'}) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = on ? setTimeout(() => setSlow(true), 1200) : 0;
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [on]);
  return html`<div class="wait" role="status"><div class=${on ? 'busy on' : 'busy'}></div>
    <p class="muted small">${slow ? `${what}… One computation runs at a time; this one may be waiting for its turn.` : ''}</p></div>`;
}

export function Tile({name, value, note, title, children}) {
  return html`<div class="tile" title=${title}><dt>${name}</dt><dd>${value}
    ${note !== undefined && html`<div class="note">${note}</div>`}${children}</dd></div>`;
}

/** Something that is on or off, and its switch. */
export function useToggle(start = false) {
  const [on, set] = useState(start);
  return [on, () => set(!on)];
}

// Short messages, such as 'Link copied'.
let announce = () => {};

export const say = message => announce(message);

export function Toast() {
  const [message, setMessage] = useState('');
  const timer = useRef(0);
  announce = next => {
    clearTimeout(timer.current);
    setMessage(next);
    timer.current = setTimeout(() => setMessage(''), 2500);
  };
  return html`<div class="toast" role="status">${message}</div>`;
}

async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Without a secure context, as when served to other machines, there is only the old way.
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'hidden';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) {
    throw new Error('the browser does not let the page copy');
  }
}

export function CopyButton({text, label = 'Copy', done = 'Copied'}) {
  const take = () => copy(typeof text === 'function' ? text() : text)
    .then(() => say(done), () => say('The browser does not let the page copy; select the text and copy it'));
  return html`<button type="button" class="quiet" onClick=${take}>${label}</button>`;
}

/** Buttons that open on a click, and close on Escape, a choice, or a click elsewhere. */
export function Menu({label, children}) {
  const [open, setOpen] = useState(false);
  const box = useRef(null);
  const id = useId();
  // Not useEffect: that stops listening only some time after the menu is gone.
  useLayoutEffect(() => {
    const outside = event => !box.current.contains(event.target) && setOpen(false);
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, []);
  const onKeyDown = event => {
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
      box.current.querySelector('button').focus();
    }
  };
  return html`<div class="menu" ref=${box} onKeyDown=${onKeyDown}>
    <button type="button" class="quiet" aria-expanded=${open} aria-controls=${id} onClick=${() => setOpen(!open)}>${label} ▾</button>
    ${open && html`<div id=${id} onClick=${() => setOpen(false)}>${children}</div>`}
  </div>`;
}
