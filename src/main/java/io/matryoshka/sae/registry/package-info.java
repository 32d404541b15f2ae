/**
 * The tables of published SAEs: which releases exist, where each SAE lies, its sizes and its
 * published figures.
 *
 * <p>The tables are JSON files, one a release, packaged with the library; a user may add files of
 * the same format. This package reads no weights and uses no network.
 *
 * <p>No method of this package takes or returns {@code null}; an absent value is an {@link
 * java.util.Optional}. All types here are immutable and safe for use by many threads.
 */
package io.matryoshka.sae.registry;
