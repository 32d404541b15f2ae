// The fourth view: two SAEs, or two prefixes of one, on the same text.
import {go} from './route.js';
import {count, fixed, percent, pieces, quoted, short, signed} from './format.js';
import {Amount, Bar, Busy, Choice, Empty, Failure, Label, LatentLink, Level, levelClass, levelOf} from './parts.js';
import {useCall, useSettled} from './query.js';
import {Foot} from './share.js';
import {both, Strip, tint} from './strip.js';
import {TextBox, textOf, useLatents} from './text.js';
import {html, useMemo} from './ui.js';
import {useTokensOf, wordsOf} from './words.js';

const FULL_LOSS = 2;
const STILL_MILLIS = 250;
const FIRST_MATCHES = 40;

/** The two sides that the address names; without one, the SAE's first level beside all of it, or two SAEs. */
function sidesOf(route, state, sae) {
  const find = key => state.saes.find(each => each.key === key);
  const left = find(route.left) ?? sae;
  const other = state.saes.find(each => each.key !== left.key && each.model?.name === left.model?.name);
  const right = find(route.right) ?? other ?? left;
  const alone = route.left === '' && route.right === '' && route.leftwidth === null && route.rightwidth === null && right.key === left.key;
  return {
    left: {sae: left, width: alone ? left.widths[0] : route.leftwidth},
    right: {sae: right, width: route.rightwidth},
  };
}

/** A change of one side, which also fixes the other as it is. */
const change = ({left, right}, name, key, width) => ({
  left: left.sae.key, leftwidth: left.width, right: right.sae.key, rightwidth: right.width, [name]: key, [name + 'width']: width,
});

function Picker({state, name, sides}) {
  const {sae, width} = sides[name];
  const take = event => go(change(sides, name, event.target.value, null), true);
  const widen = event => {
    const read = event.target.valueAsNumber;
    go(change(sides, name, sae.key, Number.isFinite(read) ? Math.min(sae.d_sae, Math.max(1, Math.trunc(read))) : null), true);
  };
  return html`<div class="side-head"><h2>${name === 'left' ? 'Left' : 'Right'}</h2>
    <select aria-label=${`SAE on the ${name}`} value=${sae.key} onChange=${take}>${state.saes.map(({key, model}) => html`<option key=${key} value=${key} disabled=${!model}>${key}</option>`)}</select>
    <label class="field"><span>First</span>
      <input type="number" list=${`${name}-widths`} min="1" max=${sae.d_sae} placeholder=${sae.d_sae} value=${width ?? ''} aria-label=${`width on the ${name}`} onChange=${widen}/>
      <span>latents</span></label>
    <datalist id=${`${name}-widths`}>${sae.widths.map(each => html`<option key=${each} value=${each}></option>`)}</datalist></div>`;
}

const METRICS = [
  ['Explained variance', 'explained_variance', value => fixed(value, 3), 1],
  ['L0', 'l0', short, 0],
  ['Loss, nats', 'mean_loss', value => fixed(value, 3), -1],
  ['KL', 'mean_kl', short, -1],
  ['Loss recovered', 'recovered', value => percent(value, 1), 1],
];

function Metrics({answer}) {
  const {left, right, clean} = answer;
  const best = (a, b, better) => better !== 0 && a !== null && b !== null && better * (a - b) > 0 ? 'num best' : 'num';
  return html`<section class="card"><div class="scroll" tabindex="0" role="region" aria-label="Figures of both sides"><table>
    <thead><tr><th scope="col">On this text</th><th class="num" scope="col">Left</th><th class="num" scope="col">Right</th>
      <th class="num" scope="col">Right − left</th></tr></thead>
    <tbody>${METRICS.map(([name, field, show, better]) => html`<tr key=${field}>
      <th scope="row">${name}${field === 'mean_loss' && clean ? html` <span class="muted">(clean ${fixed(clean.mean_loss, 3)})</span>` : ''}</th>
      <td class=${best(left[field], right[field], better)}>${show(left[field])}</td>
        <td class=${best(right[field], left[field], better)}>${show(right[field])}</td>
      <td class="num muted">${left[field] === null || right[field] === null ? '–' : (right[field] > left[field] ? '+' : '') + short(right[field] - left[field])}</td>
        </tr>`)}</tbody></table></div></section>`;
}

function paintOf(by, sae, side, clean) {
  if (by === 'error') {
    return {paint: i => tint('var(--worse)', side.error[i] ?? 0), tell: i => `error ${short(side.error[i])}`};
  }
  if (by === 'loss') {
    const added = i => i === 0 || side.loss === null || clean === null ? 0 : side.loss[i - 1] - clean.loss[i - 1];
    return {paint: i => both(added(i) / FULL_LOSS), tell: i => `loss ${signed(added(i), 2)}`};
  }
  const most = Math.max(0, ...side.latents.map(active => active[0]?.[1] ?? 0));
  return {
    paint: i => side.latents[i].length === 0 ? '' : tint(`var(--${levelClass(levelOf(sae, side.latents[i][0][0]))})`, side.latents[i][0][1] / most),
    tell: i => side.latents[i].length === 0 ? 'no active latent' : `latent ${side.latents[i][0][0]} with ${short(side.latents[i][0][1])}`,
  };
}

