package io.matryoshka.sae.internal.report;

/**
 * The colours of a report: one for each Matryoshka level or series, on light and on dark ground.
 * Charts, tables and token strips refer to a colour by its number, and this is the one place that
 * says what it looks like. Each has a contrast of at least 4.5 to its ground.
 */
final class Palette {

  private static final String[] LIGHT = {
    "#1b66c4", "#0b7a60", "#a85508", "#8a3fb0", "#c2255c", "#5f6a00", "#4a5a75", "#7a4b2a"
  };
  private static final String[] DARK = {
    "#74b0ff", "#45d0ab", "#f0a653", "#c99bf2", "#ff84ae", "#c6d152", "#a9b8d2", "#d6a984"
  };

  /** Grounds and texts of the page, in the order of {@link #NAMES}. */
  private static final String[] LIGHT_GROUND = {
    "#ffffff", "#f5f6f8", "#1c2330", "#586174", "#d9dde4"
  };

  private static final String[] DARK_GROUND = {
    "#12161d", "#1b212b", "#e6eaf1", "#9ca7b9", "#323b49"
  };
  private static final String[] NAMES = {"ground", "panel", "text", "muted", "line"};

  private Palette() {}

  /**
   * Name of the CSS class that sets {@code --c} to a colour; numbers beyond the last start over.
   */
  static String cssClass(int colour) {
    return "c" + Math.floorMod(colour, LIGHT.length);
  }

  /** Style rules that give every colour its value on both grounds. */
  static String css(String scope) {
    StringBuilder classes = new StringBuilder();
    for (int i = 0; i < LIGHT.length; i++) {
      classes.append(".c").append(i).append("{--c:var(--c").append(i).append(")}");
    }
    return scope
        + "{color-scheme:light dark;"
        + variables(LIGHT_GROUND, LIGHT)
        + "}@media(prefers-color-scheme:dark){"
        + scope
        + "{"
        + variables(DARK_GROUND, DARK)
        + "}}"
        + classes;
  }

  private static String variables(String[] ground, String[] colours) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < NAMES.length; i++) {
      out.append("--").append(NAMES[i]).append(':').append(ground[i]).append(';');
    }
    for (int i = 0; i < colours.length; i++) {
      out.append("--c").append(i).append(':').append(colours[i]).append(';');
    }
    return out.toString();
  }
}
