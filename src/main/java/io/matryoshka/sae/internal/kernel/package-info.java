/**
 * The encode and decode engines: a dense reference on any device, and the fast path that screens
 * all latents with a cheap product and computes exactly only those that can be active.
 *
 * <p>Everything here works on rows that are already prepared (cast, normalised, {@code b_dec}
 * subtracted); what a configuration means is the business of the package above. Nothing here is API
 * for users. No method takes or returns {@code null}.
 */
package io.matryoshka.sae.internal.kernel;
