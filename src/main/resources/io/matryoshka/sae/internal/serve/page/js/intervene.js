// The third view: what changes in the model when latents are changed.
import {Continuations} from './continuations.js';
import {Differences} from './chart.js';
import {Edits} from './edits.js';
import {go} from './route.js';
import {fixed, plain, quoted, short, signed} from './format.js';
import {Busy, Choice, Empty, Failure, Tile} from './parts.js';
import {readPositions, writePositions} from './positions.js';
import {useCall, useSettled} from './query.js';
import {Foot} from './share.js';
import {both, Strip} from './strip.js';
import {TextBox, textOf, useLatents} from './text.js';
import {html, useMemo, useState} from './ui.js';

const FULL_LOSS = 2;
const COUNT = 8;
const STILL_MILLIS = 250;

/** What is asked of the server, as far as interventions and continuations have it in common. */
function changeOf(route, sae, text) {
  return {
    sae: sae.key, text, edits: route.edits, positions: route.positions.trim() === '' ? null : route.positions.replaceAll(' ', ''),
    skip_bos: route.bos === 'keep',
  };
}

function Where({route, positions, tokens, mode, setMode}) {
  return html`<div class="row">
    <${Choice} name="A click on a token chooses" value=${mode} onChange=${setMode} options=${[['predict', 'Predict after'], ['positions', 'Change at']]}/>
    <label class="field"><span>Change at tokens</span>
      <input type="text" size="9" placeholder="all" value=${route.positions} aria-invalid=${positions === null}
      onInput=${event => go({positions: event.target.value})}/></label>
    ${route.positions !== '' && html`<button type="button" class="quiet" onClick=${() => go({positions: ''})}>All tokens</button>`}
    <label class="field">
      <input type="checkbox" checked=${route.bos === 'change'} onChange=${event => go({bos: event.target.checked ? 'change' : 'keep'})}/>
      <span>also at the first, special token</span></label>
    ${positions === null && html`<p class="small" role="alert">Positions are numbers and ranges, such as 2-5,7${tokens > 0 ? `; this text has 0 to ${tokens - 1}` : ''}.</p>`}
  </div>`;
}

function Text({route, latents, positions, result}) {
  const [mode, setMode] = useState('predict');
  const tokens = latents.pieces.length;
  const at = route.predict !== null && route.predict < tokens ? route.predict : tokens - 1;
  const added = i => result && i > 0 && result.clean.loss.length === tokens - 1 ? result.changed.loss[i - 1] - result.clean.loss[i - 1] : 0;
  const toggle = i => {
    const next = new Set(positions ?? []);
    if (!next.delete(i)) {
      next.add(i);
    }
    go({positions: writePositions(next)});
  };
  return html`<section class="card stack" aria-label="Tokens">
    <${Where} route=${route} positions=${positions} tokens=${tokens} mode=${mode} setMode=${setMode}/>
    <div class=${latents.stale ? 'stale' : ''}>
      <${Strip} pieces=${latents.pieces} name=${mode === 'predict' ? 'Token to predict after' : 'Tokens to change at'}
      paint=${i => both(added(i) / FULL_LOSS)} tell=${i => result && i > 0 ? `loss ${signed(added(i), 2)}` : ''} selected=${at}
      onSelect=${i => go({predict: i})} chosen=${positions ?? new Set()} onToggle=${mode === 'positions' ? toggle : undefined}/></div>
    <p class="legend"><span>−2<span class="ramp both">
      </span>+2 nats in predicting the token</span>${route.positions !== '' && html`<span>underlined: changed</span>`}</p>
  </section>`;
}

