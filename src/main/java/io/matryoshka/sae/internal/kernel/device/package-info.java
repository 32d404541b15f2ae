/**
 * The fast engine of accelerators, whose results can stay on the device. No API for users.
 *
 * <p>No public method takes or returns null.
 */
package io.matryoshka.sae.internal.kernel.device;
