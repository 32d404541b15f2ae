/**
 * Reads and writes arrays in NumPy's {@code .npy} format, one array to a file.
 *
 * <p>Numbers in row-major order only; arrays in Fortran order, of objects, strings, records or
 * complex numbers are refused with advice. No amount of memory is allocated on the word of a file.
 *
 * <p>No method of this package takes or returns {@code null}.
 *
 * @see <a href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">the
 *     format</a>
 */
package io.matryoshka.sae.npy;
