// The words of a text that latents stand for, where they have no label.
import {quoted} from './format.js';
import {useMemo} from './ui.js';

/** For each latent its tokens in the text as `[activation, token]`, the strongest first. */
export function useTokensOf(data) {
  return useMemo(() => {
    const found = new Map();
    data?.latents.forEach((active, at) => data.tokens[at].counted && active.forEach(([latent, value]) => {
      found.set(latent, [...found.get(latent) ?? [], [value, at]]);
    }));
    found.forEach(tokens => tokens.sort((a, b) => b[0] - a[0]));
    return found;
  }, [data]);
}

/** Stands in for a label: the words of the text on which a latent is strongest. */
export const wordsOf = (tokens, pieces) =>
  [...new Set((tokens ?? []).map(([, at]) => quoted(pieces[at]?.text ?? '')))].slice(0, 3).join(' ');
