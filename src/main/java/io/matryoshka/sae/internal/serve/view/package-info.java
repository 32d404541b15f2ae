/**
 * What the page of {@code serve} shows, computed with the public API and given as JSON;
 * docs/serve-api.md describes the answers. Knows nothing of HTTP. Null is neither taken nor
 * returned.
 */
package io.matryoshka.sae.internal.serve.view;
