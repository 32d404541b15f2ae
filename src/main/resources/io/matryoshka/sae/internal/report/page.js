'use strict';
// Tables that sort, filter and page, and the tools that other scripts of the page share. All text goes in as text nodes.
const report = (() => {
  const PAGE_ROWS = 50;
  const MISSING = '–';

  function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith('on')) {
        node.addEventListener(key.slice(2), value);
      } else if (key === 'value' || key === 'disabled') {
        node[key] = value;
      } else {
        node.setAttribute(key, value);
      }
    }
    node.append(...children);
    return node;
  }

  function compact(value) {
    if (value === null || value === undefined) {
      return MISSING;
    }
    return String(Number(value.toPrecision(4))).replace(/^-/, '−');
  }

  function visible(token) {
    return token === '' ? '∅' : token.replaceAll('\n', '↵').replaceAll('\t', '⇥');
  }

  // Tokens shaded by activation; the strongest one may be outlined.
  function strip(tokens, activations, full, level, peak, joined = []) {
    const line = el('p', {class: 'strip c' + (level % 8)});
    tokens.forEach((token, i) => {
      const a = activations[i];
      const span = el('span', {class: 't' + (a > 0 ? ' on' : '') + (i === peak ? ' peak' : '') + (joined[i] ? ' rest' : '')}, visible(token));
      if (a > 0) {
        span.style.setProperty('--a', Math.min(1, a / full).toFixed(2));
        span.title = compact(a);
      }
      line.append(span);
    });
    return line;
  }

  const latentLink = latent => el('a', {href: '#latent-' + latent}, String(latent));
  const levelBadge = level => el('span', {class: 'level c' + (level % 8), title: 'Matryoshka level ' + level}, String(level));

  function cell(column, value) {
    if (value === null || value === '') {
      return MISSING;
    }
    switch (column.format) {
      case 'latent': return latentLink(value);
      case 'level': return levelBadge(value);
      case 'link': return el('a', {href: column.link + value, rel: 'noopener noreferrer'}, 'page ↗');
      case 'number': return value.toFixed(column.decimals).replace(/^-/, '−');
      case 'percent': return (100 * value).toFixed(column.decimals).replace(/^-/, '−');
      default: return value;
    }
  }

  const COMPARE = {
    '>': (a, b) => a > b, '<': (a, b) => a < b, '>=': (a, b) => a >= b, '<=': (a, b) => a <= b, '=': (a, b) => a === b,
  };

  // 'density>0.1 she' keeps rows with that density and 'she' in one of their texts.
  function compile(query, columns, data) {
    const tests = [];
    for (const word of query.toLowerCase().split(/\s+/).filter(Boolean)) {
      const parts = /^([a-z][a-z0-9_]*)(>=|<=|>|<|=)(-?[0-9.]+(?:e-?[0-9]+)?)$/.exec(word);
      const at = parts ? columns.findIndex(c => c.key === parts[1] && c.format !== 'text') : -1;
      if (at >= 0) {
        const limit = Number(parts[3]) / (columns[at].format === 'percent' ? 100 : 1);
        const holds = COMPARE[parts[2]];
        tests.push(row => data[at][row] !== null && holds(data[at][row], limit));
      } else {
        const texts = data.filter((_, i) => columns[i].format === 'text');
        const names = data.filter((_, i) => columns[i].format === 'latent');
        tests.push(row => texts.some(t => t[row].toLowerCase().includes(word)) || names.some(n => String(n[row]) === word));
      }
    }
    return row => tests.every(test => test(row));
  }

  function order(values) {
    const absent = v => v === null || v === '';
    return (sign) => (a, b) => {
      const x = values[a];
      const y = values[b];
      if (absent(x) || absent(y)) {
        return absent(x) - absent(y) || a - b;
      }
      return (x < y ? -sign : x > y ? sign : 0) || a - b;
    };
  }

  function dataTable(root) {
    const {columns, data, rows} = JSON.parse(root.querySelector('script').textContent);
    const body = root.querySelector('tbody');
    const heads = [...root.querySelectorAll('thead th')];
    const search = root.querySelector('input');
    const pager = root.querySelector('.pager');
    const state = {sort: -1, sign: 1, first: 0, level: null, shown: []};
    const levels = columns.findIndex(c => c.format === 'level');

    function draw() {
      const shown = state.shown.slice(state.first, state.first + PAGE_ROWS);
      body.replaceChildren(...shown.map(row => el('tr', {}, ...columns.map((column, i) =>
        el(i === 0 ? 'th' : 'td', i === 0 ? {scope: 'row'} : column.format === 'text' ? {class: 'text'} : {},
          cell(column, data[i][row]))))));
      const last = state.first + shown.length;
      pager.replaceChildren(
        el('button', {type: 'button', disabled: state.first === 0, onclick: () => turn(-PAGE_ROWS)}, 'Previous'),
        el('span', {'aria-live': 'polite', class: 'count'},
          shown.length === 0 ? 'No row fits the filter' : `${state.first + 1}–${last} of ${state.shown.length}`),
        el('button', {type: 'button', disabled: last >= state.shown.length, onclick: () => turn(PAGE_ROWS)}, 'Next'));
    }

    function turn(by) {
      state.first += by;
      draw();
    }

    function select() {
      const keep = compile(search.value, columns, data);
      state.shown = [];
      for (let row = 0; row < rows; row++) {
        if ((state.level === null || data[levels][row] === state.level) && keep(row)) {
          state.shown.push(row);
        }
      }
      if (state.sort >= 0) {
        state.shown.sort(order(data[state.sort])(state.sign));
      }
      state.first = 0;
      draw();
    }

    // The first click sorts numbers from the largest, texts from the first.
    function sortBy(column) {
      const text = columns[column].format === 'text' || columns[column].format === 'latent';
      state.sign = state.sort === column ? -state.sign : text ? 1 : -1;
      state.sort = column;
      heads.forEach((head, i) => {
        if (i === column) {
          head.setAttribute('aria-sort', state.sign > 0 ? 'ascending' : 'descending');
        } else {
          head.removeAttribute('aria-sort');
        }
      });
      select();
    }

    heads.forEach((head, i) => {
      head.classList.toggle('text', columns[i].format === 'text');
      head.querySelector('button').addEventListener('click', () => sortBy(i));
    });
    search.addEventListener('input', select);
    if (levels >= 0) {
      const found = [...new Set(data[levels])].filter(v => v !== null).sort((a, b) => a - b);
      const menu = el('select', {onchange: () => {
        state.level = menu.value === '' ? null : Number(menu.value);
        select();
      }}, el('option', {value: ''}, 'all'), ...found.map(v => el('option', {value: v}, String(v))));
      root.querySelector('.controls').append(el('label', {}, 'Level ', menu));
    }
    select();
  }

  document.querySelectorAll('[data-table]').forEach(dataTable);
  return {el, compact, strip, latentLink, levelBadge};
})();
