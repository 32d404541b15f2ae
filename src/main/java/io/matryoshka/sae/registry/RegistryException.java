package io.matryoshka.sae.registry;

import java.io.IOException;

/**
 * A registry file cannot be used: it is missing, is not JSON, or a field is missing, unknown or
 * wrong. The message names the file, the place in it, what was expected and what was found.
 */
public final class RegistryException extends IOException {

  private static final long serialVersionUID = 1L;

  /** The file at fault. */
  private final String file;

  /** The place in it. */
  private final String jsonPath;

  RegistryException(String file, String jsonPath, String problem, Throwable cause) {
    super("registry file %s, at %s: %s".formatted(file, jsonPath, problem), cause);
    this.file = file;
    this.jsonPath = jsonPath;
  }

  RegistryException(String file, String jsonPath, String problem) {
    this(file, jsonPath, problem, null);
  }

  /**
   * Returns the file at fault.
   *
   * @return its path, or its name for a table that ships with the library
   */
  public String file() {
    return file;
  }

  /**
   * Returns the place in the file.
   *
   * @return a JSON path such as {@code $.saes[3].d_in}; {@code $} for the whole file
   */
  public String jsonPath() {
    return jsonPath;
  }
}
