// The text that a person types, and its tokens with their latents.
import {current, go} from './route.js';
import {count, pieces} from './format.js';
import {Busy, Failure} from './parts.js';
import {useCall, useSettled} from './query.js';
import {html, useId, useMemo, useRef} from './ui.js';

// Long enough that fast typing is one call, short enough not to be noticed.
const TYPING_MILLIS = 80;

/** The text of the page: what the address says, else the server's example. */
export const textOf = (route, state) => route.text ?? state.example;

/**
 * The tokens and latents of the text. `stale` tells that a newer text is on its way, `shown` is the text that the
 * tokens belong to.
 */
export function useLatents(sae, text) {
  const settled = useSettled(text, TYPING_MILLIS);
  const ask = sae.model && settled !== '' ? {sae: sae.key, text: settled} : null;
  const answer = useCall('POST', '/api/latents', ask);
  const data = text === '' ? null : answer.data;
  const shown = answer.request?.text ?? '';
  return {
    ...answer, data, shown,
    stale: shown !== text,
    pieces: useMemo(() => data ? pieces(data.tokens, shown) : [], [data, shown]),
  };
}

export function TextBox({state, sae, latents, rows = 3}) {
  const id = useId();
  const before = useRef(null);
  const text = textOf(current(), state);
  const most = state.limits.text_characters;
  // The first change since the field was entered gets a place of its own in the history.
  const onInput = event => {
    const push = before.current !== null;
    before.current = null;
    go({text: event.target.value, at: null, predict: null}, push);
  };
  const tokens = latents.data && !latents.stale ? latents.data.tokens.length : null;
  return html`<section class="text-box" aria-label="Text">
    <label class="hidden" for=${id}>Text to read</label>
    <textarea id=${id} rows=${rows} dir="auto" maxlength=${most} spellcheck="false" autocomplete="off"
      placeholder="Type or paste a text" value=${text}
      onFocus=${() => { before.current = text; }} onBlur=${() => { before.current = null; }} onInput=${onInput}></textarea>
    <${Busy} on=${latents.loading} what="Reading the text"/>
    <div class="under"><span>${count(text.length)} of ${count(most)} characters${tokens === null ? '' : ` · ${count(tokens)} of at most ${count(
      Math.min(state.limits.text_tokens, sae.model.text_tokens))} tokens`}</span>
      ${text !== state.example && html`<button type="button" class="quiet" onClick=${() => go({text: null, at: null, predict: null}, true)}>Back to the example</button>`}
    </div>
    ${latents.error && html`<${Failure} error=${latents.error} retry=${latents.retry}/>`}
  </section>`;
}
