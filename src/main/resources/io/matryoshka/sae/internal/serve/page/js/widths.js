// The slider over the prefix widths, and what each width costs.
import {count, fixed, percent, short, signed} from './format.js';
import {Tile} from './parts.js';
import {html} from './ui.js';

/** A small line over the widths, with a dot at one of them. */
function Spark({values, at}) {
  const known = values.filter(value => value !== null && value !== undefined);
  if (known.length < 2) {
    return null;
  }
  const low = Math.min(...known);
  const high = Math.max(...known);
  const x = i => 100 * i / (values.length - 1);
  const y = value => high === low ? 12 : 22 - 20 * (value - low) / (high - low);
  return html`<svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
    <polyline points=${values.map((value, i) => `${x(i)},${y(value ?? low)}`).join(' ')}/>
    <line x1=${x(at)} x2=${x(at)} y1=${y(values[at] ?? low) - 0.01} y2=${y(values[at] ?? low)} class="dot"/>
  </svg>`;
}

/** `widths` as the answer of /api/latents has them; `losses` that of /api/losses, or null while it is not there. */
export function Widths({widths, losses, waiting, index, onChange}) {
  const at = widths[index];
  const loss = losses?.widths[index];
  const names = widths.map(({width}) => count(width));
  const soon = waiting ? '…' : '–';
  return html`<section class="card widths" aria-label="Prefix width">
    <div class="slider">
      <label class="muted small" for="width">Read with the first</label>
      <output for="width">${names[index]} latents${index === widths.length - 1 ? ' (all)' : ''}</output>
      <input id="width" type="range" min="0" max=${widths.length - 1} step="1" value=${index}
        aria-valuetext=${`first ${names[index]} latents`} onInput=${event => onChange(Number(event.target.value))}/>
      <div class="ticks" aria-hidden="true">${names.map(name => html`<span key=${name}>${name}</span>`)}</div>
    </div>
    <dl class="tiles">
      <${Tile} name="Explained variance" value=${fixed(at.explained_variance, 3)} title="1 − Σ‖x − x′‖² / Σ‖x − mean‖² over the text; 1 is perfect">
        <${Spark} values=${widths.map(width => width.explained_variance)} at=${index}/><//>
      <${Tile} name="L0" value=${short(at.l0)} title="active latents of a token, on average">
        <${Spark} values=${widths.map(width => width.l0)} at=${index}/><//>
      <${Tile} name="Loss" value=${loss ? fixed(loss.mean_loss, 2) : soon} title="mean loss of the model, in nats, with its activations replaced by the reconstruction"
        note=${loss ? `clean ${fixed(losses.clean.mean_loss, 2)}, ${signed(loss.mean_loss === null ? null : loss.mean_loss - losses.clean.mean_loss, 2)}` : ''}/>
      <${Tile} name="Loss recovered" value=${loss ? percent(loss.recovered) : soon} title="(zero − width) / (zero − clean) of the mean losses"
        note=${loss ? `KL ${short(loss.mean_kl)}` : ''}/>
    </dl>
  </section>`;
}
