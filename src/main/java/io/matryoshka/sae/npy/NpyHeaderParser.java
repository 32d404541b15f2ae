package io.matryoshka.sae.npy;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * Parses the Python dictionary of a header: {@code {'descr': '<f4', 'fortran_order': False,
 * 'shape': (3, 4), }}. Only what NumPy writes is understood; nothing is evaluated.
 */
final class NpyHeaderParser {

  private static final String ADVICE =
      "save a numeric array in row-major order: np.save(path, np.ascontiguousarray(a, '<f4'))";

  private final String text;
  private final String path;
  private int at;
  private String descr = "";
  private Boolean fortranOrder;
  private long[] shape;

  private NpyHeaderParser(String text, String path) {
    this.text = text;
    this.path = path;
  }

  static NpyHeader parse(String text, long dataOffset, String path) throws NpyException {
    NpyHeaderParser parser = new NpyHeaderParser(text, path);
    parser.parseDictionary();
    return parser.toHeader(dataOffset);
  }

  private void parseDictionary() throws NpyException {
    expect('{');
    while (!accept('}')) {
      String key = string();
      expect(':');
      switch (key) {
        case "descr" -> descr = descr();
        case "fortran_order" -> fortranOrder = bool();
        case "shape" -> shape = tuple();
        default -> throw fault("unexpected key '" + key + "'");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skipSpace();
    if (at != text.length()) {
      throw fault("unexpected text after the dictionary");
    }
  }

  private NpyHeader toHeader(long dataOffset) throws NpyException {
    if (descr.isEmpty() || fortranOrder == null || shape == null) {
      throw fault("the header must have the keys 'descr', 'fortran_order' and 'shape'");
    }
    Optional<NpyType> type = NpyType.find(descr.substring(1));
    char order = descr.charAt(0);
    boolean orderFits =
        type.isPresent() && (type.get().bytes() == 1 || type.get() == NpyType.V2)
            ? "|<>".indexOf(order) >= 0
            : "<>".indexOf(order) >= 0;
    if (type.isEmpty() || !orderFits) {
      throw new NpyException(
          ("%s: dtype '%s' is not read; expected one of b1, i1 to i8, u1 to u8, f2,"
                  + " f4 and f8, in either byte order; %s")
              .formatted(path, descr, ADVICE));
    }
    return new NpyHeader(
        descr,
        type.get(),
        order == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN,
        shape,
        fortranOrder && shape.length > 1,
        dataOffset);
  }

  private String descr() throws NpyException {
    skipSpace();
    if (at < text.length() && text.charAt(at) == '[') {
      throw new NpyException("%s: arrays of records are not read; %s".formatted(path, ADVICE));
    }
    String value = string();
    if (value.isEmpty()) {
      throw fault("empty 'descr'");
    }
    return value;
  }

  private boolean bool() throws NpyException {
    skipSpace();
    for (String word : new String[] {"True", "False"}) {
      if (text.startsWith(word, at)) {
        at += word.length();
        return word.equals("True");
      }
    }
    throw fault("'fortran_order' must be True or False");
  }

  private long[] tuple() throws NpyException {
    expect('(');
    long[] dimensions = new long[4];
    int rank = 0;
    while (!accept(')')) {
      if (rank == dimensions.length) {
        dimensions = Arrays.copyOf(dimensions, 2 * rank);
      }
      dimensions[rank++] = integer();
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return Arrays.copyOf(dimensions, rank);
  }

  private long integer() throws NpyException {
    skipSpace();
    int start = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    try {
      long value = Long.parseLong(text, start, at, 10);
      accept('L'); // Python 2 marks its long integers
      return value;
    } catch (NumberFormatException e) {
      throw fault("'shape' must hold integers from 0 to 2^63 - 1");
    }
  }

  private String string() throws NpyException {
    skipSpace();
    char quote = at < text.length() ? text.charAt(at) : 0;
    int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
    if (end < 0) {
      throw fault("expected a quoted string");
    }
    String value = text.substring(at + 1, end);
    at = end + 1;
    return value;
  }

  private void expect(char c) throws NpyException {
    if (!accept(c)) {
      throw fault("expected '" + c + "'");
    }
  }

  private boolean accept(char c) {
    skipSpace();
    if (at < text.length() && text.charAt(at) == c) {
      at++;
      return true;
    }
    return false;
  }

  private void skipSpace() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private NpyException fault(String message) {
    return new NpyException(
        "%s: malformed .npy header at character %s: %s".formatted(path, at, message));
  }
}
