// What stands below each view: the calls that give the same numbers, files of them, and the link.
import {send} from './api.js';
import {link} from './route.js';
import {CopyButton, Menu, say} from './parts.js';
import {html} from './ui.js';

async function save(view, format, request) {
  try {
    const response = await send('POST', '/api/export', {view, format, request});
    const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '');
    const address = URL.createObjectURL(await response.blob());
    const anchor = document.createElement('a');
    anchor.href = address;
    anchor.download = name ? name[1] : `${view}.${format}`;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    say(`${anchor.download} saved`);
  } catch (error) {
    say(`Not saved: ${error.message}`);
  }
}

const FORMATS = [
  ['json', 'JSON', 'all numbers of this view'], ['csv', 'CSV', 'one table'], ['html', 'Page', 'opens without a server'],
];

function Export({view, request, label = 'Export'}) {
  return html`<${Menu} label=${label}>
    ${FORMATS.map(([format, name, what]) => html`<button type="button" key=${format}
      onClick=${() => save(view, format, request)}>${name} <span class="muted small">${what}</span></button>`)}
  <//>`;
}

function Call({name, text}) {
  return html`<details><summary>${name}</summary>
    <div class="code"><pre tabindex="0"><code>${text}</code></pre><${CopyButton} text=${text}/></div></details>`;
}

/** The Java and the command-line call of an answer. */
export function Same({same}) {
  return same && html`${same.java && html`<${Call} name="Same in Java" text=${same.java}/>`}
    ${same.cli && html`<${Call} name="Same on the command line" text=${same.cli}/>`}`;
}

export function Foot({view, request, same}) {
  return html`<div class="foot">
    <${Export} view=${view} request=${request}/>
    <${CopyButton} label="Copy link" text=${link} done="Link copied: it opens this view on this machine"/>
    <${Same} same=${same}/>
  </div>`;
}

/** Puts two calls into one, where a view shows numbers of both. */
export const joinSame = (...all) => {
  const known = all.filter(Boolean);
  const part = name => [...new Set(known.map(same => same[name]).filter(Boolean))].join('\n\n') || null;
  return known.length ? {java: part('java'), cli: part('cli')} : null;
};
