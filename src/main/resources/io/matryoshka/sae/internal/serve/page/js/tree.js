// A latent among its parents and children over the levels.
import {percent, short} from './format.js';
import {Empty, Label, LatentLink, Level, levelClass, Meaning, useToggle} from './parts.js';
import {html} from './ui.js';

const how = node => `both on ${node.both} tokens, P(child | parent) ${percent(node.child_given_parent)}, `
  + `P(parent | child) ${percent(node.parent_given_child)}, correlation ${short(node.correlation)}`;

function Node({node, opener}) {
  return html`<span class="node" title=${how(node)}>${opener}<${Level} level=${node.level}/><${LatentLink} latent=${node.latent}/>
    <${Meaning} latent=${node}/><span class="how"><span class="hidden">correlation </span>${short(node.correlation)}</span></span>`;
}

function Child({node}) {
  const [open, toggle] = useToggle();
  const more = node.children.length > 0;
  return html`<li><${Node} node=${node} opener=${more && html`<button type="button" class="quiet" aria-expanded=${open}
      aria-label=${`children of latent ${node.latent}`} onClick=${toggle}>${open ? '▾' : '▸'}</button>`}/>
    ${open && html`<${Children} nodes=${node.children}/>`}</li>`;
}

function Children({nodes}) {
  return html`<ul>${nodes.map(node => html`<${Child} key=${node.latent} node=${node}/>`)}</ul>`;
}

export function Tree({found}) {
  const {tree} = found;
  if (!tree) {
    return html`<${Empty}>Which latents fire with this one is read from a corpus.<//>`;
  }
  if (tree.parents.length === 0 && tree.children.length === 0) {
    return html`<${Empty}>No latent of another level fires with it often enough.<//>`;
  }
  const parents = [...tree.parents].sort((a, b) => a.level - b.level || b.correlation - a.correlation);
  return html`<p class="muted small">By correlation of firing, the number at the end of each line.</p>
    <ul class="tree">
      ${parents.map(node => html`<li key=${node.latent}><${Node} node=${node}/></li>`)}
      <li><span class=${'node self ' + levelClass(found.level)}>
        <${Level} level=${found.level}/>${found.latent} ${found.label ? html`<${Label} text=${found.label.text}/>` : ''}</span>
        ${tree.children.length > 0 && html`<${Children} nodes=${tree.children}/>`}</li></ul>`;
}
