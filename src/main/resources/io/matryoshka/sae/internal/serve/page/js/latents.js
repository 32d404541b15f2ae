// The second view: a list of latents, and one of them.
import {get} from './api.js';
import {go} from './route.js';
import {count, share, words} from './format.js';
import {Bar, Busy, Empty, Failure, Label, LatentLink, Level, levelClass, StateLink} from './parts.js';
import {useCall, useSettled} from './query.js';
import {LatentPage} from './latent.js';
import {html, useLayoutEffect, useRef, useState} from './ui.js';

const PAGE = 50;
const SORTS = [['latent', 'Number'], ['-density', 'Densest first'], ['density', 'Rarest first'], ['label', 'Label']];

function Search({route, sae}) {
  return html`<form class="search" role="search" onSubmit=${event => event.preventDefault()}>
    <label class="hidden" for="search">Search latents</label>
    <input id="search" type="search" placeholder="Label or number" value=${route.query} autocomplete="off"
      onInput=${event => go({query: event.target.value})}/>
    <div class="row">
      <label class="field"><span>Level</span>
        <select value=${route.level ?? ''} onChange=${event => go({level: event.target.value === '' ? null : Number(event.target.value)})}>
        <option value="">all</option>${sae.levels.map(({level}) => html`<option key=${level} value=${level}>${level}</option>`)}</select></label>
      <label class="field"><span>Order</span><select value=${route.sort} onChange=${event => go({sort: event.target.value})}>
        ${SORTS.map(([value, name]) => html`<option key=${value} value=${value}>${name}</option>`)}</select></label>
    </div></form>`;
}

/** More of a list than its first part, one part for each press of a button. */
function useMore(request, total) {
  const key = JSON.stringify(request);
  const [more, setMore] = useState({key, rows: [], error: null, loading: false});
  const control = useRef(null);
  // Not useEffect: that would run some time later, and might abort what is asked for the new list.
  useLayoutEffect(() => () => control.current?.abort(), [key]);
  const mine = more.key === key ? more : {key, rows: [], error: null, loading: false};
  const ask = () => {
    control.current = new AbortController();
    setMore({...mine, loading: true, error: null});
    get('/api/search', {...request, offset: PAGE + mine.rows.length}, control.current.signal)
      .then(answer => setMore({key, rows: [...mine.rows, ...answer.latents], error: null, loading: false}))
      .catch(error => error.name !== 'AbortError' && setMore({...mine, error, loading: false}));
  };
  return {...mine, left: total - PAGE - mine.rows.length, ask};
}

function Row({row, open, most}) {
  return html`<tr class=${open ? 'open' : ''} aria-current=${open ? 'true' : null} onClick=${event => event.target.closest('a') || go({latent: row.latent}, true)}>
    <th scope="row"><${LatentLink} latent=${row.latent}/></th><td><${Level} level=${row.level}/></td>
    <td class="text"><${Label} text=${row.label ?? (words(row.top_tokens) || null)}/></td>
    <td class=${'num wide ' + levelClass(row.level)}>${row.density !== null && html`<${Bar} value=${row.density} most=${most}/>`}</td>
    <td class="num">${share(row.density)}</td></tr>`;
}

function List({route, sae}) {
  const query = useSettled(route.query, 150);
  const request = {sae: sae.key, query, level: route.level, sort: route.sort, offset: 0, limit: PAGE};
  const answer = useCall('GET', '/api/search', request);
  const more = useMore(request, answer.data?.total ?? 0);
  const rows = [...(answer.data?.latents ?? []), ...more.rows];
  const most = Math.max(0, ...rows.map(row => row.density ?? 0));
  return html`<section class="card list" aria-label="List of latents">
    <${Search} route=${route} sae=${sae}/>
    <${Busy} on=${answer.loading || more.loading} what="Searching"/>
    ${answer.error && html`<${Failure} error=${answer.error} retry=${answer.retry}/>`}
    ${more.error && html`<${Failure} error=${more.error} retry=${more.ask}/>`}
    ${answer.data && html`<p class="muted small total" role="status">${count(answer.data.total)} of ${count(sae.d_sae)} latents</p>`}
    ${answer.data && (rows.length === 0
      ? html`<${Empty}>No latent has ${query === '' ? 'this level' : `“${query}” in its label or as its number`}.<//>`
      : html`<table class=${answer.loading ? 'stale' : ''}><thead><tr><th scope="col">Latent</th><th scope="col">Level</th>
        <th class="text" scope="col">Label or top tokens</th>
          <th class="num wide" scope="col"><span class="hidden">Density, drawn</span></th><th class="num" scope="col">Density</th></tr></thead>
        <tbody>${rows.map(row => html`<${Row} key=${row.latent} row=${row} open=${row.latent === route.latent} most=${most}/>`)}</tbody>
          </table>`)}
    ${more.left > 0 && html`<p class="row">
      <button type="button" disabled=${more.loading} onClick=${more.ask}>Show ${Math.min(PAGE, more.left)} more</button></p>`}
  </section>`;
}

export function Latents({route, state, sae}) {
  const open = route.latent !== null;
  return html`<div class=${open ? 'browse both' : 'browse'}>
    <${List} route=${route} sae=${sae}/>
    ${open && html`<div class="stack"><${StateLink} class="back small" change=${{latent: null}}>← All latents<//>
      ${route.latent < sae.d_sae
        ? html`<${LatentPage} key=${route.latent} route=${route} state=${state} sae=${sae} latent=${route.latent}/>`
        : html`<${Empty}>There is no latent ${route.latent}: this SAE has latents 0 to ${sae.d_sae - 1}.<//>`}</div>`}
  </div>`;
}
