// The changes of latents: which, how, and at which tokens.
import {go} from './route.js';
import {short} from './format.js';
import {levelClass, levelOf} from './parts.js';
import {html} from './ui.js';
import {useTokensOf, wordsOf} from './words.js';

const KINDS = [['zero', 'Set to zero'], ['scale', 'Scale by'], ['steer', 'Steer by']];
const START = {scale: 2, steer: 10};
const PICKS = 8;

function Edit({sae, name, edit, i, onChange, onRemove}) {
  const kind = event => {
    const next = event.target.value;
    onChange(next === 'zero' ? {kind: next, latent: edit.latent} : {kind: next, latent: edit.latent, value: edit.value ?? START[next]});
  };
  const number = (event, field) => {
    const read = event.target.valueAsNumber;
    if (Number.isFinite(read)) {
      onChange({...edit, [field]: field === 'latent' ? Math.min(sae.d_sae - 1, Math.max(0, Math.trunc(read))) : read});
    }
  };
  return html`<li class="edit">
    <select aria-label=${`change ${i + 1}`} value=${edit.kind} onChange=${kind}>${KINDS.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select>
    <input type="number" aria-label=${`latent of change ${i + 1}`} min="0" max=${sae.d_sae - 1} value=${edit.latent} onChange=${event => number(event, 'latent')}/>
    ${edit.kind === 'zero' ? html`<span>
      </span>` : html`<input type="number" step="any" aria-label=${`value of change ${i + 1}`} value=${edit.value} onChange=${event => number(event, 'value')}/>`}
    <span class="name" dir="auto" title=${name}>${name}</span>
    <button type="button" class="quiet" aria-label=${`remove the change of latent ${edit.latent}`} onClick=${onRemove}>×</button></li>`;
}

/** The strongest latents of the text that are not changed yet. */
function Picks({sae, labels, tokens, pieces, edits, onAdd}) {
  const picks = [...tokens].filter(([latent]) => !edits.some(edit => edit.latent === latent))
    .sort(([, [[a]]], [, [[b]]]) => b - a).slice(0, PICKS);
  return html`<div><h3 class="sub">Strong in this text</h3>
    <div class="picks">${picks.map(([latent, [[value]]]) => html`<button type="button" key=${latent}
    class=${levelClass(levelOf(sae, latent))} title=${`activation up to ${short(value)}`} aria-label=${`change latent ${latent}`} onClick=${() => onAdd(latent)}>
    <b class="level">${latent}</b><span dir="auto">${labels[latent] ?? wordsOf(tokens.get(latent).slice(0, 1), pieces)}</span>
      </button>`)}</div></div>`;
}

export function Edits({state, sae, latents, edits}) {
  const {data, pieces} = latents;
  const tokens = useTokensOf(data);
  const most = state.limits.edits;
  const add = latent => go({edits: [...edits, {kind: 'zero', latent}]}, true);
  return html`<section class="card stack" aria-label="Changes">
    <div class="head"><h2>Changes</h2>${edits.length > 0 && html`<button type="button" class="quiet" onClick=${() => go({edits: []}, true)}>Remove all</button>`}</div>
    ${edits.length === 0
      ? html`<p class="muted">Choose latents to change. <b>Zero</b> and <b>scale</b> change what is active, <b>steer</b> adds the latent’s direction at every chosen token.</p>`
      : html`<ul class="edits">${edits.map((edit, i) => html`<${Edit} key=${i} i=${i} sae=${sae} edit=${edit}
        name=${data?.labels[edit.latent] ?? wordsOf(tokens.get(edit.latent), pieces)}
        onChange=${next => go({edits: edits.with(i, next)})} onRemove=${() => go({edits: edits.toSpliced(i, 1)}, true)}/>`)}</ul>`}
    <div><button type="button" disabled=${edits.length >= most} onClick=${() => add(0)}>Add a change</button>
      ${edits.length >= most && html` <span class="muted small">At most ${most} changes.</span>`}</div>
    ${data && edits.length < most && html`<${Picks} sae=${sae} labels=${data.labels} tokens=${tokens} pieces=${pieces} edits=${edits} onAdd=${add}/>`}
  </section>`;
}
