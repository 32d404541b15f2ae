package io.matryoshka.sae.internal.serve.view;

import io.matryoshka.sae.SAE;
import io.matryoshka.sae.lm.Intervention;
import io.matryoshka.sae.lm.Tokens;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The changes of one run: which latents, how, and at which positions.
 *
 * @param edits the changes, latents set to 0 first, then scaled ones, then steering
 * @param positions ranges of positions, ends included; empty for all
 * @param text the ranges as they were given
 * @param skipBos whether BOS is left alone
 */
record Edits(List<Edit> edits, List<Range> positions, String text, boolean skipBos) {

  private static final Pattern RANGE = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

  /** What is done to a latent, in the order in which it is done. */
  enum Kind {
    ZERO,
    SCALE,
    STEER
  }

  /** A change of one latent; a value of 0 where the kind has none. */
  record Edit(Kind kind, int latent, float value) {

    Intervention of(SAE sae) {
      return switch (kind) {
        case ZERO -> Intervention.ablate(sae, latent);
        case SCALE -> Intervention.scale(sae, latent, value);
        case STEER -> Intervention.steer(sae, latent, value);
      };
    }

    String java() {
      String number = SameCalls.number(value) + "f";
      return switch (kind) {
        case ZERO -> "Intervention.ablate(sae, %d)".formatted(latent);
        case SCALE -> "Intervention.scale(sae, %d, %s)".formatted(latent, number);
        case STEER -> "Intervention.steer(sae, %d, %s)".formatted(latent, number);
      };
    }

    List<String> words() {
      String pair = latent + ":" + SameCalls.number(value);
      return switch (kind) {
        case ZERO -> List.of("--ablate", Integer.toString(latent));
        case SCALE -> List.of("--scale", pair);
        case STEER -> List.of("--steer", pair);
      };
    }
  }

  /** Positions from the first to the last, both included. */
  record Range(int first, int last) {

    boolean contains(int position) {
      return first <= position && position <= last;
    }

    @Override
    public String toString() {
      return first == last ? Integer.toString(first) : first + "-" + last;
    }
  }

  static Edits read(Fields fields, OpenSae open, Limits limits) {
    List<Edit> edits = new ArrayList<>();
    for (Fields edit : fields.objects("edits", limits.edits())) {
      edits.add(edit(edit, open));
    }
    edits.sort(Comparator.comparing(Edit::kind));
    Optional<String> positions = fields.optionalText("positions").filter(text -> !text.isBlank());
    return new Edits(
        List.copyOf(edits),
        positions.map(Edits::ranges).orElse(List.of()),
        positions.orElse("").replace(" ", ""),
        fields.flag("skip_bos", true));
  }

  private static Edit edit(Fields fields, OpenSae open) {
    String name = fields.text("kind");
    Kind kind =
        switch (name) {
          case "zero" -> Kind.ZERO;
          case "scale" -> Kind.SCALE;
          case "steer" -> Kind.STEER;
          default ->
              throw ViewException.badRequest(
                  "kind: expected zero, scale or steer, got '%.40s'".formatted(name));
        };
    int latent = fields.number("latent", 0, open.sae().dSae() - 1);
    float value =
        kind == Kind.ZERO ? (float) fields.decimal("value", 0) : (float) fields.decimal("value");
    fields.requireNoOther();
    return new Edit(kind, latent, kind == Kind.ZERO ? 0 : value);
  }

  private static List<Range> ranges(String text) {
    List<Range> ranges = new ArrayList<>();
    for (String part : text.replace(" ", "").split(",", -1)) {
      Matcher matcher = RANGE.matcher(part);
      int first = matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
      int last = first < 0 || matcher.group(2) == null ? first : Integer.parseInt(matcher.group(2));
      if (first < 0 || last < first) {
        throw ViewException.badRequest(
            "positions: expected numbers and rising ranges such as 2-5,7, got '%.40s'"
                .formatted(text));
      }
      ranges.add(new Range(first, last));
    }
    return List.copyOf(ranges);
  }

  private boolean worksAt(int position) {
    return positions.stream().anyMatch(range -> range.contains(position));
  }

  /**
   * Refuses positions that would change nothing.
   *
   * @param tokens the text
   * @param newTokens tokens that it may get, 0 for none
   */
  void requireReached(OpenSae open, Tokens tokens, int newTokens) {
    if (edits.isEmpty()) {
      return;
    }
    Intervention change = edits.get(0).of(open.sae());
    for (Range range : positions) {
      Intervention there = change.positions(range::contains);
      if (!open.model().isReached(tokens, newTokens, skipBos ? there.skipBos() : there)) {
        throw ViewException.badRequest(
            "positions: %s reaches no token: positions count from 0, and the text is read up to %d%s%s"
                .formatted(
                    range,
                    open.model().positionsRead(tokens, newTokens) - 1,
                    newTokens > 0 ? " with its new tokens" : "",
                    skipBos ? "; <bos> is left alone (skip_bos)" : ""));
      }
    }
  }

  List<Intervention> of(SAE sae) {
    IntPredicate wanted = positions.isEmpty() ? position -> true : this::worksAt;
    return edits.stream()
        .map(edit -> edit.of(sae).positions(wanted))
        .map(intervention -> skipBos ? intervention.skipBos() : intervention)
        .toList();
  }

  /** The interventions as Java writes them, one a line. */
  String java() {
    String where =
        positions.isEmpty()
            ? ""
            : ".positions(p -> "
                + positions.stream()
                    .map(r -> "p >= %d && p <= %d".formatted(r.first(), r.last()))
                    .collect(Collectors.joining(" || "))
                + ")";
    String bos = skipBos ? ".skipBos()" : "";
    return edits.stream()
        .map(edit -> edit.java() + where + bos)
        .collect(Collectors.joining(",\n", "List<Intervention> changes = List.of(\n", ");"));
  }

  List<String> words() {
    List<String> words = new ArrayList<>();
    edits.forEach(edit -> words.addAll(edit.words()));
    if (!positions.isEmpty()) {
      words.addAll(List.of("--positions", text));
    }
    if (skipBos && !edits.isEmpty()) {
      words.add("--skip-bos");
    }
    return words;
  }
}
