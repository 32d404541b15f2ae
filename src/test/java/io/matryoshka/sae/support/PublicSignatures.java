package io.matryoshka.sae.support;

import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What a class shows to its users. */
public final class PublicSignatures {

  private PublicSignatures() {}

  /** Finds the public members of a public class, and of public classes in it, by their text. */
  public static List<String> naming(Class<?> type, Predicate<String> text) {
    List<String> found = new ArrayList<>();
    collect(type, text, found);
    return found;
  }

  private static void collect(Class<?> type, Predicate<String> text, List<String> found) {
    if (!Modifier.isPublic(type.getModifiers())) {
      return;
    }
    Stream.of(
            Arrays.stream(type.getMethods()).filter(m -> m.getDeclaringClass() != Object.class),
            Arrays.stream(type.getConstructors()),
            Arrays.stream(type.getFields()))
        .flatMap(members -> members)
        .map(Object::toString)
        .filter(text)
        .forEach(found::add);
    for (Class<?> nested : type.getClasses()) {
      collect(nested, text, found);
    }
  }
}
