// Charts as SVG. Their colours come from the style sheet.
import {count, short, signed} from './format.js';
import {html} from './ui.js';

const WIDTH = 640;
const NARROW = 400;
const GUTTER = 38;
const FOOT = 18;

function Frame({width = WIDTH, height, label, children}) {
  return html`<svg class="chart" viewBox=${`0 0 ${width} ${height + FOOT}`} role="img" aria-label=${label}>${children}</svg>`;
}

/** How many tokens have which activation; equal bins from 0 to `upper`. */
export function Histogram({histogram, colour}) {
  const {upper, counts} = histogram;
  const most = Math.max(1, ...counts);
  const height = 90;
  const step = WIDTH / counts.length;
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return html`<div class=${colour}>
    <${Frame} height=${height} label=${`Histogram of activations from 0 to ${short(upper)}; the fullest bin has ${count(most)} tokens`}>
    ${counts.map((n, i) => n > 0 && html`<rect key=${i} class="column" x=${i * step + 0.5} width=${Math.max(0.5, step - 1)}
      y=${height - Math.max(1, height * n / most)} height=${Math.max(1, height * n / most)}>
        <title>${short(i * upper / counts.length)} to ${short((i + 1) * upper / counts.length)}: ${count(n)}</title></rect>`)}
    <line class="axis" x1="0" x2=${WIDTH} y1=${height} y2=${height}/>
    ${ticks.map(part => html`<text key=${part} x=${part * WIDTH} y=${height + 14} text-anchor=${part === 0 ? 'start' : part === 1 ? 'end' : 'middle'}>${short(part * upper)}</text>`)}
  <//></div>`;
}

/** One column a token, up where a value got larger and down where smaller. `name(i)` is the token. */
export function Differences({values, name, label, unit}) {
  const most = Math.max(0.1, ...values.map(Math.abs));
  const height = 110;
  const middle = height / 2;
  const step = (NARROW - GUTTER) / Math.max(1, values.length);
  const gap = Math.min(1, step / 8);
  return html`<${Frame} width=${NARROW} height=${height} label=${label}>
    ${[-1, 0, 1].map(side => html`<line key=${side} class=${side === 0 ? 'axis' : 'grid'} x1=${GUTTER} x2=${NARROW} y1=${middle - side * middle} y2=${middle - side * middle}/>
      <text key=${`${side}-tick`} x=${GUTTER - 5} y=${middle - side * (middle - 4) + 4} text-anchor="end">${side === 0 ? '0' : signed(side * most, 1)}</text>`)}
    ${values.map((value, i) => html`<rect key=${i} class=${value > 0 ? 'worse' : 'better'} x=${GUTTER + i * step + gap} width=${Math.max(0.5, step - 2 * gap)}
      y=${value > 0 ? middle - middle * value / most : middle} height=${Math.max(0.5, middle * Math.abs(value) / most)}>
        <title>${name(i)}: ${signed(value, 3)} ${unit}</title></rect>`)}
    <text x=${GUTTER} y=${height + 14}>${unit}, first token</text><text x=${NARROW} y=${height + 14} text-anchor="end">last token</text>
  <//>`;
}
