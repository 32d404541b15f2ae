/**
 * Writes reports: one HTML page that holds everything it needs, with charts, tables that sort and
 * filter, and tokens shaded by activation. The page asks for nothing from the network, and its
 * content security policy forbids it.
 *
 * <p>Everything here is a pure function of its data: the same data give the same bytes. Text from
 * outside, such as tokens, may hold anything; it is shown as text and never becomes markup or
 * script. This package knows nothing of SAEs; no method takes or returns {@code null}.
 */
package io.matryoshka.sae.internal.report;
