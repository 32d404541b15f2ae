package io.matryoshka.sae.internal.report;

/** A part of a {@link Page}. */
public interface Block {

  /**
   * Returns the part as HTML.
   *
   * @return well-formed markup, with all text from outside escaped
   */
  String html();
}
