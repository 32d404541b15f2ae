// The frame: SAE, views, and the state of server and corpus.
import {get, useToken} from './api.js';
import {Compare} from './compare.js';
import {Intervene} from './intervene.js';
import {Latents} from './latents.js';
import {Read} from './read.js';
import {go, useRoute} from './route.js';
import {count, plural} from './format.js';
import {Empty, Failure, StateLink, Toast} from './parts.js';
import {useConnection, useEpoch} from './query.js';
import {html, render, useEffect, useErrorBoundary, useLayoutEffect, useRef, useState} from './ui.js';

const VIEWS = [['read', 'Read', Read], ['latents', 'Latents', Latents], ['intervene', 'Intervene', Intervene], ['compare', 'Compare', Compare]];
const POLL_MILLIS = 1500;
const THEMES = ['auto', 'light', 'dark'];
const THEME = 'matryoshka-theme';

function useTheme() {
  const [theme, setTheme] = useState(localStorage.getItem(THEME) ?? 'auto');
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(THEME, theme);
  }, [theme]);
  return [theme, () => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length])];
}

/** The state of the server, asked again while it reads a corpus, and when it is back after a loss. */
function useServer() {
  const epoch = useEpoch();
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState({data: null, error: null});
  const running = answer.data?.saes.some(sae => ['waiting', 'running'].includes(sae.corpus.state));
  useEffect(() => {
    const control = new AbortController();
    let timer = 0;
    const ask = () => get('/api/state', {}, control.signal)
      .then(data => setAnswer({data, error: null}))
      .catch(error => error.name !== 'AbortError' && setAnswer(before => ({...before, error})));
    if (answer.data === null || attempt > 0 || epoch > 0) {
      ask();
    }
    if (running) {
      timer = setInterval(ask, POLL_MILLIS);
    }
    return () => {
      control.abort();
      clearInterval(timer);
    };
  }, [running, epoch, attempt]);
  return {...answer, retry: () => setAttempt(attempt + 1)};
}

function Brand() {
  return html`<div class="brand"><svg viewBox="0 0 32 32" fill="none" stroke-width="2.6" aria-hidden="true">
    <path d="M16 2c5 0 7 4 7 8 4 2 6 6 6 10 0 6-5 10-13 10S3 26 3 20c0-4 2-8 6-10 0-4 2-8 7-8z" stroke="var(--c0)"/>
    <path d="M16 11c3 0 4 2 4 5 2 1 4 3 4 5 0 4-3 6-8 6s-8-2-8-6c0-2 2-4 4-5 0-3 1-5 4-5z" stroke="var(--c1)"/>
    <circle cx="16" cy="22" r="2.2" fill="var(--c2)"/></svg><span>Matryoshka SAE</span></div>`;
}

function Corpus({corpus}) {
  if (corpus.state === 'none') {
    return html`<span>no corpus: start with one to see contexts</span>`;
  }
  if (corpus.state === 'failed') {
    return html`<span>corpus not read: ${corpus.message}</span>`;
  }
  if (corpus.state === 'ready') {
    return html`<span>corpus ${corpus.source}: ${plural(corpus.rows, 'token')}</span>`;
  }
  return html`<span>corpus ${corpus.source}: ${corpus.state === 'waiting' ? 'waiting' : `${corpus.task} ${count(corpus.done)} of ${count(corpus.total)}`}
    ${' '}<progress max=${corpus.total || 1} value=${corpus.done || 0} aria-label="reading the corpus"></progress></span>`;
}

function Facts({sae}) {
  return html`<div class="facts">
    ${sae.model ? html`<span>${sae.model.name}, ${sae.hook_point}${sae.transcoder ? ` to ${sae.hook_point_out}` : ''}</span>` : html`<span>${sae.hook_point}</span>`}
    <span>${count(sae.d_sae)} latents in ${plural(sae.levels.length, 'level')}</span>
    <span>${sae.labels.count > 0 ? `${plural(sae.labels.count, 'label')} from ${sae.labels.source}` : 'no labels yet'}</span>
    <${Corpus} corpus=${sae.corpus}/>
  </div>`;
}

