/**
 * Reads the tensors of a file that {@code torch.save} wrote: a zip archive with a pickle that
 * describes the tensors, and a member with the raw elements of each storage.
 *
 * <p>A pickle is a program. Here it is read by an interpreter that knows only what {@code
 * torch.save} needs for a dictionary of tensors: it builds texts, numbers, lists, dictionaries and
 * descriptions of tensors, calls nothing, loads no class, and refuses everything else by its name.
 *
 * <p>Limits keep a hostile file from taking time or memory: {@link
 * io.matryoshka.sae.internal.torchzip.PickleReader#MAX_BYTES} and {@link
 * io.matryoshka.sae.internal.torchzip.PickleReader#MAX_OBJECTS}.
 *
 * <p>No method of this package takes or returns {@code null}.
 *
 * @see <a href="https://docs.python.org/3/library/pickletools.html">the opcodes of pickles</a>
 * @see <a
 *     href="https://github.com/pytorch/pytorch/blob/v2.7.1/torch/serialization.py">torch.save</a>
 */
package io.matryoshka.sae.internal.torchzip;