function Active({sae, side, tokens, shown, at}) {
  const words = useTokensOf(useMemo(() => ({latents: side.latents, tokens}), [side, tokens]));
  const pairs = side.latents[at].slice(0, 10);
  return pairs.length === 0 ? html`<p class="muted small">No latent is active on this token.</p>`
    : html`<ul class="latents near">${pairs.map(([latent, value]) => html`<li key=${latent}><${LatentLink} latent=${latent}/>
      <${Label} text=${side.labels[latent]} none=${wordsOf(words.get(latent), shown)}/>
      <${Amount} value=${value} most=${pairs[0][1]} level=${levelOf(sae, latent)}/><${Level} level=${levelOf(sae, latent)}/></li>`)}</ul>`;
}

function Side({name, route, state, sides, found, answer, shown, stale}) {
  const side = sides[name];
  const {paint, tell} = found ? paintOf(route.by, side.sae, found, answer.clean) : {};
  const at = route.at !== null && route.at < shown.length ? route.at : null;
  return html`<section class="card" aria-label=${`${name} side`}><${Picker} state=${state} name=${name} sides=${sides}/>
    ${found && html`<div class=${stale ? 'stale' : ''}>
      <${Strip} pieces=${shown} name=${`Tokens, ${name}`} paint=${paint} tell=${tell} selected=${at} onSelect=${next => go({at: next})}/></div>
      ${at !== null && html`<h3>${quoted(shown[at].text)} <span class="muted">${tell(at)}</span></h3>
        <${Active} sae=${side.sae} side=${found} tokens=${answer.tokens} shown=${shown} at=${at}/>`}`}</section>`;
}

function Matches({answer, left, right}) {
  const {matches} = answer;
  const link = (sae, latent) => html`<a href=${`#view=latents&sae=${encodeURIComponent(sae.key)}&latent=${latent}`}>${latent}</a> <${Level} level=${levelOf(sae, latent)}/>`;
  return html`<section class="card"><h2>Which latents belong together</h2>${matches.length === 0
    ? html`<${Empty}>There are no pairs: the directions have different widths, or nothing is active.<//>`
    : html`<p class="muted small">For each latent on the left, the nearest direction on the right among those active in this text.</p>
      <div class="scroll" tabindex="0" role="region" aria-label="Matches"><table><thead><tr><th scope="col">Left</th>
        <th scope="col">Right</th><th class="num" scope="col">Cosine</th><th scope="col"><span class="hidden">Cosine, drawn</span></th>
        <th scope="col">Nearest both ways</th><th class="num" scope="col">Tokens left, right, both</th></tr></thead>
      <tbody>${matches.slice(0, FIRST_MATCHES).map(match => html`<tr key=${match.left}>
        <th scope="row">${link(left.sae, match.left)} <${Label} text=${answer.left.labels[match.left]} none=""/></th>
        <td>${link(right.sae, match.right)} <${Label} text=${answer.right.labels[match.right]} none=""/></td>
          <td class="num">${fixed(match.cosine, 3)}</td><td><${Bar} value=${match.cosine} most=${1}/></td>
        <td>${match.mutual ? 'yes' : ''}</td><td class="num">${match.tokens_left}, ${match.tokens_right}, ${match.tokens_both}</td>
          </tr>`)}</tbody></table></div>
      ${matches.length > FIRST_MATCHES && html`<p class="muted small">The first ${FIRST_MATCHES} of ${count(matches.length)}; the export has all.</p>`}`}</section>`;
}

export function Compare({route, state, sae}) {
  const text = textOf(route, state);
  const latents = useLatents(sae, text);
  const sides = sidesOf(route, state, sae);
  const {left, right} = sides;
  const want = JSON.stringify({text, left: {sae: left.sae.key, width: left.width}, right: {sae: right.sae.key, width: right.width}});
  const settled = useSettled(want, STILL_MILLIS);
  const request = useMemo(() => text === '' ? null : JSON.parse(settled), [settled, text === '']);
  const call = useCall('POST', '/api/compare', request);
  const answer = text === '' || call.error ? null : call.data;
  const shown = useMemo(() => answer ? pieces(answer.tokens, call.request.text) : [], [answer]);
  const side = name => html`<${Side} name=${name} route=${route} state=${state} sides=${sides} shown=${shown} stale=${call.loading}
    found=${answer && call.request[name].sae === sides[name].sae.key ? answer[name] : null} answer=${answer}/>`;
  return html`<div class="stack">
    <${TextBox} state=${state} sae=${sae} latents=${latents} rows=${2}/>
    <${Choice} name="Colour by" value=${route.by} onChange=${by => go({by})} options=${[['error', 'Error'], ['latents', 'Strongest latent'], ['loss', 'Added loss', answer !== null && answer.clean === null]]}/>
    <${Busy} on=${call.loading} what="Comparing"/>
    ${call.error && html`<${Failure} error=${call.error} retry=${call.retry}/>`}
    <div class="sides">${side('left')}${side('right')}</div>
    ${text === '' && html`<${Empty}>Type a text above to compare both sides on it.<//>`}
    ${answer && html`<${Metrics} answer=${answer}/><${Matches} answer=${answer} left=${left} right=${right}/>
    <${Foot} view="compare" request=${call.request} same=${answer.same}/>`}
  </div>`;
}
