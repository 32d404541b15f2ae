package io.matryoshka.sae.stream;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * The folder of a run of encoding, on a disk or in another store: what {@link EncodePlan} needs to
 * begin, resume, restart and end a run there. A file that was written appears whole.
 */
public interface RunStore {

  /**
   * Names a file for messages.
   *
   * @param file the name within the folder
   * @return its path or address
   */
  String nameOf(String file);

  /**
   * Lists the files of the folder.
   *
   * @return their names within the folder, in any order
   * @throws IOException if the store does not answer
   */
  List<String> files() throws IOException;

  /**
   * Reads a text.
   *
   * @param file the name within the folder
   * @return the content, empty if there is no such file
   * @throws IOException if it cannot be read
   */
  Optional<String> read(String file) throws IOException;

  /**
   * Writes a text in place of what is there.
   *
   * @param file the name within the folder
   * @param text the content
   * @throws IOException if it cannot be written
   */
  void write(String file, String text) throws IOException;

  /**
   * Deletes a file; one that is missing is fine.
   *
   * @param file the name within the folder
   * @throws IOException if it cannot be deleted
   */
  void delete(String file) throws IOException;
}
