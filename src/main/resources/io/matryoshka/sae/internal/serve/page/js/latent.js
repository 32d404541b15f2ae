// One latent: what it means, when it fires, what it does, and its relatives.
import {current, go} from './route.js';
import {count, plain, plainAll, share, short} from './format.js';
import {Amount, Bar, Busy, Empty, Failure, LatentLink, levelClass, Level, Meaning, Tile} from './parts.js';
import {Histogram} from './chart.js';
import {LabelEditor} from './label.js';
import {useCall} from './query.js';
import {Foot} from './share.js';
import {Context} from './strip.js';
import {textOf, useLatents} from './text.js';
import {Tree} from './tree.js';
import {html} from './ui.js';

/** The latents beside this one, and what can be done with it. */
function Actions({sae, latent}) {
  const step = by => html`<button type="button" class="quiet" disabled=${latent + by < 0 || latent + by >= sae.d_sae}
    aria-label=${by < 0 ? 'previous latent' : 'next latent'} onClick=${() => go({latent: latent + by}, true)}>${by < 0 ? '‹' : '›'}</button>`;
  const edits = current().edits;
  const add = () => go({view: 'intervene', edits: [...edits.filter(edit => edit.latent !== latent), {kind: 'zero', latent}]}, true);
  return html`<span class="row">${step(-1)}${step(1)}
    ${sae.model && html`<button type="button" onClick=${() => go({view: 'read', colour: 'latents', mark: latent}, true)}>Show in text</button>`}
    ${sae.model && !sae.transcoder && html`<button type="button" onClick=${add}>Change in text</button>`}</span>`;
}

function Figures({found}) {
  const corpus = found.corpus;
  return html`<dl class="tiles">
    ${corpus && html`<${Tile} name="Density" value=${share(corpus.density)} note=${`${count(corpus.firings)} of ${count(corpus.rows)} tokens`}/>
      <${Tile} name="Mean activation" value=${short(corpus.mean_activation)} note="where it fires"/>
      <${Tile} name="Largest" value=${short(corpus.max_activation)} note="in the corpus"/>`}
    ${found.published_density !== null && html`<${Tile} name="Published" value=${share(found.published_density)} note="density in the SAE’s files"/>`}
    <${Tile} name="Threshold" value=${short(found.threshold)} note=${`bias ${short(found.encoder_bias)}`}/>
    <${Tile} name="Decoder norm" value=${short(found.decoder_norm)}/>
  </dl>`;
}

function Contexts({list, level, most}) {
  return list.map((context, i) => {
    const value = context.activations[context.at];
    return html`<div class="context" key=${i}><span class="num">${short(value)}</span>
      ${context.tokens === null ? html`<span class="muted">row ${count(context.row)}</span>`
        : html`<${Context} tokens=${plainAll(context.tokens)} activations=${context.activations} at=${context.at} most=${most} colour=${levelClass(level)}/>`}
      ${context.repeats > 1 ? html`<span class="times" title="contexts with this text">×${context.repeats}</span>` : html`<span>
        </span>`}</div>`;
  });
}

function Firing({found, sae}) {
  const corpus = found.corpus;
  if (!corpus) {
    const waiting = ['waiting', 'running'].includes(sae.corpus.state);
    return html`<section class="card"><h2>When it fires</h2><${Empty}>${waiting
      ? 'The corpus is still being read; contexts appear here when it is done.'
      : html`Start with a corpus to see the texts on which it fires: <code>matryoshka-sae serve --text-file texts.txt</code>`}<//>
        </section>`;
  }
  if (corpus.firings === 0) {
    return html`<section class="card"><h2>When it fires</h2>
      <${Empty}>It never fires on the ${count(corpus.rows)} tokens of ${corpus.source}.<//></section>`;
  }
  return html`<section class="card"><h2>When it fires</h2>
    <h3 class="sub">Activations, by number of tokens</h3><${Histogram} histogram=${corpus.histogram} colour=${levelClass(found.level)}/>
    <h3>Strongest</h3><${Contexts} list=${corpus.contexts} level=${found.level} most=${corpus.max_activation}/>
    ${corpus.examples.length > 0 && html`<h3>From the lower quarters of its range</h3>
      <${Contexts} list=${corpus.examples} level=${found.level} most=${corpus.max_activation}/>`}
    ${corpus.absorption && html`<${Absorption} found=${corpus.absorption}/>`}</section>`;
}