function Next({result, piece}) {
  const most = Math.max(...result.next.map(({clean, changed}) => Math.max(clean, changed)));
  const probability = value => value >= 0.001 ? fixed(100 * value, 1) : '< 0.1';
  return html`<section class="card next"><div class="head"><h2>Next token after ${quoted(piece?.text ?? '')}</h2>
      <p class="legend"><span><span class="key clean"></span>clean</span><span><span class="key changed"></span>changed</span></p></div>
    <div class="scroll" tabindex="0" role="region" aria-label="Next tokens"><table><thead><tr><th scope="col">Token</th><th scope="col">
      <span class="hidden">Both, drawn</span></th><th class="num" scope="col">Clean %</th><th class="num" scope="col">Changed %</th></tr></thead>
    <tbody>${result.next.map(({id, text, clean, changed}, i) => html`<tr key=${`${i}-${id}`}>
      <td title=${`token ${id}`}>${plain(text).replace(/^ /, '␣').replaceAll('\n', '↵')}</td>
      <td><div class="pair-bars"><span class="bar clean"><${Fill} value=${clean} most=${most}/></span><span class="bar changed">
        <${Fill} value=${changed} most=${most}/></span></div></td>
      <td class="num">${probability(clean)}</td><td class="num">${probability(changed)}</td></tr>`)}</tbody></table></div></section>`;
}

const Fill = ({value, most}) => html`<i style=${{width: `${(100 * value / most).toFixed(1)}%`}}></i>`;

function Effect({result, pieces}) {
  const {clean, changed} = result;
  const values = changed.loss.map((loss, i) => loss - clean.loss[i]);
  return html`<section class="card stack"><h2>Loss of each token</h2>
    <dl class="tiles"><${Tile} name="Clean loss" value=${fixed(clean.mean_loss, 3)} note="nats, mean"/>
      <${Tile} name="Changed loss" value=${fixed(changed.mean_loss, 3)} note=${`${signed(clean.mean_loss === null ? null : changed.mean_loss - clean.mean_loss, 3)}`}/>
      <${Tile} name="KL divergence" value=${short(changed.mean_kl)} note="mean of all tokens"/></dl>
    ${values.length > 0 && html`<${Differences} values=${values} name=${i => quoted(pieces[i + 1]?.text ?? '')} unit="nats" label=${`Change of the loss of each token, ${signed(values.reduce((a, b) => a + b, 0) / values.length, 3)} nats on average`}/>`}
  </section>`;
}

/** The answer of /api/intervene once changes and text are still, while there are changes. */
function useEffectOfEdits(route, sae, latents, positions) {
  const tokens = latents.pieces.length;
  const predict = route.predict !== null && route.predict < tokens ? {position: route.predict} : {};
  const ask = latents.data && !latents.stale && route.edits.length > 0 && positions !== null
    ? {...changeOf(route, sae, latents.shown), ...predict, count: COUNT} : null;
  const key = useSettled(ask === null ? '' : JSON.stringify(ask), STILL_MILLIS);
  return useCall('POST', '/api/intervene', useMemo(() => key === '' ? null : JSON.parse(key), [key]));
}

export function Intervene({route, state, sae}) {
  const text = textOf(route, state);
  const latents = useLatents(sae, text);
  const positions = readPositions(route.positions, latents.pieces.length);
  const answer = useEffectOfEdits(route, sae, latents, positions);
  const result = route.edits.length > 0 && answer.request?.text === latents.shown ? answer.data : null;
  if (sae.transcoder) {
    return html`<${Empty}>A transcoder reads one place of the model and writes another, so its latents cannot be changed in place.<//>`;
  }
  return html`<div class="intervene">
    <div class="stack"><${TextBox} state=${state} sae=${sae} latents=${latents} rows=${2}/>
      <${Edits} state=${state} sae=${sae} latents=${latents} edits=${route.edits}/></div>
    <div class="stack">
      ${latents.data && html`<${Text} route=${route} latents=${latents} positions=${positions} result=${result}/>`}
      <${Busy} on=${answer.loading} what="Running the model twice"/>
      ${answer.error && html`<${Failure} error=${answer.error} retry=${answer.retry}/>`}
      ${route.edits.length === 0 && html`<${Empty}>Without a change there is nothing to compare yet. Add one, or press a latent that is strong in this text.<//>`}
      ${result && html`<div class=${answer.loading ? 'sides stale' : 'sides'}>
        <${Next} result=${result} piece=${latents.pieces[result.position]}/><${Effect} result=${result} pieces=${latents.pieces}/></div>`}
      ${latents.data && html`<${Continuations} route=${route} state=${state} change=${changeOf(route, sae, text)}/>`}
      ${result && html`<${Foot} view="intervene" request=${answer.request} same=${result.same}/>`}
    </div></div>`;
}
