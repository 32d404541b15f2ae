/**
 * Reads the arrays of a NumPy archive ({@code np.savez}, {@code np.savez_compressed}): a zip
 * archive of {@code .npy} files, stored or deflated. No API for users.
 *
 * <p>No method of this package takes or returns {@code null}.
 */
package io.matryoshka.sae.internal.npz;