function Top({state, sae, view}) {
  const [theme, nextTheme] = useTheme();
  return html`<header class="top"><div class="top-row">
    <${Brand}/>
    <nav class="tabs" aria-label="Views">${VIEWS.map(([id, name]) => html`<${StateLink} key=${id} change=${{view: id}}
      aria-current=${id === view ? 'page' : null}>${name}<//>`)}</nav>
    <div class="top-end">
      ${state && html`<label class="field"><span class="hidden">SAE</span>
        <select value=${sae.key} onChange=${event => go({sae: event.target.value, latent: null, mark: null, levels: null, level: null, width: null}, true)}>
          ${state.saes.map(({key}) => html`<option key=${key} value=${key}>${key}</option>`)}</select></label>`}
      <button type="button" class="quiet" onClick=${nextTheme} aria-label=${`Colours: ${theme}`} title=${`Colours: ${theme}`}>${{auto: '◐', light: '○', dark: '●'}[theme]}</button>
    </div></div></header>`;
}

function TokenForm() {
  const [typed, setTyped] = useState('');
  const submit = event => {
    event.preventDefault();
    useToken(typed);
  };
  return html`<form class="notice bad" onSubmit=${submit}>
    <p>The server asks for its token. Paste the address that it printed, or the token.</p>
    <label class="field"><span>Token</span>
      <input type="password" autocomplete="off" value=${typed} onInput=${event => setTyped(event.target.value)}/></label>
    <button type="submit" class="main">Go on</button></form>`;
}

function Connection() {
  const now = useConnection();
  if (now === 'ok') {
    return html`<div class="banner" role="status"></div>`;
  }
  return html`<div class="banner" role="status">${now === 'token' ? html`<${TokenForm}/>`
    : now === 'back' ? html`<div class="notice good"><p>The server is back.</p></div>`
    : html`<div class="notice bad"><p>
      <b>The server does not answer.</b> Start it again with <code>matryoshka-sae serve</code> in a terminal; this page goes on by itself.</p>
      </div>`}</div>`;
}

function NoModel({sae}) {
  return html`<${Empty}>There is no language model for this SAE here, so it cannot read texts${sae.no_model ? `: ${sae.no_model}` : ''}.
    ${' '}<${StateLink} change=${{view: 'latents'}}>Look at its latents<//> instead.<//>`;
}

function Content({route, state, sae}) {
  const [error, reset] = useErrorBoundary();
  const shown = route.view;
  useLayoutEffect(() => error && reset(), [shown]);
  if (error) {
    return html`<div class="notice bad" role="alert"><p>The page could not draw this view: ${String(error.message)}</p>
      <button type="button" onClick=${reset}>Try again</button></div>`;
  }
  if (!sae.model && route.view !== 'latents') {
    return html`<${NoModel} sae=${sae}/>`;
  }
  const View = VIEWS.find(([id]) => id === route.view)[2];
  return html`<${View} key=${sae.key} route=${route} state=${state} sae=${sae}/>`;
}

const nameOf = ({view, latent}) => view === 'latents' && latent !== null ? `Latent ${latent}` : VIEWS.find(([id]) => id === view)[1];

function App() {
  const route = useRoute();
  const server = useServer();
  const state = server.data;
  const sae = state && (state.saes.find(({key}) => key === route.sae) ?? state.saes[0]);
  const main = useRef(null);
  useLayoutEffect(() => {
    document.title = `${nameOf(route)} · Matryoshka SAE`;
  }, [route.view, route.latent]);
  return html`<a class="skip" href="#main" onClick=${event => { event.preventDefault(); main.current.focus(); }}>Skip to the content</a>
    <${Connection}/>
    <${Top} state=${state} sae=${sae} view=${route.view}/>
    <main id="main" tabindex="-1" ref=${main}>
      <h1 class="hidden">${nameOf(route)}</h1>
      ${state && html`<${Facts} sae=${sae}/>`}
      ${state && route.sae && route.sae !== sae.key && html`<div class="notice" role="status">
        <p>${route.sae} is not open here; this is ${sae.key}.</p></div>`}
      ${state ? html`<${Content} route=${route} state=${state} sae=${sae}/>`
        : server.error ? html`<${Failure} error=${server.error} retry=${server.retry}/>` : html`<p class="boot" role="status">Loading…</p>`}
    </main><${Toast}/>`;
}

export function start() {
  const root = document.getElementById('app');
  root.replaceChildren();
  render(html`<${App}/>`, root);
}
