package io.matryoshka.sae.internal.report;

import java.util.LinkedHashMap;
import java.util.Map;

/** The few figures that a reader looks for first, in large type. */
public final class KeyFigures implements Block {

  private final Map<String, String> figures = new LinkedHashMap<>();

  /** Starts without figures. */
  public KeyFigures() {}

  /**
   * Adds a figure.
   *
   * @param name what it is
   * @param value the figure with its unit
   * @return this block
   */
  public KeyFigures add(String name, String value) {
    figures.put(name, value);
    return this;
  }

  @Override
  public String html() {
    StringBuilder out = new StringBuilder("<dl class=\"figures\">");
    figures.forEach(
        (name, value) ->
            out.append("<div><dt>" + Html.escape(name) + "</dt><dd>")
                .append(Html.escape(value) + "</dd></div>"));
    return out.append("</dl>").toString();
  }
}
