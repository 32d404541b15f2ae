// The label of a latent, and its change.
import {call} from './api.js';
import {forget} from './query.js';
import {Failure, say} from './parts.js';
import {html, useLayoutEffect, useRef, useState} from './ui.js';

function Form({state, sae, latent, text, onDone}) {
  const [typed, setTyped] = useState(text);
  const [error, setError] = useState(null);
  const field = useRef(null);
  useLayoutEffect(() => field.current.focus(), []);
  const keep = event => {
    event.preventDefault();
    call('PUT', '/api/label', {sae: sae.key, latent, text: typed})
      .then(() => {
        forget();
        say('Label kept');
        onDone();
      }, setError);
  };
  return html`<form class="label-form" onSubmit=${keep} onKeyDown=${event => event.key === 'Escape' && onDone()}>
    <label class="hidden" for="label">Label of latent ${latent}</label>
    <input id="label" ref=${field} dir="auto" value=${typed} maxlength=${state.limits.label_characters} placeholder="What does it stand for?" onInput=${event => setTyped(event.target.value)}/>
    <button type="submit" class="main" disabled=${typed.trim() === ''}>Keep</button><button type="button" onClick=${onDone}>Cancel</button>
    ${error && html`<${Failure} error=${error}/>`}</form>`;
}

/** The label with a link to Neuronpedia. */
export function LabelEditor({state, sae, found}) {
  const [editing, setEditing] = useState(false);
  const [error, setError] = useState(null);
  const opener = useRef(null);
  const {label, latent} = found;
  const done = () => {
    setEditing(false);
    setTimeout(() => opener.current?.focus());
  };
  const remove = () => call('DELETE', `/api/label?${new URLSearchParams({sae: sae.key, latent})}`)
    .then(() => {
      forget();
      say('Label removed');
    }, setError);
  if (editing) {
    return html`<${Form} state=${state} sae=${sae} latent=${latent} text=${label?.text ?? ''} onDone=${done}/>`;
  }
  return html`<div class="label-line">
    ${label ? html`<q dir="auto">${label.text}</q>
      <span class="muted small">${label.own ? 'yours, ' : ''}${label.provenance}</span>` : html`<span class="muted">No label yet</span>`}
    ${sae.labels.editable
      ? html`<button type="button" class="quiet" ref=${opener} onClick=${() => setEditing(true)}>${label ? 'Edit label' : 'Add a label'}</button>
        ${label?.own && html`<button type="button" class="quiet" onClick=${remove}>Remove yours</button>`}`
      : html`<span class="muted small">${sae.labels.reason}</span>`}
    ${found.neuronpedia && html`<a class="small" href=${found.neuronpedia} target="_blank" rel="noopener noreferrer">Neuronpedia ↗<span class="hidden">, opens in a new tab, needs a network</span></a>`}
    ${error && html`<${Failure} error=${error}/>`}</div>`;
}
