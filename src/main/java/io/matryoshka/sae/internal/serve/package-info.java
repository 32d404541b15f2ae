/**
 * The server of {@code serve}: a page, and the interface of docs/serve-api.md, over HTTP for the
 * same machine. Computes nothing itself. Null is neither taken nor returned.
 */
package io.matryoshka.sae.internal.serve;
