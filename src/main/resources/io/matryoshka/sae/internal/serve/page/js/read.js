// The first view: a text, its tokens coloured by their latents, and what one token says.
import {go} from './route.js';
import {quoted, short} from './format.js';
import {Choice, Empty, Failure, levelClass, levelOf} from './parts.js';
import {useCall, useSettled} from './query.js';
import {Foot, joinSame} from './share.js';
import {both, ribbons, Strip, tint} from './strip.js';
import {TextBox, textOf, useLatents} from './text.js';
import {TextOverview, TokenPanel} from './token.js';
import {Widths} from './widths.js';
import {html, useMemo} from './ui.js';

// A loss this much larger, in nats, has the strongest colour.
const FULL_LOSS = 2;

// Losses take another pass of the model for each width, so they wait until the text is still.
const LOSS_MILLIS = 500;

/** For each token the strongest activation of each level, as `[latent, activation]` or null. */
function strongestByLevel(latents, sae) {
  return latents.map(active => {
    const found = sae.levels.map(() => null);
    for (const pair of active) {
      const level = levelOf(sae, pair[0]);
      if (found[level] === null) {
        found[level] = pair;
      }
    }
    return found;
  });
}

function useStrongest(data, sae) {
  return useMemo(() => {
    if (!data) {
      return null;
    }
    const byLevel = strongestByLevel(data.latents, sae);
    const most = Math.max(0, ...data.latents.flatMap((active, i) => data.tokens[i].counted ? active.slice(0, 1).map(([, value]) => value) : []));
    return {byLevel, most};
  }, [data, sae]);
}

const partOf = (value, most) => most > 0 ? Math.min(1, 0.12 + 0.88 * value / most) : 0;

/** How the tokens look, and what is said of them, when they are coloured by latents. */
function byLatents({byLevel, most}, levels) {
  const strongest = i => levels.map(level => byLevel[i][level]).filter(Boolean)
    .reduce((best, pair) => !best || pair[1] > best[1] ? pair : best, null);
  const levelAt = (i, pair) => byLevel[i].indexOf(pair);
  const paint = i => {
    const pair = strongest(i);
    if (!pair) {
      return '';
    }
    const ground = tint(`var(--${levelClass(levelAt(i, pair))})`, partOf(pair[1], most));
    return byLevel[i].length === 1 ? ground
      : ribbons(ground, byLevel[i].map((of, level) => [`var(--${levelClass(level)})`, of && levels.includes(level) ? of[1] / most : 0]));
  };
  const tell = i => {
    const pair = strongest(i);
    return pair ? `latent ${pair[0]} of level ${levelAt(i, pair)} with ${short(pair[1])}` : 'no active latent';
  };
  return {paint, tell};
}

function byOne(data, latent, level) {
  const values = data.latents.map(active => (active.find(([id]) => id === latent) ?? [latent, 0])[1]);
  const most = Math.max(0, ...values.filter((value, i) => data.tokens[i].counted));
  return {
    paint: i => values[i] > 0 ? tint(`var(--${levelClass(level)})`, partOf(values[i], most)) : '',
    tell: i => values[i] > 0 ? `latent ${latent} with ${short(values[i])}` : 'silent',
  };
}

function byError(width) {
  return {
    paint: i => tint('var(--worse)', width.error[i] ?? 0),
    tell: i => width.error[i] === null ? 'not counted' : `error ${short(width.error[i])}`,
  };
}

function byLoss(losses, index) {
  const added = i => i === 0 ? null : losses.widths[index].loss[i - 1] - losses.clean.loss[i - 1];
  return {
    paint: i => i === 0 ? '' : both(added(i) / FULL_LOSS),
    tell: i => i === 0 ? 'no loss' : `loss ${short(added(i))} more`,
  };
}

function look(route, sae, data, strongest, levels, losses, index) {
  if (route.colour === 'error') {
    return byError(data.widths[index]);
  }
  if (route.colour === 'loss') {
    return losses ? byLoss(losses, index) : {paint: () => '', tell: () => 'loss not known yet'};
  }
  if (route.mark !== null) {
    return byOne(data, route.mark, Math.max(0, levelOf(sae, route.mark)));
  }
  return byLatents(strongest, levels);
}

function Legend({route, sae}) {
  if (route.colour === 'error') {
    return html`<p class="legend"><span>0<span class="ramp error"></span>1 of the token’s variance is left</span></p>`;
  }
  if (route.colour === 'loss') {
    return html`<p class="legend"><span>−2<span class="ramp both"></span>+2 nats in predicting the token</span></p>`;
  }
  return html`<p class="legend">${route.mark !== null
    ? html`<span>Stronger colour: stronger activation of latent ${route.mark}.</span>`
    : html`<span>Colour: level of the token’s strongest latent. Lines below: the strongest of each level, ${sae.levels.length > 1 ? 'coarse to fine' : ''}.</span>`}</p>`;
}

