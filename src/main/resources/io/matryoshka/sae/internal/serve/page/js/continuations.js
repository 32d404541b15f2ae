// A clean and a changed continuation of the text, shown as they are written.
import {stream} from './api.js';
import {go} from './route.js';
import {plural} from './format.js';
import {Failure} from './parts.js';
import {Same} from './share.js';
import {html, useLayoutEffect, useRef, useState} from './ui.js';

const ENDS = {length: 'stopped at the number of tokens asked for', stop_token: 'ended by the model', positions: 'no more room in the model'};
const NOTHING = {sides: {}, same: null, error: null, running: false, stopped: false, text: ''};

function take(sides, line) {
  const before = sides[line.side] ?? {text: '', tokens: 0, end: null};
  return {
    ...sides,
    [line.side]: line.end !== undefined
      ? {text: line.text, tokens: line.ids.length, end: line.end}
      : {...before, text: before.text + line.text, tokens: before.tokens + 1},
  };
}

function useGeneration() {
  const [run, setRun] = useState(NOTHING);
  const control = useRef(null);
  useLayoutEffect(() => () => control.current?.abort(), []);
  const start = (request, given) => {
    control.current?.abort();
    const mine = new AbortController();
    control.current = mine;
    const change = next => mine.signal.aborted || setRun(next);
    setRun({...NOTHING, running: true, text: given});
    stream('/api/generate', request, line =>
      change(before => line.done ? {...before, same: line.same} : {...before, sides: take(before.sides, line)}), mine.signal).then(
      () => change(before => ({...before, running: false})),
      error => change(before => ({...before, running: false, error})));
  };
  const stop = () => {
    control.current?.abort();
    setRun(before => ({...before, running: false, stopped: true}));
  };
  return {run, start, stop};
}

function Options({route, state}) {
  const number = (name, label, attributes, title) => html`<label class="field" title=${title}><span>${label}</span>
    <input type="number" ...${attributes} value=${route[name]}
    onChange=${event => Number.isFinite(event.target.valueAsNumber) && go({[name]: event.target.valueAsNumber})}/></label>`;
  return html`<details><summary>Options</summary><div class="row">
    ${number('tokens', 'New tokens', {min: 1, max: state.limits.new_tokens, step: 1})}
    ${number('temperature', 'Temperature', {min: 0, max: 10, step: 0.1}, '0 always takes the likeliest token')}
    ${number('topk', 'Top k', {min: 0, step: 1}, '0: all')}
    ${number('topp', 'Top p', {min: 0.01, max: 1, step: 0.01})}
    ${number('seed', 'Seed', {min: 0, step: 1})}</div></details>`;
}

function Story({name, given, side, run}) {
  return html`<section class="card" aria-label=${`${name} continuation`}><h3><span class=${'key ' + name.toLowerCase()}></span>${name}</h3>
    <p class="story" dir="auto">
      <span class="given">${given}</span>${side?.text ?? ''}${side?.end === 'stop_token' && side.text === '' ? html` <span class="given">(the model ends the text here)</span>` : ''}</p>
    <p class="muted small">${side ? `${plural(side.tokens, 'token')}${side.end ? `, ${ENDS[side.end] ?? side.end}` : run.stopped ? ', stopped' : ''}` : run.running ? 'Waiting for the first token…' : ''}</p>
      </section>`;
}

export function Continuations({route, state, change}) {
  const {run, start, stop} = useGeneration();
  const edited = change.edits.length > 0;
  const sides = edited ? ['clean', 'changed'] : ['clean'];
  const request = {
    ...change, max_new_tokens: Math.min(route.tokens, state.limits.new_tokens), temperature: route.temperature, top_k: route.topk, top_p: route.topp, seed: route.seed, sides,
  };
  const began = run.running || Object.keys(run.sides).length > 0;
  const done = !run.running && began && !run.error;
  return html`<section class="stack" aria-label="Continuations"><div class="card">
      <div class="head"><h2>How the model goes on</h2><div class="row">
        ${run.running ? html`<button type="button" onClick=${stop}>Stop</button>`
          : html`<button type="button" class="main" onClick=${() => start(request, change.text)}>${began ? 'Generate again' : 'Generate'}</button>`}</div></div>
      ${run.error && html`<${Failure} error=${run.error}/>`}
      <div class="row"><${Options} route=${route} state=${state}/>${run.same && html`<${Same} same=${run.same}/>`}</div>
      <p class="hidden" role="status">${run.running ? 'Generating' : done ? `Done. ${sides.map(side => run.sides[side] ? `${side}: ${run.sides[side].text}` : '').join('. ')}` : ''}</p></div>
    ${began && html`<div class="sides"><${Story} name="Clean" given=${run.text} side=${run.sides.clean} run=${run}/>
      ${(run.sides.changed || edited) && html`<${Story} name="Changed" given=${run.text} side=${run.sides.changed} run=${run}/>`}</div>`}
    </section>`;
}
