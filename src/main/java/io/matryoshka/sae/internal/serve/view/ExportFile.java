package io.matryoshka.sae.internal.serve.view;

/**
 * A file of what a view shows.
 *
 * @param name its name, of letters, digits, dots and hyphens
 * @param type its media type
 * @param content its bytes
 */
public record ExportFile(String name, String type, byte[] content) {

  /**
   * Copies the bytes.
   *
   * @param name its name
   * @param type its media type
   * @param content its bytes
   */
  public ExportFile {
    content = content.clone();
  }

  /**
   * Returns the bytes.
   *
   * @return a copy
   */
  @Override
  public byte[] content() {
    return content.clone();
  }
}
