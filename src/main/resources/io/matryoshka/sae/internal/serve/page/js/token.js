// What one token says, level by level, or the whole text while none is chosen.
import {go} from './route.js';
import {count, percent, plural, quoted, short, signed} from './format.js';
import {Amount, Label, LatentLink, Level, levelClass, levelOf, SignedBar, useToggle} from './parts.js';
import {html} from './ui.js';
import {useTokensOf, wordsOf} from './words.js';

const FIRST = 5;

function LatentRow({latent, value, most, level, label, on, mark, beyond}) {
  const marked = mark === latent;
  return html`<li class=${beyond ? 'beyond' : ''}>
    <${LatentLink} latent=${latent}/><${Label} text=${label} none=${on}/><${Amount} value=${value} most=${most} level=${level}/>
    <button type="button" class="quiet" aria-pressed=${marked} title="colour the text by this latent"
      aria-label=${`colour the text by latent ${latent}`}
      onClick=${() => go({mark: marked ? null : latent, colour: 'latents'})}>${marked ? '●' : '○'}</button></li>`;
}

/** The latents of a level, the strongest first; those beyond the first few on demand. */
function LevelGroup({sae, level, pairs, most, labels, mark, width, share, on, top = FIRST}) {
  const [all, toggle] = useToggle();
  const {from, to} = sae.levels[level];
  const beyond = to > width;
  return html`<li>
    <div class=${'level-head ' + levelClass(level)}>
      <${Level} level=${level}/>
      ${share === undefined
        ? html`<span class="muted">latents ${from}–${to - 1}</span><span></span>`
        : html`<${SignedBar} value=${share ?? 0}/><span class="num">${percent(share)}</span>`}
    </div>
    ${pairs.length === 0
      ? html`<p class="muted small">No active latent of this level.</p>`
      : html`<ul class="latents">${(all ? pairs : pairs.slice(0, top)).map(([latent, value]) => html`<${LatentRow} key=${latent}
          latent=${latent} value=${value} most=${most} level=${level} label=${labels[latent]} on=${on?.(latent)} mark=${mark} beyond=${beyond}/>`)}</ul>`}
    ${pairs.length > top && html`<button type="button" class="quiet" aria-expanded=${all} onClick=${toggle}>${all ? 'Show fewer' : `Show all ${pairs.length}`}</button>`}
    ${beyond && pairs.length > 0 && html`<p class="muted small">Beyond the chosen width.</p>`}
  </li>`;
}

const byLevel = (sae, pairs) => sae.levels.map(({level}) => pairs.filter(([latent]) => levelOf(sae, latent) === level));

export function TokenPanel({sae, data, pieces, at, index, losses, mark}) {
  const tokens = useTokensOf(data);
  const token = data.tokens[at];
  const pairs = data.latents[at];
  const most = pairs.length > 0 ? pairs[0][1] : 0;
  const {width, error} = data.widths[index];
  const loss = at > 0 && losses ? losses.widths[index].loss[at - 1] : null;
  return html`<div class="head"><p class="token-title" dir="auto">${quoted(pieces[at].text)}</p>
      <button type="button" class="quiet" onClick=${() => go({at: null})}>Whole text</button></div>
    <p class="pairs"><span>token <b>${at}</b></span><span>id <b>${token.id}</b></span>
      <span>error <b>${short(error[at])}</b></span>
      ${loss !== null && html`<span title="against the clean run">loss <b>${short(loss)}</b> (${signed(loss - losses.clean.loss[at - 1], 2)})</span>`}
      ${!token.counted && html`<span>not counted: the SAE was trained without it</span>`}</p>
    ${pairs.length === 0
      ? html`<p class="muted">No latent is active on this token.</p>`
      : html`<p class="muted small">Bars: share of the reconstruction that each level gives.</p>
    <ul class="levels">${byLevel(sae, pairs).map((group, level) => html`<${LevelGroup} key=${level} sae=${sae} level=${level} pairs=${group}
      most=${most} labels=${data.labels} on=${latent => wordsOf(tokens.get(latent), pieces)} mark=${mark} width=${width} share=${data.shares[at][level]}/>`)}</ul>`}`;
}

export function TextOverview({sae, data, pieces, index, mark}) {
  const tokens = useTokensOf(data);
  const pairs = [...tokens].map(([latent, [[value]]]) => [latent, value]).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const {width} = data.widths[index];
  return html`<h2>Strongest in the text</h2>
    <p class="muted small">${plural(pairs.length, 'latent')} of ${count(sae.d_sae)} are active. Choose a token to see its own.</p>
    <ul class="levels">${byLevel(sae, pairs).map((group, level) => html`<${LevelGroup} key=${level} sae=${sae} level=${level} pairs=${group}
      on=${latent => wordsOf(tokens.get(latent), pieces)} most=${pairs[0]?.[1] ?? 0} labels=${data.labels} mark=${mark} width=${width} top=${4}/>`)}</ul>`;
}
