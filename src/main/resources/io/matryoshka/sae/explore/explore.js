// Shows one latent at a time: '#latent-17' in the address chooses it. Uses the tools of page.js.
(() => {
  const TOKENS = 'Top tokens';
  const {el, compact, strip, latentLink, levelBadge} = report;
  const data = JSON.parse(document.getElementById('latent-data').textContent);
  const view = document.getElementById('latent-view');
  const known = Object.keys(data.latents).map(Number).sort((a, b) => a - b);
  const percent = share => compact(100 * share) + ' %';

  function levelOf(latent) {
    return data.widths.findIndex(width => latent < width);
  }

  function figures(pairs) {
    return el('dl', {class: 'figures'}, ...pairs.map(([name, value]) =>
      el('div', {}, el('dt', {}, name), el('dd', {}, value))));
  }

  function table(caption, header, rows) {
    return el('div', {class: 'scroll', role: 'region', tabindex: '0', 'aria-label': caption},
      el('table', {}, el('caption', {class: 'hidden'}, caption),
        el('thead', {}, el('tr', {}, ...header.map(name =>
          el('th', name === TOKENS ? {scope: 'col', class: 'text'} : {scope: 'col'}, name)))),
        el('tbody', {}, ...rows.map(cells => el('tr', {}, ...cells.map((cell, i) =>
          el(i === 0 ? 'th' : 'td', i === 0 ? {scope: 'row'} : header[i] === TOKENS ? {class: 'text'} : {}, cell)))))));
  }

  function groups(list, size) {
    const found = [];
    for (let i = 0; i < list.length; i += size) {
      found.push(list.slice(i, i + size));
    }
    return found;
  }

  const named = latent => el('span', {}, latentLink(latent), ' ', levelBadge(levelOf(latent)));

  const rest = new Set(data.rest);
  const isRest = place => rest.has(data.text[place]);

  // The whole word of a context's top token, as far as the context goes.
  function wordOf([start, length, peak]) {
    let from = start + peak;
    while (from > start && isRest(from)) {
      from--;
    }
    let word = data.words[data.text[from]];
    for (let place = from + 1; place < start + length && isRest(place); place++) {
      word += data.words[data.text[place]];
    }
    return word;
  }

  function topWords(latent) {
    const found = data.latents[latent];
    if (!found || found.c.length === 0) {
      return '–';
    }
    const words = found.c.map(wordOf);
    return [...new Set(words)].slice(0, 3).join(' ');
  }

  function neighbours(title, list) {
    return el('div', {}, el('h3', {}, title), table(title,
      ['Latent', 'Cosine', ...(data.named ? [TOKENS] : [])],
      groups(list, 2).map(([latent, cosine]) =>
        [named(latent), compact(cosine), ...(data.named ? [topWords(latent)] : [])])));
  }

  function relatives(title, list) {
    const rows = groups(list, 5).map(([latent, both, parent, child, correlation]) =>
      [named(latent), String(both), percent(parent), percent(child), compact(correlation),
        ...(data.named ? [topWords(latent)] : [])]);
    return el('div', {}, el('h3', {}, title), rows.length === 0
      ? el('p', {class: 'muted'}, 'None that fires with it often enough.')
      : table(title, ['Latent', 'Both', 'P(parent|child)', 'P(child|parent)', 'Correlation',
        ...(data.named ? [TOKENS] : [])], rows));
  }

  function context(c, full, level) {
    const [start, length, peak, before, after, times, ...active] = c;
    const line = (more, end) => {
      const places = Array.from({length: more + length + end}, (_, i) => start - more + i);
      const activations = new Array(places.length).fill(0);
      for (const [place, value] of groups(active, 2)) {
        activations[more + place] = value;
      }
      return strip(places.map(place => data.words[data.text[place]]), activations, full, level, more + peak,
        places.map((place, i) => i > 0 && isRest(place)));
    };
    const value = (groups(active, 2).find(([place]) => place === peak) || [peak, 0])[1];
    const box = el('div', {class: 'context'}, el('span', {class: 'muted'}, compact(value)), line(0, 0));
    if (times > 1) {
      box.append(el('span', {class: 'times', title: 'contexts with this text'}, '×' + times));
    }
    if (before + after > 0) {
      let whole = false;
      const button = el('button', {type: 'button', class: 'plain', onclick: () => {
        whole = !whole;
        box.querySelector('.strip').replaceWith(whole ? line(before, after) : line(0, 0));
        button.textContent = whole ? 'less' : 'sentence';
      }}, 'sentence');
      box.append(button);
    }
    return box;
  }

  function histogram([upper, ...counts], level) {
    const most = Math.max(...counts);
    const bars = counts.map((count, i) => {
      const bar = el('span', {title: `${compact(i * upper / counts.length)} to ${compact((i + 1) * upper / counts.length)}: ${count} tokens`});
      bar.style.setProperty('height', (100 * count / most).toFixed(1) + '%');
      return bar;
    });
    return el('div', {class: 'bars c' + (level % 8), role: 'img', 'aria-label': `Activations from 0 to ${compact(upper)}`},
      ...bars);
  }

  function chooser(latent) {
    const at = known.indexOf(latent);
    const input = el('input', {type: 'number', min: 0, max: data.widths[data.widths.length - 1] - 1, value: latent});
    const go = step => el('button', {type: 'button', class: 'plain', disabled: at < 0 || known[at + step] === undefined,
      onclick: () => { location.hash = 'latent-' + known[at + step]; }}, step < 0 ? 'Previous' : 'Next');
    input.addEventListener('change', () => { location.hash = 'latent-' + input.value; });
    return el('div', {class: 'controls'}, el('label', {}, 'Latent ', input), go(-1), go(1));
  }

  function show(latent) {
    const found = data.latents[latent];
    if (!found) {
      view.replaceChildren(chooser(latent), el('p', {class: 'muted'},
        `Latent ${latent} is not described here: it never fired, or was not among those asked for.`));
      return;
    }
    const level = levelOf(latent);
    const [firings, density, mean, max] = found.s;
    const parts = [chooser(latent), el('h3', {class: 'title'}, `Latent ${latent} `, levelBadge(level))];
    if (found.l) {
      const [label, by] = found.l;
      parts.push(el('p', {}, `“${label}”`, el('span', {class: 'muted'}, by ? ` by ${by}` : '')));
    }
    if (data.link) {
      parts.push(el('p', {}, el('a', {href: data.link + latent, rel: 'noopener noreferrer'}, 'Page on Neuronpedia ↗')));
    }
    parts.push(figures([['fires on', `${firings} tokens`], ['density', percent(density)],
      ['mean activation', compact(mean)], ['largest activation', compact(max)]]));
    parts.push(el('h3', {}, 'Strongest tokens in context'), ...(found.c.length > 0 ? found.c.map(c => context(c, max, level))
      : [el('p', {class: 'muted'}, 'It never fires here.')]));
    if (firings > 0) {
      parts.push(el('h3', {}, 'Activations'), histogram(found.h, level),
        el('p', {class: 'muted'}, `Tokens by activation, from 0 to ${compact(found.h[0])}.`));
    }
    if (found.x.length > 0) {
      parts.push(el('h3', {}, 'Examples from the lower quarters of its range'), ...found.x.map(c => context(c, max, level)));
    }
    parts.push(el('div', {class: 'row'}, neighbours('Nearest by decoder', found.d), neighbours('Nearest by encoder', found.e)));
    if (level > 0) {
      parts.push(relatives('Parents', found.p));
    }
    if (level < data.widths.length - 1) {
      parts.push(relatives('Children', found.k));
    }
    if (found.a) {
      const [tokens, silent, fraction, whole, child, childTokens] = found.a;
      parts.push(el('h3', {}, 'Absorption'), el('p', {}, `Of ${tokens} tokens with this latent's direction it is silent on ${silent}. ` +
        `Absorption fraction ${compact(fraction)}, fully absorbed ${percent(whole)}.`,
        ...(child < 0 ? [] : [' Most often carried by ', named(child), ` (${childTokens}).`])));
    }
    view.replaceChildren(...parts);
  }

  function route() {
    const chosen = /^#latent-(\d+)$/.exec(location.hash);
    if (chosen) {
      show(Number(chosen[1]));
      document.getElementById('latent').scrollIntoView();
    } else if (!view.querySelector('.controls') && known.length > 0) {
      show(known[0]);
    }
  }

  window.addEventListener('hashchange', route);
  route();
})();