function Absorption({found}) {
  return html`<h3>Absorption</h3>
    <p class="small">Of ${count(found.tokens)} tokens with its direction it is silent on ${count(found.silent)}:
    absorption fraction ${short(found.fraction)}, fully absorbed ${share(found.full)}${!found.top_child_tokens ? '.'
      : html`; most often carried by latent <${LatentLink} latent=${found.top_child}/> (${count(found.top_child_tokens)}).`}</p>`;
}

function Logits({logits}) {
  const list = (name, tokens, colour) => {
    const most = Math.max(0, ...tokens.map(({logit}) => Math.abs(logit)));
    return html`<div><h3>${name}</h3><ul class=${'logits ' + colour}>${tokens.map(({id, text, logit}) => html`<li key=${id}>
      <span class="tok" title=${`token ${id}`}>${plain(text).replace(/^ /, '␣').replaceAll('\n', '↵')}</span>
        <${Bar} value=${Math.abs(logit)} most=${most}/><span class="num">${short(logit)}</span></li>`)}</ul></div>`;
  };
  return html`<section class="card"><h2>What it makes likelier</h2>
    ${logits ? html`<p class="muted small">${logits.what}</p>
      <div class="two">${list('Promoted', logits.promoted, 'c0')}${list('Suppressed', logits.suppressed, 'c4')}</div>`
      : html`<${Empty}>There are no logits for this SAE: it has no language model here, or does not write into the residual stream.<//>`}</section>`;
}

function Near({name, list}) {
  return html`<div><h3>${name}</h3><ul class="latents near">${list.map(near => html`<li key=${near.latent}>
    <${LatentLink} latent=${near.latent}/><${Meaning} latent=${near}/><${Amount} value=${near.cosine} most=${1} level=${near.level}/>
      <${Level} level=${near.level}/></li>`)}</ul></div>`;
}

/** The typed text in the colour of this latent. */
function InText({state, sae, latent, level}) {
  const latents = useLatents(sae, textOf(current(), state));
  if (!latents.data) {
    return null;
  }
  const values = latents.data.latents.map((active, i) => latents.data.tokens[i].counted ? (active.find(([id]) => id === latent) ?? [0, 0])[1] : 0);
  const most = Math.max(...values);
  return html`<section class="card"><h2>In your text</h2>${most > 0
    ? html`<${Context} tokens=${latents.pieces.map(({kind, text}) => kind === 'special' ? `${text} ` : text)} activations=${values} at=${values.indexOf(most)} most=${most} colour=${levelClass(level)}/>`
    : html`<p class="muted small">Silent on all ${values.length} tokens.</p>`}</section>`;
}

export function LatentPage({state, sae, latent}) {
  const request = {sae: sae.key, latent};
  const answer = useCall('GET', '/api/latent', request);
  const found = answer.data;
  if (!found) {
    return html`<div class="card"><h2>Latent ${latent}</h2><${Busy} on=${answer.loading} what="Looking at the latent"/>
      ${answer.error && html`<${Failure} error=${answer.error} retry=${answer.retry}/>`}</div>`;
  }
  return html`<article class="stack" aria-label=${`Latent ${latent}`}>
    <section class="card"><div class="head"><div class="latent-title"><h2>Latent ${latent}</h2><${Level} level=${found.level}/></div>
      <${Actions} sae=${sae} latent=${latent}/></div>
      <${LabelEditor} state=${state} sae=${sae} found=${found}/><${Figures} found=${found}/></section>
    ${sae.model && html`<${InText} state=${state} sae=${sae} latent=${latent} level=${found.level}/>`}
    <${Firing} found=${found} sae=${sae}/>
    <${Logits} logits=${found.logits}/>
    <section class="card"><h2>Parents and children</h2><${Tree} found=${found}/></section>
    <section class="card"><h2>Nearest directions</h2><div class="two"><${Near} name="By decoder" list=${found.nearest.decoder}/>
      <${Near} name="By encoder" list=${found.nearest.encoder}/></div></section>
    ${found.relatives.length > 0 && html`<section class="card"><h2>Nearest on other levels</h2>
      <div class="two">${found.relatives.map(({level, latents}) =>
      html`<${Near} key=${level} name=${`Level ${level}`} list=${latents}/>`)}</div></section>`}
    <${Foot} view="latent" request=${request} same=${found.same}/>
  </article>`;
}
