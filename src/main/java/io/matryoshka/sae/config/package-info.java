/**
 * What the folder of an SAE says: its configuration, its architecture, and what these ask of the
 * weights. No tensors, no network.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.config;
