package io.matryoshka.sae.safetensors;

/** Well-formedness of UTF-16 strings; a string with a lone surrogate has no UTF-8 form. */
final class Surrogates {

  private Surrogates() {}

  static boolean arePaired(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      if (Character.isLowSurrogate(c)
          || i + 1 == text.length()
          || !Character.isLowSurrogate(text.charAt(i + 1))) {
        return false;
      }
      i++;
    }
    return true;
  }
}