function Levels({sae, chosen, width}) {
  const toggle = level => {
    const next = chosen.includes(level) ? chosen.filter(other => other !== level) : [...chosen, level].sort((a, b) => a - b);
    go({levels: next.length === 0 || next.length === sae.levels.length ? null : next});
  };
  return html`<div class="row" role="group" aria-label="Levels">
    ${sae.levels.map(({level, from, to}) => html`<button type="button" key=${level} class=${'level-pick ' + levelClass(level)}
      aria-pressed=${chosen.includes(level)} disabled=${to > width} title=${`latents ${from} to ${to - 1}`}
      onClick=${() => toggle(level)}>Level ${level}</button>`)}
  </div>`;
}

function Tokens({route, sae, latents, losses, index}) {
  const {data} = latents;
  const strongest = useStrongest(data, sae);
  const {width} = data.widths[index];
  const chosen = route.levels ?? sae.levels.map(({level}) => level);
  const levels = chosen.filter(level => sae.levels[level]?.to <= width);
  const {paint, tell} = look(route, sae, data, strongest, levels, losses.data, index);
  return html`<section class="card stack" aria-label="Tokens">
    <div class="row">
      <${Choice} name="Colour by" value=${route.colour} onChange=${colour => go({colour})}
        options=${[['latents', 'Latents'], ['error', 'Error'], ['loss', 'Added loss', sae.transcoder]]}/>
      ${route.colour === 'latents' && (route.mark === null
        ? html`<${Levels} sae=${sae} chosen=${chosen} width=${width}/>`
        : html`<button type="button" aria-pressed="true" onClick=${() => go({mark: null})}>Latent ${route.mark} <span aria-hidden="true">×</span>
          <span class="hidden">, show all latents again</span></button>`)}
    </div>
    <div class=${latents.stale ? 'stale' : ''}>
      <${Strip} pieces=${latents.pieces} name="Tokens of the text" paint=${paint} tell=${tell}
        selected=${route.at} onSelect=${at => go({at})}
        lines=${route.colour === 'latents' && route.mark === null && sae.levels.length > 1 ? sae.levels.length : 0}/>
    </div>
    <${Legend} route=${route} sae=${sae}/>
    ${route.colour === 'loss' && losses.error && html`<${Failure} error=${losses.error} retry=${losses.retry}/>`}
  </section>`;
}

/** The index of the width to read with: the one asked for, else all. */
function indexOf(widths, width) {
  const at = widths.findIndex(each => each.width === width);
  return at < 0 ? widths.length - 1 : at;
}

export function Read({route, state, sae}) {
  const text = textOf(route, state);
  const latents = useLatents(sae, text);
  const still = useSettled(latents.shown, LOSS_MILLIS);
  const losses = useCall('POST', '/api/losses',
    latents.data && !latents.stale && !sae.transcoder && still === latents.shown ? {sae: sae.key, text: still} : null);
  const fits = losses.request?.text === latents.shown && losses.request?.sae === sae.key;
  const known = {...losses, data: fits ? losses.data : null};
  const {data} = latents;
  const index = data ? indexOf(data.widths, route.width) : 0;
  const request = {sae: sae.key, text};
  return html`<div class="read">
    <div class="stack">
      <${TextBox} state=${state} sae=${sae} latents=${latents}/>
      ${data && html`<${Widths} widths=${data.widths} losses=${known.data} waiting=${!known.error && !sae.transcoder} index=${index}
        onChange=${next => go({width: data.widths[next].width})}/>
      <${Tokens} route=${route} sae=${sae} latents=${latents} losses=${known} index=${index}/>`}
      ${text === '' && html`<${Empty}>Type a text above. Its tokens appear here, coloured by what the SAE sees in them.<//>`}
    </div>
    ${data && html`<aside class="card" aria-label="Latents of the chosen token">
      ${route.at !== null && route.at < data.tokens.length
        ? html`<${TokenPanel} sae=${sae} data=${data} pieces=${latents.pieces} at=${route.at} index=${index} losses=${known.data} mark=${route.mark}/>`
        : html`<${TextOverview} sae=${sae} data=${data} pieces=${latents.pieces} index=${index} mark=${route.mark}/>`}
    </aside>`}
    ${data && html`<${Foot} view=${route.colour === 'loss' ? 'losses' : 'latents'} request=${request} same=${joinSame(data.same, known.data?.same)}/>`}
    <p class="hidden" role="status">${data && route.at !== null && data.tokens[route.at] ? `${data.latents[route.at].length} active latents at ${quoted(latents.pieces[route.at]?.text ?? '')}` : ''}</p>
  </div>`;
}
