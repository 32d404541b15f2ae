package io.matryoshka.sae.internal.kernel.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.support.SourceFiles;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What docs/kernels.md and the head of kernels.py say of its methods and numbers is true. */
class KernelsDocumentTest {

  private static final Path SOURCE =
      SourceFiles.PROJECT.resolve(
          "src/main/resources/io/matryoshka/sae/internal/kernel/torch/kernels.py");
  private static final Path DOCUMENT = SourceFiles.PROJECT.resolve("docs/kernels.md");
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `(\\w+)` \\| `([\\w, ]+)` \\| ([^|]+) \\| `\\w+Test` \\|$");
  private static final Pattern METHOD =
      Pattern.compile("(?m)^  def (\\w+)\\(self: __torch__\\.Kernels, ([^)]*)\\)");
  private static final Pattern PRIVATE = Pattern.compile("torch\\._\\w+");
  private static final Pattern TWIN =
      Pattern.compile("(?m)^#   (\\S+) +(?:\\S+ )*?\\S+ {2,}(\\w+)\\.(\\w+)$");

  @Test
  void table_methods_areThoseOfTheSourceInItsOrder() throws IOException {
    Map<String, String> arguments = new LinkedHashMap<>();
    for (MatchResult method : matches(METHOD, Files.readString(SOURCE))) {
      arguments.put(method.group(1), method.group(2).replaceAll(": \\w+", ""));
    }
    assertThat(arguments).hasSizeGreaterThan(40);
    assertThat(documented(2)).containsExactlyEntriesOf(arguments);
  }

  @Test
  void table_callers_callTheMethod() throws IOException {
    String source = Files.readString(SOURCE);
    Map<String, String> bodies = new LinkedHashMap<>();
    for (String method : source.split("(?m)^  def ")) {
      bodies.put(method.substring(0, Math.max(0, method.indexOf('('))), method);
    }
    Map<String, String> code = new LinkedHashMap<>();
    for (Path file : SourceFiles.main()) {
      code.put(file.getFileName().toString().replace(".java", ""), SourceFiles.code(file));
    }
    Map<String, Set<String>> callers = new LinkedHashMap<>();
    for (String method : documented(2).keySet()) {
      Pattern inJava = Pattern.compile("TorchMethod\\." + method.toUpperCase(Locale.ROOT) + "\\b");
      Pattern inSource = Pattern.compile("self\\." + method + "\\(");
      callers.put(
          method,
          Stream.concat(users(code, inJava), users(bodies, inSource))
              .collect(Collectors.toCollection(TreeSet::new)));
    }
    assertThat(callers).allSatisfy((method, users) -> assertThat(users).as(method).isNotEmpty());
    documented(3)
        .forEach(
            (method, users) ->
                assertThat(users.replace("`", "").split(", "))
                    .as(method)
                    .containsExactlyInAnyOrderElementsOf(callers.get(method)));
  }

  private static Stream<String> users(Map<String, String> texts, Pattern use) {
    return texts.keySet().stream().filter(name -> use.matcher(texts.get(name)).find());
  }

  @Test
  void constants_areMethodsOfTheSource() throws IOException {
    assertThat(documented(2).keySet())
        .containsAll(Arrays.stream(TorchMethod.values()).map(TorchMethod::key).toList());
  }

  @Test
  void privateOperations_areListed() throws IOException {
    assertThat(names(PRIVATE, Files.readString(DOCUMENT)))
        .isEqualTo(names(PRIVATE, Files.readString(SOURCE)));
  }

  @Test
  void numbers_areThoseOfTheirTwins() throws Exception {
    String source = Files.readString(SOURCE);
    String body = source.substring(source.indexOf("class Kernels"));
    List<MatchResult> twins = matches(TWIN, source);
    assertThat(twins).hasSize(6);
    for (MatchResult twin : twins) {
      assertThat(body).as("use of %s", twin.group(1)).contains(twin.group(1));
      assertThat(constant(twin.group(2), twin.group(3)))
          .as("%s.%s", twin.group(2), twin.group(3))
          .isEqualTo(Double.parseDouble(twin.group(1)));
    }
  }

  @Test
  void call_thatFails_showsTheLineOfTheSource() throws IOException {
    List<String> lines = Files.readAllLines(SOURCE);
    int line = 1;
    while (!lines.get(line - 1).contains("return torch.linear(x, w)")) {
      line++;
    }
    String expected = "code/__torch__.py\", line " + line + ", in linear";
    try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      NDArray x = manager.ones(new Shape(2, 3));
      NDArray w = manager.ones(new Shape(2, 4));
      assertThatThrownBy(() -> TorchKernels.on(Device.cpu()).call(TorchMethod.LINEAR, x, w))
          .hasMessageContaining(expected);
    }
  }

  /** A column of the table, by method, in its order. */
  private static Map<String, String> documented(int column) throws IOException {
    Map<String, String> cells = new LinkedHashMap<>();
    for (MatchResult row : matches(ROW, Files.readString(DOCUMENT))) {
      cells.put(row.group(1), row.group(column));
    }
    return cells;
  }

  private static double constant(String className, String field) throws Exception {
    for (Path file : SourceFiles.main()) {
      if (file.endsWith(className + ".java")) {
        Class<?> owner =
            Class.forName("io.matryoshka.sae." + SourceFiles.packageOf(file) + "." + className);
        Field constant = owner.getDeclaredField(field);
        constant.setAccessible(true);
        return ((Number) constant.get(null)).doubleValue();
      }
    }
    throw new IOException("no class " + className);
  }

  private static Set<String> names(Pattern pattern, String text) {
    Set<String> names = new TreeSet<>();
    matches(pattern, text).forEach(match -> names.add(match.group()));
    return names;
  }

  private static List<MatchResult> matches(Pattern pattern, String text) {
    return new ArrayList<>(pattern.matcher(text).results().toList());
  }
}
